import fc from 'fast-check';
import { crc32c } from './crc32c';
import { COMPARED_VERSION, fastRequest, grouped, type MessageToEncode, type ProduceArguments, type ProduceRequest } from './fast-produce';

/** kafkajs has no types for what is inside of it. */
/* eslint-disable @typescript-eslint/no-require-imports */
const original = require('kafkajs/src/protocol/requests/produce/v3/request') as ProduceRequest;
const originalChecksum = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number;
const originalGrouping = require('kafkajs/src/producer/groupMessagesPerPartition') as typeof grouped;
const { version } = require('kafkajs/package.json') as { version: string };
/* eslint-enable @typescript-eslint/no-require-imports */

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ minLength: 55, maxLength: 200 }),
  fc.string({ unit: 'grapheme', minLength: 20, maxLength: 100 }),
  fc.constantFrom('', 'Grüße 🎓', '\ud800', `${'a'.repeat(63)}é`, `${'a'.repeat(64)}é`, 'a'.repeat(64), 'a'.repeat(65)),
);
/** Up to what takes a third byte for the size of the record. */
const long = fc.oneof(text, fc.string({ minLength: 8_000, maxLength: 9_000 }));
const bytes = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array));

const plain: fc.Arbitrary<MessageToEncode> = fc.record(
  { key: text, value: long, headers: fc.dictionary(text, text, { maxKeys: 22, noNullPrototype: true }) },
  { requiredKeys: ['key', 'value'] },
);
/** What the publisher never sends. */
const other: fc.Arbitrary<MessageToEncode> = fc.oneof(
  fc.record({ key: fc.constant(null), value: text }),
  fc.record({ key: bytes, value: text }),
  fc.record({ key: text, value: fc.constant(null) }),
  fc.record({ key: text, value: bytes }),
  fc.record({ key: text, value: text, headers: fc.record({ h: fc.oneof(bytes, fc.array(text, { maxLength: 3 })) }) }),
  fc.record({ key: text, value: text, timestamp: fc.nat().map(String) }),
);

const requestOf = (message: fc.Arbitrary<MessageToEncode>): fc.Arbitrary<ProduceArguments> =>
  fc.record({
    acks: fc.constantFrom(-1, 1),
    timeout: fc.nat(),
    transactionalId: fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.constantFrom(undefined, null)),
    producerId: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }).map(String),
    producerEpoch: fc.nat(0x7fff),
    topicData: fc.array(
      fc.record({
        topic: fc.string({ minLength: 1 }),
        partitions: fc.array(
          fc.record({ partition: fc.nat(), firstSequence: fc.nat(), messages: fc.array(message, { minLength: 1, maxLength: 5 }) }),
          { maxLength: 3 },
        ),
      }),
      { maxLength: 3 },
    ),
  });

const encoded = async (request: ProduceRequest, given: ProduceArguments): Promise<Buffer> =>
  Buffer.from((await request(given).encode()).buffer);

describe('the fast encoding of what is sent', () => {
  const fast = fastRequest(original);
  // Every batch says when it was made.
  beforeEach(() => void jest.spyOn(Date, 'now').mockReturnValue(1_795_000_000_123));
  afterEach(() => jest.restoreAllMocks());

  it('is used with the version of kafkajs that it is compared with here', () => {
    expect(version).toBe(COMPARED_VERSION);
  });

  it.each<[string, fc.Arbitrary<MessageToEncode>]>([
    ['of text', plain],
    ['of anything', fc.oneof(plain, other)],
  ])('is that of kafkajs, byte for byte, for messages %s', async (_, message) => {
    await fc.assert(
      fc.asyncProperty(requestOf(message), async (given) => {
        expect((await encoded(fast, given)).equals(await encoded(original, given))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('is that of kafkajs for more than one buffer holds', async () => {
    const messages = Array.from({ length: 1_500 }, (_, index) => ({ key: `k${index}`, value: 'v'.repeat(index) }));
    const given = { acks: -1, timeout: 1, transactionalId: 't', topicData: [{ topic: 't', partitions: [{ partition: 0, messages }] }] };
    expect((await encoded(fast, given)).equals(await encoded(original, given))).toBe(true);
  });

  it('is made by us when all is text, and keeps what else a request says', async () => {
    const given = {
      acks: -1,
      timeout: 1,
      topicData: [{ topic: 't', partitions: [{ partition: 0, messages: [{ key: 'k', value: 'v' }] }] }],
    };
    let asked = 0;
    const counting: ProduceRequest = (of) => ({ ...original(of), encode: () => ((asked += 1), original(of).encode()) });
    await fastRequest(counting)(given).encode();
    expect(asked).toBe(0);
    const [ours, theirs] = [fast(given), original(given)];
    expect(Object.keys(ours)).toEqual(Object.keys(theirs));
    expect(ours).toMatchObject({ apiKey: 0, apiVersion: 3, apiName: 'Produce' });
  });
});

describe('the fast checksum', () => {
  it('is that of kafkajs', () => {
    // What every description of CRC-32C gives as its example.
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (array) => {
        expect(crc32c(array)).toBe(originalChecksum(Buffer.from(array)));
      }),
    );
  });
});

describe('the fast grouping by partition', () => {
  it('is that of kafkajs', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(11)), fc.boolean(), (partitions, known) => {
        const of = {
          topic: 't',
          partitionMetadata: known ? [{}] : [],
          messages: partitions.map((partition, index) => ({ key: `${index}`, value: '', partition })),
          partitioner: ({ message }: { message?: { partition: number } }) => message!.partition,
        };
        expect(grouped(of)).toEqual(originalGrouping(of));
      }),
    );
  });
});
