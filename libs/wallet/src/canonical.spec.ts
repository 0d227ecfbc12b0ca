import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonical } from './canonical';

// The examples of RFC 8785 stand in chain.spec.ts.
describe('canonical JSON', () => {
  const unit = fc.oneof(
    fc.constantFrom(...'"\\/\b\f\n\r\t\u0000\u001f\u007f\u0080\u2028 é€\u{1f600}\ufb33aZ$_~'),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );
  const name = fc.oneof(
    fc.constantFrom('__proto__', 'toString', 'constructor', '10', '9', 'a', 'A', ''),
    fc.string({ unit, maxLength: 6 }),
  );
  const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.maxSafeInteger());
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      fc.constantFrom(null, true, false),
      number,
      fc.string({ unit }),
      fc.array(tie('value'), { maxLength: 20 }),
      fc.dictionary(name, fc.oneof({ weight: 9, arbitrary: tie('value') }, { weight: 1, arbitrary: fc.constant(undefined) }), {
        maxKeys: 24,
      }),
    ),
  }));

  it('is what the library of its authors writes, for any JSON', () => {
    fc.assert(
      fc.property(value, (any) => {
        expect(canonical(any)).toBe(canonicalize(any));
      }),
      { numRuns: 3_000 },
    );
  });

  it('says the same value, and says it the same again', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (any) => {
        const text = canonical(any);
        expect(canonical(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('is the same on both sides of the number of fields that are sorted in place', () => {
    for (const count of [0, 1, 2, 15, 16, 17, 18, 200]) {
      const fields = Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${(index * 7_919) % 1_000}`, index]));
      expect(canonical(fields)).toBe(canonicalize(fields));
    }
  });

  it.each([[new Date(0)], [() => 1], [Symbol('s')], [1n], [[undefined]], [{ at: new Date(0) }]])(
    'refuses what is not JSON',
    (any: unknown) => {
      expect(() => canonical(any)).toThrow(TypeError);
    },
  );
});
