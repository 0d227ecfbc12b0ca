import fc from 'fast-check';
import type { PriceTable } from './pricing';
import * as pricing from './pricing';

const { PRICE_TABLE, priceOf, quote, tokensForCost, tokensForEuros, WALLET_TOKENS_MAX } = pricing;

const anyPackage = fc.oneof(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: WALLET_TOKENS_MAX }));

/** The oracle for rounding half up: an exact fraction of BigInts, compared and not divided into halves. */
function halfUp(numerator: bigint, denominator: bigint): bigint {
  const whole = numerator / denominator;
  return 2n * (numerator - whole * denominator) >= denominator ? whole + 1n : whole;
}

describe('the price table', () => {
  it('has the published bounds', () => {
    expect([pricing.PURCHASE_TOKENS_MIN, WALLET_TOKENS_MAX, pricing.FREE_TOKENS_MAX]).toEqual([200, 1_000_000_000_000, 1_000_000_000]);
    expect(PRICE_TABLE).toMatchObject({ version: '2026-01', currency: 'EUR', minimumTokens: 200, centsPerToken: 1 });
  });

  it('keeps every product exact', () => expect(Number.isSafeInteger(WALLET_TOKENS_MAX * 100 + 50)).toBe(true));

  it('has ascending tiers, of which each one lowers the price of a token', () => {
    PRICE_TABLE.tiers.reduce((previous, tier) => {
      expect(tier.fromCents).toBeGreaterThan(previous.fromCents);
      expect(tier.percent).toBeGreaterThan(previous.percent);
      return tier;
    });
  });
});

describe('priceOf', () => {
  // Each tier's boundary one below, at and above it. The prices are written out: the table must not prove itself.
  it.each([
    [200, 0, 200],
    [999, 0, 999],
    [1_000, 5, 950],
    [1_001, 5, 951],
    [4_999, 5, 4_749],
    [5_000, 10, 4_500],
    [5_001, 10, 4_501],
    [9_999, 10, 8_999],
    [10_000, 15, 8_500],
    [10_001, 15, 8_501],
    [49_999, 15, 42_499],
    [50_000, 20, 40_000],
    [50_001, 20, 40_001],
    [99_999, 20, 79_999],
    [100_000, 25, 75_000],
    [100_001, 25, 75_001],
    [499_999, 25, 374_999],
    [500_000, 30, 350_000],
    [500_001, 30, 350_001],
    [WALLET_TOKENS_MAX, 30, 700_000_000_000],
  ])('%i tokens have %i %% discount and cost %i cents', (tokens, discountPercent, priceCents) => {
    expect(priceOf(PRICE_TABLE, tokens)).toEqual({ tokens, listPriceCents: tokens, discountPercent, priceCents });
  });

  it.each([
    ['half a cent goes up', 1_010, 960],
    ['0.45 goes down', 1_011, 960],
    ['0.40 goes down', 1_012, 961],
    ['0.55 goes up', 1_009, 959],
    ['0.5 goes up at 10 %', 5_005, 4_505],
    ['0.4 goes down at 10 %', 5_006, 4_505],
    ['0.5 goes up at 15 %', 10_010, 8_509],
    ['0.5 goes up at 25 %', 100_002, 75_002],
    ['0.7 goes up at 30 %, where products are greatest', WALLET_TOKENS_MAX - 9, 699_999_999_994],
  ])('%s: %i tokens cost %i cents', (_what, tokens, priceCents) => expect(priceOf(PRICE_TABLE, tokens).priceCents).toBe(priceCents));

  it('agrees with exact fractions', () => {
    fc.assert(
      fc.property(anyPackage, (tokens) => {
        const { discountPercent, priceCents } = priceOf(PRICE_TABLE, tokens);
        expect(BigInt(priceCents)).toBe(halfUp(BigInt(tokens) * BigInt(100 - discountPercent), 100n));
      }),
    );
  });

  it('costs no less for more tokens, as long as the tier is the same', () => {
    fc.assert(
      fc.property(anyPackage, fc.integer({ min: 1, max: 10_000 }), (tokens, more) => {
        const small = priceOf(PRICE_TABLE, tokens);
        const large = priceOf(PRICE_TABLE, Math.min(tokens + more, WALLET_TOKENS_MAX));
        expect(large.discountPercent).toBeGreaterThanOrEqual(small.discountPercent);
        if (large.discountPercent === small.discountPercent) expect(large.priceCents).toBeGreaterThanOrEqual(small.priceCents);
      }),
    );
  });

  it('goes by the table it is given', () => {
    const table: PriceTable = { ...PRICE_TABLE, version: '2027-01', tiers: [{ fromCents: 300, percent: 50 }] };
    expect(priceOf(table, 299).priceCents).toBe(299);
    expect(priceOf(table, 301)).toEqual({ tokens: 301, listPriceCents: 301, discountPercent: 50, priceCents: 151 });
    expect(quote(table, 200).better).toEqual({ tokens: 300, priceCents: 150 });
    const onePercent: PriceTable = { ...table, tiers: [{ fromCents: 1, percent: 1 }] };
    expect([50, 51].map((tokens) => priceOf(onePercent, tokens).priceCents)).toEqual([50, 50]); // 49.50 and 50.49
    expect(priceOf({ ...table, tiers: [] }, 5_000_000).priceCents).toBe(5_000_000);
    expect(quote({ ...table, tiers: [] }, 5_000_000).better).toBeUndefined();
  });

  it('finds the cheapest larger package where the next tier alone would not do', () => {
    const tiers = [
      { fromCents: 1_000, percent: 1 },
      { fromCents: 1_010, percent: 50 },
      { fromCents: 2_000, percent: 50 },
    ];
    const close = { ...PRICE_TABLE, tiers };
    expect(quote(close, 900).better).toEqual({ tokens: 1_010, priceCents: 505 });
    expect(quote(close, 995).better).toEqual({ tokens: 1_010, priceCents: 505 });
    expect(quote(close, 504).better).toBeUndefined();
    expect(quote(close, 505).better).toEqual({ tokens: 1_010, priceCents: 505 });
  });

  it.each([0, -1, 0.5, 200.5, Number.NaN, Infinity, WALLET_TOKENS_MAX + 1])('has no price for %d tokens', (tokens) => {
    expect(() => priceOf(PRICE_TABLE, tokens)).toThrow(RangeError);
  });
});

