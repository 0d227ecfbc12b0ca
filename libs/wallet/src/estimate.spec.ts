import fc from 'fast-check';
import { estimate, type EstimateInput, EUROS_PER_MEMBER_PATTERN, GIGABYTES_PATTERN } from './estimate';
import { hostingOf } from './hosting-and-storage';
import { PRICE_TABLE } from './pricing';

const nothing: EstimateInput = { campuses: [], courses: [], storageGigabytes: '0', members: 0, eurosPerMember: '0' };
const of = (input: Partial<EstimateInput>) => estimate({ ...nothing, ...input }, PRICE_TABLE);
const storageTokens = (storageGigabytes: string) => of({ storageGigabytes }).storage;

describe('the calculator', () => {
  it('reproduces the published example to the token and the cent', () => {
    const input = {
      campuses: [75, 75],
      courses: [30, 30, 30, 30, 30, 30],
      storageGigabytes: '120',
      members: 150,
      eurosPerMember: '5.00',
    };
    expect(estimate(input, PRICE_TABLE)).toEqual({
      tokensPerMonth: 77_125,
      listPriceCentsPerMonth: 77_125,
      listPriceCentsPerYear: 925_500,
      hosting: { tokens: 1_650, billableCampuses: 1, billableCourses: 3, billablePlaces: 165 },
      storage: { tokens: 475, billableGigabytes: '119' },
      memberAi: { tokens: 75_000, members: 150, tokensPerMember: 500, conversationsPerMember: 26 },
      free: [
        { what: 'campuses', amount: '1', why: 'The first (oldest) campus is free.' },
        { what: 'courses', amount: '3', why: 'The first three (oldest) courses are free.' },
        { what: 'gigabytes', amount: '1', why: 'The first gigabyte (10^9 bytes) is free.' },
      ],
    });
  });

  it('costs nothing where nothing is billable', () => {
    const free = { tokens: 0, billableCampuses: 0, billableCourses: 0, billablePlaces: 0 };
    const zero = { tokensPerMonth: 0, listPriceCentsPerMonth: 0, listPriceCentsPerYear: 0 };
    const memberAi = { tokens: 0, members: 0, tokensPerMember: 0, conversationsPerMember: 0 };
    expect(of({})).toEqual({ ...zero, hosting: free, storage: { tokens: 0, billableGigabytes: '0' }, memberAi, free: [] });
    expect(of({ courses: [10, 20], storageGigabytes: '0.25' }).free).toEqual([
      { what: 'courses', amount: '2', why: 'The first three (oldest) courses are free.' },
      { what: 'gigabytes', amount: '0.25', why: 'The first gigabyte (10^9 bytes) is free.' },
    ]);
    const all = of({ campuses: [9_000], courses: [500, 500, 500], storageGigabytes: '1', members: 700 });
    expect(all).toMatchObject({ ...zero, hosting: free, memberAi: { ...memberAi, members: 700 } });
    expect(of({ eurosPerMember: '5' })).toMatchObject({
      ...zero,
      memberAi: { tokens: 0, tokensPerMember: 500, conversationsPerMember: 26 },
    });
  });

  it.each([
    ['0', 0, '0'],
    ['0.999999999', 0, '0'],
    ['1', 0, '0'],
    ['1.000000001', 0, '0.000000001'],
    // 0.125313283 GB cost 0.49999999917 tokens, a byte more 0.50000000316: a half goes up.
    ['1.125313283', 0, '0.125313283'],
    ['1.125313284', 1, '0.125313284'],
    ['2', 4, '1'],
    ['1.5', 2, '0.5'],
    ['01.50', 2, '0.5'],
    ['120.0', 475, '119'],
    ['101', 399, '100'],
    ['51', 200, '50'],
    ['999999999.999999999', 3_989_999_996, '999999998.999999999'],
  ])('of %s GB bills the storage with %i tokens', (gigabytes, tokens, billableGigabytes) => {
    expect(storageTokens(gigabytes)).toEqual({ tokens, billableGigabytes });
  });

  it('rounds an exact half up: 50 GB beyond the free one cost 199.5', () => {
    expect(storageTokens('51').tokens).toBe(200);
    expect(storageTokens('50.999999999').tokens).toBe(199);
  });

  it('agrees with exact fractions for every size', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }), (bytes) => {
        const text = String(bytes).padStart(10, '0');
        const { tokens, billableGigabytes } = storageTokens(`${text.slice(0, -9)}.${text.slice(-9)}`);
        const billable = bytes > 10n ** 9n ? bytes - 10n ** 9n : 0n;
        // tokens - 1/2 <= exact < tokens + 1/2, exact = billable x 3.99 / 10^9.
        const twice = 2n * billable * 399n;
        const unit = 10n ** 11n;
        expect((2n * BigInt(tokens) - 1n) * unit <= twice && twice < (2n * BigInt(tokens) + 1n) * unit).toBe(true);
        expect(billableGigabytes).toMatch(/^(0|[1-9]\d*)(\.\d{0,8}[1-9])?$/);
        const [whole = '', fraction = ''] = billableGigabytes.split('.');
        expect(BigInt(whole + fraction.padEnd(9, '0'))).toBe(billable);
      }),
    );
  });

  it.each([
    ['0.01', 1, 0],
    ['0.18', 18, 0],
    ['0.19', 19, 1],
    ['0.37', 37, 1],
    ['0.38', 38, 2],
    ['5', 500, 26],
    ['5.0', 500, 26],
    ['5.13', 513, 27],
    ['99999.99', 9_999_999, 526_315],
  ])('gives a member with %s EUR %i tokens and %i conversations', (eurosPerMember, tokensPerMember, conversationsPerMember) => {
    const memberAi = { tokens: 3 * tokensPerMember, members: 3, tokensPerMember, conversationsPerMember };
    expect(of({ members: 3, eurosPerMember }).memberAi).toEqual(memberAi);
  });

  it('prices a conversation by the table: 0.10 EUR and its percentage', () => {
    const table = { ...PRICE_TABLE, usage: { percentOfCost: 250 } };
    expect(estimate({ ...nothing, eurosPerMember: '5' }, table).memberAi.conversationsPerMember).toBe(20);
  });

  it('stays an exact integer at the limits of its input', () => {
    const places = Array.from({ length: 10_000 }, () => 10_000_000);
    const most = {
      campuses: places,
      courses: places,
      storageGigabytes: '999999999.999999999',
      members: 10_000_000,
      eurosPerMember: '99999.99',
    };
    const { tokensPerMonth, listPriceCentsPerYear } = estimate(most, PRICE_TABLE);
    const exact = BigInt(hostingOf(places, places).tokens) + 3_989_999_996n + 10_000_000n * 9_999_999n;
    expect(BigInt(tokensPerMonth)).toBe(exact);
    expect(BigInt(listPriceCentsPerYear)).toBe(12n * exact);
    expect(Number.isSafeInteger(listPriceCentsPerYear)).toBe(true);
  });

  it('takes decimals in texts, with bounds', () => {
    for (const text of ['0', '1', '120.5', '999999999.999999999', '007']) expect(GIGABYTES_PATTERN.test(text)).toBe(true);
    for (const text of ['', '-1', '+1', '1.', '.5', '1e3', '1,5', ' 1', '1\n', '1234567890', '1.0000000000'])
      expect(GIGABYTES_PATTERN.test(text)).toBe(false);
    for (const text of ['0', '5', '5.0', '5.00', '99999.99']) expect(EUROS_PER_MEMBER_PATTERN.test(text)).toBe(true);
    for (const text of ['', '-5', '5.', '.5', '5.001', '100000', '1e2', '5,00', '5.00\n'])
      expect(EUROS_PER_MEMBER_PATTERN.test(text)).toBe(false);
  });
});
