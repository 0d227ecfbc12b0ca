import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { partitionsOf } from './partitions';

describe('the partition of a key', () => {
  it('is the one that kafkajs and the Java client choose', () => {
    const theirs = Partitioners.DefaultPartitioner();
    const partition = { partitionErrorCode: 0, partitionId: 0, leader: 0, replicas: [], isr: [] };
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 100 }), (key, count) => {
        const partitionMetadata = Array.from({ length: count }, () => partition);
        expect(partitionsOf(count)(key)).toBe(theirs({ topic: 't', partitionMetadata, message: { key, value: null } }));
      }),
      { numRuns: 500 },
    );
  });

  it('spreads wallets', () => {
    const used = new Set(Array.from({ length: 200 }, (_, n) => partitionsOf(12)(`userWallet-u${n}`)));
    expect(used.size).toBe(12);
  });
});
