import fc from 'fast-check';
import { COMPARED_VERSION, encodeRecord, type RecordToEncode } from './fast-records';

/** kafkajs has no types for what is inside of it. */
// eslint-disable-next-line @typescript-eslint/no-require-imports
const original = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: RecordToEncode) => { buffer: Buffer };
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { version } = require('kafkajs/package.json') as { version: string };

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ minLength: 60, maxLength: 200 }),
  fc.constant(''),
  fc.constant('Grüße 🎓'),
);
const bytes = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
);
const record: fc.Arbitrary<RecordToEncode> = fc.record({
  offsetDelta: fc.oneof(fc.nat(3), fc.nat(0x7fffffff)),
  timestampDelta: fc.oneof(fc.constant(0), fc.nat(100_000), fc.maxSafeInteger()),
  key: fc.oneof(bytes, fc.constant(null)),
  value: fc.oneof(bytes, fc.constant(null), fc.string({ minLength: 2_000, maxLength: 4_000 })),
  headers: fc.dictionary(text, fc.oneof(bytes, fc.array(bytes, { maxLength: 3 })), { maxKeys: 25, noNullPrototype: true }),
});

describe('the fast encoding of records', () => {
  it('is used with the version of kafkajs that it is compared with here', () => {
    expect(version).toBe(COMPARED_VERSION);
  });

  it('is that of kafkajs, byte for byte', () => {
    fc.assert(
      fc.property(record, (one) => {
        expect(encodeRecord(one).buffer.equals(original(one).buffer)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves out what is left out', () => {
    expect(encodeRecord({ value: 'v' }).buffer.equals(original({ value: 'v' }).buffer)).toBe(true);
  });
});