describe('quote', () => {
  // The smallest package of each tier for which the next tier's first package costs no more, and the one below it.
  it.each([
    [949, 950, 1_000, 950],
    [4_736, 4_737, 5_000, 4_500],
    [9_443, 9_444, 10_000, 8_500],
    [47_058, 47_059, 50_000, 40_000],
    [93_749, 93_750, 100_000, 75_000],
    [466_665, 466_666, 500_000, 350_000],
  ])('of %i tokens has nothing better, of %i has %i tokens for %i cents', (below, from, tokens, priceCents) => {
    expect(quote(PRICE_TABLE, below)).toEqual(priceOf(PRICE_TABLE, below));
    expect(quote(PRICE_TABLE, from)).toEqual({ ...priceOf(PRICE_TABLE, from), better: { tokens, priceCents } });
    expect(quote(PRICE_TABLE, tokens - 1).better).toEqual({ tokens, priceCents });
  });

  it.each([1, 200, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, WALLET_TOKENS_MAX])('of %i tokens has nothing better', (tokens) => {
    expect(quote(PRICE_TABLE, tokens)).not.toHaveProperty('better');
  });

  it('says the example of the rules: 999 tokens cost 9.99 EUR, 1,000 cost 9.50', () => {
    expect(quote(PRICE_TABLE, 999)).toMatchObject({ tokens: 999, priceCents: 999, better: { tokens: 1_000, priceCents: 950 } });
  });

  it('is better only with more tokens for no more money', () => {
    fc.assert(
      fc.property(anyPackage, (tokens) => {
        const { better, ...price } = quote(PRICE_TABLE, tokens);
        expect(price).toEqual(priceOf(PRICE_TABLE, tokens));
        if (!better) return;
        expect(better.tokens).toBeGreaterThan(tokens);
        expect(better.priceCents).toBeLessThanOrEqual(price.priceCents);
        expect(better.priceCents).toBe(priceOf(PRICE_TABLE, better.tokens).priceCents);
      }),
    );
  });
});

