import { generateConversations } from './conversations';
import { costEuros, euros, tokensFor } from './price';
import { choose, shuffled, zipf } from './random';
import { castSchool, MEMBERS } from './school';

describe('seeded choices', () => {
  it('picks the same ranks for the same seed, in whatever order they are asked for', () => {
    const pick = zipf(500);
    const rows = Array.from({ length: 2_000 }, (_, row) => row + 1);
    const forwards = rows.map((row) => pick(7, row));
    const backwards = [...rows].reverse().map((row) => zipf(500)(7, row));
    expect(backwards.reverse()).toEqual(forwards);
    expect(rows.map((row) => pick(8, row))).not.toEqual(forwards);
  });

  it('picks by weight: rank k one k-th as often as the first, and never outside', () => {
    const counts = new Array<number>(500).fill(0);
    const pick = zipf(500);
    for (let row = 1; row <= 100_000; row++) counts[pick(1, row)]!++;
    // The first weighs 1 / H(500) = 14.7 % of all.
    expect(counts[0]).toBeGreaterThan(14_000);
    expect(counts[0]).toBeLessThan(15_400);
    expect(counts[0]! / counts[9]!).toBeGreaterThan(9);
    expect(counts[0]! / counts[9]!).toBeLessThan(11);
    expect(counts.reduce((sum, count) => sum + count)).toBe(100_000);
  });

  it('never weighs a rank with nothing', () => {
    expect(zipf(1)(1, 1)).toBe(0);
    for (let n = 0; n < 1_000; n++) expect(choose(3, n, 10)).toBeLessThan(10);
  });

  it('shuffles without loss and leaves the list alone', () => {
    const list = Array.from({ length: 100 }, (_, index) => index);
    const mixed = shuffled(5, list);
    expect(mixed).not.toEqual(list);
    expect([...mixed].sort((a, b) => a - b)).toEqual(list);
    expect(shuffled(5, list)).toEqual(mixed);
  });
});

describe('prices', () => {
  const of = (contextTokens: number, generatedTokens: number) => ({ row: 1, contextTokens, generatedTokens });

  it.each([
    // cost = (context x 2.5 + generated x 10) / 1,000,000 EUR; tokens = cost x 190, rounded half up, at least 1.
    [1, 0, '0.0000025', 1],
    [374, 44, '0.001375', 1],
    [0, 100_000, '1', 190],
    [4_000_000, 0, '10', 1_900],
    [0, 10_000, '0.1', 19],
    [999_999_999, 999_999_999, '12499.9999875', 2_375_000],
  ])('%i context and %i generated tokens cost %s EUR, so %i tokens', (context, generated, cost, tokens) => {
    expect(costEuros(of(context, generated))).toBe(cost);
    expect(tokensFor(of(context, generated))).toBe(tokens);
  });

  it('rounds half up, exactly at the half', () => {
    // 3,000 x 2.5 + 0 x 10 = 7,500 millionths: 1.425 tokens. 1.5 tokens are 7,894.73... millionths, reached between these two.
    expect(tokensFor(of(3_157, 0))).toBe(1);
    expect(tokensFor(of(3_158, 0))).toBe(2);
    // 190 x 0.05 EUR = 9.5 tokens to the letter.
    expect(costEuros(of(20_000, 0))).toBe('0.05');
    expect(tokensFor(of(20_000, 0))).toBe(10);
  });

  it('prints cents as euros', () => {
    expect(euros(7_500_005)).toBe('75,000.05 EUR');
    expect(euros(200)).toBe('2.00 EUR');
  });
});

describe('the cast of a day', () => {
  const school = castSchool(1, generateConversations(1));

  it('has 500 members in two organisations, some in both, and prices that the contract takes', () => {
    expect(new Set(school.byRank).size).toBe(MEMBERS);
    expect(school.organisations.map(({ members }) => members.length)).toEqual([300, 220]);
    for (const usage of school.usages) expect(usage.variableCostEuros).toMatch(/^(?=.*[1-9])\d{1,9}(\.\d{1,12})?$/);
  });

  it.each([1, 2, 3])('with seed %i sets a daily limit that a few members would pass and most would not', (seed) => {
    const { demand, dailyLimit } = castSchool(seed, generateConversations(seed));
    const heavy = [...demand.values()].filter((tokens) => tokens > dailyLimit).length;
    expect(heavy).toBeGreaterThanOrEqual(10);
    expect(heavy).toBeLessThanOrEqual(50);
  });

  it('gives nobody two parts', () => {
    const { unlimited, buyers, tightMonth, tightDay, suspended, newcomers, leaver, allowed } = school.cast;
    const parts = [unlimited, ...buyers, ...tightMonth, ...tightDay, ...suspended, ...newcomers, leaver, ...allowed];
    expect(new Set(parts).size).toBe(parts.length);
  });

  it('is the same for the same seed and another for another', () => {
    expect(castSchool(1, generateConversations(1))).toEqual(school);
    expect(castSchool(2, generateConversations(2)).usages).not.toEqual(school.usages);
  });
});
