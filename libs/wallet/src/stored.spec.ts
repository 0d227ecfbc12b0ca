import fc from 'fast-check';
import { chainStart, seal } from './chain';
import type { Envelope } from './commands';
import { keyOf, metadataOf } from './stored';
import { hashing } from './testing/hashing';

const used = { type: 'TimeZoneSet', data: { at: '2026-11-23T12:00:00.000Z', timeZone: 'UTC' } } as const;
const stream = 'userWallet-u1';
const sealed = (envelope: Envelope) => seal(used, envelope, chainStart(stream, hashing), hashing);
const envelope: Envelope = { actor: 'chat', role: 'service', requestId: 'q1', correlationId: 'c1' };

/** What a careless search would take for a field, among any other text. */
const text = fc.oneof(
  fc.constantFrom('key', 'key:', ',', '"', '\\', '\\"', ',"key":"k"', '","key":"k', 'ü', ''),
  fc.string({ maxLength: 8 }),
);
const name = fc.array(text, { maxLength: 4 }).map((parts) => parts.join(''));

describe('the key of a stored event', () => {
  it('is the one that its metadata have, whatever stands beside it', () => {
    const envelopes = fc
      .record({ actor: name, role: name, requestId: name, correlationId: name })
      .chain((who) =>
        fc
          .record({ client: name, traceparent: name, keyed: fc.record({ key: name, contentHash: name }) }, { requiredKeys: [] })
          .map(({ keyed, ...more }): Envelope => ({ ...who, ...more, ...keyed })),
      );
    fc.assert(
      fc.property(envelopes, (each) => {
        const stored = sealed(each);
        const { key, contentHash } = metadataOf(stored);
        expect([keyOf(stored).key, keyOf(stored).contentHash]).toEqual([key, contentHash]);
        expect(key).toBe(each.key);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is found in metadata that somebody wrote anew, with spaces or in another order', () => {
    const stored = sealed({ ...envelope, key: 'k1', contentHash: 'h1' });
    const backwards = Object.fromEntries(Object.entries(metadataOf(stored)).reverse());
    for (const metadata of [JSON.stringify(metadataOf(stored), null, 1), JSON.stringify(backwards), JSON.stringify(backwards, null, 1)]) {
      expect(keyOf({ ...stored, metadata })).toMatchObject({ key: 'k1', contentHash: 'h1' });
    }
  });

  it('is absent where there is none', () => {
    expect(keyOf(sealed(envelope))).toEqual({});
    expect(keyOf(sealed({ ...envelope, actor: 'key' })).key).toBeUndefined();
  });
});