describe('tokensForEuros', () => {
  it.each([
    ['50.00', 5_000],
    ['50', 5_000],
    ['50.5', 5_050],
    ['50.05', 5_005],
    ['0.01', 1],
    ['2', 200],
    ['9.99', 999],
    ['007.10', 710],
    ['10000000000', WALLET_TOKENS_MAX],
    ['10000000000.00', WALLET_TOKENS_MAX],
  ])('%s EUR are %i tokens', (euros, tokens) => expect(tokensForEuros(PRICE_TABLE, euros)).toBe(tokens));

  const others = '|0|0.00|-1|+1|.5|5.|1.001|1,00|1e3|0x10| 1|1\n|NaN|١|10000000000.01|000000000001';
  it.each(others.split('|'))('refuses %j', (euros) => expect(tokensForEuros(PRICE_TABLE, euros)).toBeUndefined());

  it('inverts the list price', () => {
    fc.assert(
      fc.property(anyPackage, (tokens) => {
        const euros = `${Math.floor(tokens / 100)}.${String(tokens % 100).padStart(2, '0')}`;
        expect(pricing.EUROS_PATTERN.test(euros)).toBe(true);
        expect(tokensForEuros(PRICE_TABLE, euros)).toBe(tokens);
      }),
    );
  });
});

describe('tokensForCost', () => {
  it.each([
    ['0.10', 19],
    ['0.1', 19],
    ['1', 190],
    ['1.00', 190],
    ['0.000000000001', 1],
    ['0.002631578947', 1], // 0.49999999993: at least one
    ['0.01', 2], // 1.9
    ['0.005', 1], // 0.95
    ['0.007894736842', 1], // 1.49999999998
    ['0.007894736843', 2], // 1.50000000017
    ['0.05', 10], // 9.5 exactly
    ['0.15', 29], // 28.5 exactly
    ['0.049999999999', 9], // 9.49999999981
    ['000000001.5', 285],
    ['5.00', 950],
    ['999999999', 189_999_999_810],
    ['999999999.999999999999', 190_000_000_000],
  ])('%s EUR are %i tokens', (cost, tokens) => expect(tokensForCost(cost, PRICE_TABLE)).toBe(tokens));

  const others = '|0|0.0|000000000.000000000000|-1|+1|.1|1.|1.0000000000001|1234567890|1,5|1e-2| 1|1 |1\n|0x1|١';
  it.each(others.split('|'))('refuses %j', (cost) => expect(tokensForCost(cost, PRICE_TABLE)).toBeUndefined());

  it('agrees with exact fractions for every cost that matches the pattern', () => {
    const digits = fc.oneof(fc.bigInt({ min: 1n, max: 10n ** 21n - 1n }), fc.bigInt({ min: 1n, max: 10n ** 12n }));
    fc.assert(
      fc.property(digits, (pico) => {
        const text = pico.toString().padStart(13, '0');
        const cost = `${text.slice(0, -12)}.${text.slice(-12)}`;
        const exact = halfUp(pico * 190n, 10n ** 12n);
        expect(pricing.COST_PATTERN.test(cost)).toBe(true);
        expect(tokensForCost(cost, PRICE_TABLE)).toBe(Number(exact > 1n ? exact : 1n));
      }),
    );
  });

  it('agrees with exact fractions for every number of digits', () => {
    const digits = fc.tuple(fc.nat(999_999_999), fc.stringMatching(/^[0-9]{0,12}$/), fc.integer({ min: 1, max: 1_000 }));
    fc.assert(
      fc.property(digits, ([whole, fraction, percentOfCost]) => {
        const pico = BigInt(whole) * 10n ** 12n + BigInt(fraction.padEnd(12, '0'));
        const exact = halfUp(pico * BigInt(percentOfCost), 10n ** 12n);
        const table = { ...PRICE_TABLE, usage: { percentOfCost } };
        const expected = pico === 0n ? undefined : Number(exact > 1n ? exact : 1n);
        expect(tokensForCost(`${whole}${fraction === '' ? '' : `.${fraction}`}`, table)).toBe(expected);
      }),
    );
  });

  it('rounds exact halves up, whatever the number of digits', () => {
    // 5, 15, 25 ... cents times 190 end in half a token: 0.05 EUR is 9.5 tokens.
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_999_999 }), (n) => {
        const cents = 5 + 10 * n;
        const cost = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
        expect(tokensForCost(cost, PRICE_TABLE)).toBe((19 * cents + 5) / 10);
      }),
    );
  });

  it('goes by the percentage of the table it is given', () => {
    expect(tokensForCost('0.10', { ...PRICE_TABLE, usage: { percentOfCost: 250 } })).toBe(25);
  });
});
