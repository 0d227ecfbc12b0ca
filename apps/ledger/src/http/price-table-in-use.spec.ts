import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRICE_TABLE } from '@ledger/wallet';
import { LedgerForSpec } from './ledger-for-spec';

/** Half price from 300 tokens on, and AI at cost. */
const OTHER = {
  ...PRICE_TABLE,
  version: '2027-01',
  minimumTokens: 100,
  tiers: [{ fromCents: 300, percent: 50 }],
  usage: { percentOfCost: 100 },
};

describe('a price table of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-prices-'));
  let ledger: LedgerForSpec;
  beforeAll(async () => {
    writeFileSync(join(folder, 'prices.json'), JSON.stringify(OTHER));
    ledger = await LedgerForSpec.start();
  });
  afterAll(async () => {
    await ledger.stop();
    rmSync(folder, { recursive: true });
  });
  const send = async (path: string, body: object, key?: string) =>
    (await ledger.send('POST', `/v1${path}`, { body, ...(key !== undefined && { headers: { 'idempotency-key': key } }) })).body;

  it('prices everything from the next start on, and nothing that was sold before', async () => {
    const old = { tokens: 300, paymentReference: 'old' };
    const sold = await send('/users/u1/purchases', old, 'old');
    expect(sold).toMatchObject({ priceCents: 300, priceTable: '2026-01' });

    await ledger.restart({ PRICE_TABLE_PATH: join(folder, 'prices.json') });
    expect(await send('/users/u1/purchases', old, 'old')).toEqual(sold);
    expect(await send('/users/u1/purchases', { tokens: 300, paymentReference: 'new' })).toMatchObject({
      discountPercent: 50,
      priceCents: 150,
      priceTable: '2027-01',
    });
    expect(await send('/pricing/quote', { tokens: 150 })).toEqual({
      tokens: 150,
      listPriceCents: 150,
      discountPercent: 0,
      priceCents: 150,
      better: { tokens: 300, priceCents: 150 },
    });
    expect(await send('/pricing/quote', { tokens: 149 })).not.toHaveProperty('better');
    expect(await send('/pricing/quote', { euros: '0.99' })).toMatchObject({ code: 'PURCHASE_TOO_SMALL', minimum: 100 });
    expect((await ledger.send('GET', '/v1/pricing')).body).toMatchObject({ ...OTHER, ai: { percentOfCost: 100 } });

    const conversation = { variableCostEuros: '0.10' };
    expect(await send('/users/u1/usages', conversation)).toMatchObject({ tokens: 10 });
    const affordable = async (cost: string) =>
      (await ledger.send('GET', `/v1/users/u1/affordability?variableCostEuros=${cost}`)).body as object;
    expect(await affordable('0.10')).toMatchObject({ affordable: true, tokens: 10 });
    expect(await affordable('900')).toMatchObject({ affordable: false, tokens: 90_000 });
    const plan = { campuses: [], courses: [], storageGigabytes: '0', members: 1, eurosPerMember: '5.00' };
    expect(await send('/estimates', plan)).toMatchObject({ memberAi: { tokensPerMember: 500, conversationsPerMember: 50 } });
  });
});
