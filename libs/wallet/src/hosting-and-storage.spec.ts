import fc from 'fast-check';
import { HOSTING, hostingOf, picoTokensOf, STORAGE, storageOfDay, tokensText } from './hosting-and-storage';

const GB = 1_000_000_000;

describe('hosting', () => {
  it.each([
    ['nothing', [], [], 0, 0, 0],
    ['the first campus and the first three courses', [75], [30, 30, 30], 0, 0, 0],
    ['a second campus', [75, 75], [], 1, 0, 75],
    ['a fourth course', [], [30, 30, 30, 30], 0, 1, 30],
    ['the published example', [75, 75], [30, 30, 30, 30, 30, 30], 1, 3, 165],
    ['the oldest, not the largest', [1, 500], [1, 2, 3, 400], 1, 1, 900],
    ['empty ones beyond', [75, 0, 0], [30, 30, 30, 0], 2, 1, 0],
    ['the only members, in free places', [10_000_000], [10_000_000, 10_000_000, 10_000_000], 0, 0, 0],
  ])('of %s', (_, campuses, courses, billableCampuses, billableCourses, billablePlaces) => {
    const expected = { tokens: 10 * billablePlaces, billableCampuses, billableCourses, billablePlaces };
    expect(hostingOf(campuses, courses)).toEqual(expected);
  });

  it('of the largest body stays an exact integer', () => {
    const all = Array.from({ length: 10_000 }, () => 10_000_000);
    expect(hostingOf(all, all).tokens).toBe(10 * 10_000_000 * (9_999 + 9_997));
  });

  it('has the published rates', () => {
    expect(HOSTING).toEqual({ tokensPerMember: 10, freeCampuses: 1, freeCourses: 3 });
    expect(STORAGE).toEqual({ bytesPerGigabyte: GB, freeGigabytes: 1, centitokensPerGigabyte: 399, daysPerMonth: 30 });
  });
});

describe('a day of storage', () => {
  it.each([
    [0, 0n],
    [GB - 1, 0n],
    [GB, 0n],
    [GB + 1, 133n],
    [2 * GB, 133_000_000_000n],
    [120 * GB, 15_827_000_000_000n],
    [Number.MAX_SAFE_INTEGER, 133n * (2n ** 53n - 1n - 10n ** 9n)],
  ])('of %d bytes costs %d pico-tokens', (bytes, pico) => expect(storageOfDay(bytes)).toBe(pico));

  it('is a thirtieth of the published month, exactly', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        const billable = BigInt(Math.max(0, bytes - GB));
        // pico = billable / 10^9 x 3.99 / 30 x 10^12, with every division moved to the other side.
        expect(storageOfDay(bytes) * 3_000n * 10n ** 9n).toBe(billable * 399n * 10n ** 12n);
      }),
    );
  });
});

describe('an exact decimal of tokens', () => {
  it.each([
    [0n, '0'],
    [1n, '0.000000000001'],
    [133n, '0.000000000133'],
    [100_000_000_000n, '0.1'],
    [999_999_999_999n, '0.999999999999'],
    [1_000_000_000_000n, '1'],
    [10_000_000_000_000n, '10'],
    [15_827_000_000_000n, '15.827'],
    [1_000_000_000_001n, '1.000000000001'],
    [10n ** 30n, `1${'0'.repeat(18)}`],
  ])('of %d pico-tokens is %s, and back', (pico, text) => {
    expect(tokensText(pico)).toBe(text);
    expect(picoTokensOf(text)).toBe(pico);
  });

  it('is in its shortest form and comes back the same', () => {
    const pico = fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.bigInt({ min: 0n, max: 10n ** 13n }));
    const round = fc.tuple(pico, fc.nat({ max: 14 })).map(([number, zeros]) => number * 10n ** BigInt(zeros));
    fc.assert(
      fc.property(fc.oneof(pico, round), (number) => {
        const text = tokensText(number);
        expect(text).toMatch(/^(0|[1-9]\d*)(\.\d{0,11}[1-9])?$/);
        expect(picoTokensOf(text)).toBe(number);
      }),
    );
  });
});
