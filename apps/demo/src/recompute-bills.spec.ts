import type { WalletEvent } from '@ledger/wallet';
import { recompute, type StoredFact } from './recompute';

const at = '2026-11-23T12:00:00.000Z';
const priced = { listPriceCents: 0, discountPercent: 0, priceCents: 0, priceTable: '1' };
const after = (available: number) => ({ balanceAfter: { available, balance: available } });
const breakdown = { billableCampuses: 0, billableCourses: 1, billablePlaces: 30 };

/** acme owes 300 for hosting, pays it with a package of 500, stores 120 GB twice, and declines another month. */
function day(): StoredFact[] {
  const paid = (tokens: number) => [{ source: 'purchased' as const, tokens }];
  const storage = { at, bytes: 120_000_000_000, accruedTokens: '15.827', owedTokens: 0, declined: false, owed: 0 };
  const bill = { at, kind: 'hosting' as const, tokens: 300 };
  const owing = { chargedTokens: 0, owedTokens: 300, charged: [], owed: 300, breakdown };
  const acme: WalletEvent[] = [
    { type: 'OrganisationWalletOpened', data: { at, organisationId: 'acme', timeZone: 'UTC', ...after(0) } },
    { type: 'BillCharged', data: { ...bill, billId: 'b1', month: '2026-11', ...owing, ...after(0) } },
    { type: 'TokensPurchased', data: { at, purchaseId: 'p1', tokens: 500, paymentReference: 'r1', ...priced, owedPaid: 300, ...after(200) } },
    { type: 'StorageAccrued', data: { ...storage, day: '2026-11-22', chargedTokens: 15, carriedTokens: '0.827', charged: paid(15), ...after(185) } },
    { type: 'StorageAccrued', data: { ...storage, day: '2026-11-21', chargedTokens: 16, carriedTokens: '0.654', charged: paid(16), ...after(169) } },
    { type: 'BillDeclined', data: { ...bill, billId: 'b2', month: '2026-10', missing: 131, breakdown, ...after(169) } },
  ]; // prettier-ignore
  return acme.map((event, revision) => ({ stream: 'organisationWallet-acme', revision, event }));
}

function spoiled(index: number, change: Record<string, unknown>): string {
  const facts = structuredClone(day());
  Object.assign(facts[index]!.event.data, change);
  return recompute(facts).faults.join('\n');
}

describe('the recomputation of bills', () => {
  it('finds what was billed and what is owed', () => {
    expect(recompute(day())).toMatchObject({ faults: [], purchased: 500, spent: 331, billed: 331, owed: new Map() });
    expect(recompute(day().slice(0, 2))).toMatchObject({ faults: [], spent: 0, owed: new Map([['organisation acme', 300]]) });
  });

  it.each<[string, number, Record<string, unknown>, string]>([
    ['hosting unlike its places', 1, { breakdown: { ...breakdown, billablePlaces: 31 } }, 'hosting 300'],
    ['a bill of which a part is lost', 1, { owedTokens: 299 }, 'charged and owed 299'],
    ['a debt that is off by one', 1, { owed: 301 }, 'owed 301'],
    ['a debt that a purchase leaves unpaid', 2, { owedPaid: 0 }, 'paid of the debt 0'],
    ['a charge unlike its parts', 3, { chargedTokens: 14, carriedTokens: '1.827' }, 'charged 14'],
    ['a day that costs something else', 3, { accruedTokens: '15.828' }, 'accrued 15828000000000'],
    ['a carry that is off by the smallest part', 4, { carriedTokens: '0.654000000001' }, 'carried 654000000001'],
    ['a day twice', 4, { day: '2026-11-22' }, 'is a second organisation acme storage of 2026-11-22'],
    ['tokens of members', 4, { charged: [{ source: 'allocated', organisationId: 'acme', tokens: 16 }] }, 'takes allocated tokens'],
  ])('sees %s', (_, index, change, sentence) => expect(spoiled(index, change)).toContain(sentence));

  it('sees whole tokens that are carried although nothing was declined, a month billed twice and one declined twice', () => {
    const facts = structuredClone(day());
    Object.assign(facts[3]!.event.data, { chargedTokens: 14, carriedTokens: '1.827', charged: [{ source: 'purchased', tokens: 14 }] });
    expect(recompute(facts).faults.join('\n')).toContain('which is no part of one');
    const again = (index: number) => recompute([...day(), { ...day()[index]!, revision: 6 }]).faults.join('\n');
    expect(again(1)).toContain('is a second organisation acme hosting of 2026-11');
    expect(again(5)).toContain('is a second organisation acme hosting of 2026-10 declined');
  });
});
