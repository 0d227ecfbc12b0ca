import fc from 'fast-check';
import { accrueStorageForOrganisation, chargeBillForOrganisation, chargeBillForUser } from './bills';
import type { ShortfallPolicy } from './events';
import { purchaseForOrganisation } from './organisation-wallet';
import { postings } from './postings';
import { booked, GIGABYTE, hostingOfPlaces, storageOf } from './testing/bill-bodies';
import { granted, opened, purchased, received, walletOpened } from './testing/facts';
import { given, givenUser } from './testing/given';
import { reverse, use } from './usage';
import { purchaseForUser, receiveAllocation, setFreeAllowance } from './user-wallet';

const NOON = '2026-11-23T12:00:00.000Z';
const owing = (month: string, places: number) => hostingOfPlaces(month, places, 'owe');
const pay = (tokens: number, paymentReference = 'p1') => ({ tokens, paymentReference });
const bought = (tokens: number, owedPaid: number, balance: number) =>
  ({ type: 'TokensPurchased', data: { tokens, owedPaid, balanceAfter: { balance } } }) as const;
const billed = (owed: number) => ({ type: 'BillCharged', data: { owed } }) as const;

/** Owes 500. */
const indebted = () => {
  const acme = given(opened(), purchased(100));
  acme.when(chargeBillForOrganisation, owing('2026-09', 60), NOON).then([billed(500)]);
  return acme;
};
const indebtedUser = () => {
  const user = givenUser(walletOpened(20), granted(20, '2026-11'));
  user.when(chargeBillForUser, owing('2026-09', 52), NOON).then([billed(500)]);
  return user;
};

describe('what is owed', () => {
  it.each([
    ['partly', 200, 200, 0],
    ['but for a token', 499, 499, 0],
    ['exactly', 500, 500, 0],
    ['and a token more', 501, 500, 1],
    ['and much more', 5_000, 500, 4_500],
  ])('is paid first by the next purchase: %s', (_, tokens, owedPaid, left) => {
    const acme = indebted();
    acme.when(purchaseForOrganisation, pay(tokens), NOON).then([bought(tokens, owedPaid, left)]);
    expect(acme.wallet).toMatchObject({ available: left, purchasedTotal: 100 + tokens, billing: { owed: 500 - owedPaid } });
    const lines = acme.stored.slice(-1).flatMap((event) => postings(acme.log.ref, event));
    expect(lines).toContainEqual({ account: 'platform:bills', tokens: owedPaid });
    expect(booked(acme.log).of('platform:bills')).toBe(100 + owedPaid);
    expect(acme.log.replayed()).toEqual(acme.wallet);

    const user = indebtedUser();
    user.when(purchaseForUser, pay(tokens), NOON).then([bought(tokens, owedPaid, left)]);
    expect(user.wallet).toMatchObject({ purchased: left, billing: { owed: 500 - owedPaid } });
    expect(booked(user.log).of('platform:bills')).toBe(20 + owedPaid);
    expect(user.log.replayed()).toEqual(user.wallet);
  });

  it('is paid over several purchases, each saying its part, and then never again', () => {
    const acme = indebted();
    acme
      .when(purchaseForOrganisation, pay(200, 'p1'), NOON, { key: 'k1' })
      .then([bought(200, 200, 0)])
      .when(purchaseForOrganisation, pay(200, 'p1'), NOON, { key: 'k1' })
      .thenReplayed(3)
      .when(purchaseForOrganisation, pay(200, 'p1'), NOON, { key: 'k2' })
      .thenRefused('PAYMENT_REFERENCE_USED')
      .when(chargeBillForOrganisation, owing('2026-10', 1), NOON)
      .then([billed(310)])
      .when(purchaseForOrganisation, pay(250, 'p2'), NOON)
      .then([bought(250, 250, 0)])
      .when(purchaseForOrganisation, pay(250, 'p3'), NOON)
      .then([bought(250, 60, 190)])
      .when(purchaseForOrganisation, pay(250, 'p4'), NOON)
      .then([bought(250, 0, 440)]);
    expect(booked(acme.log).of('platform:bills')).toBe(100 + 510);
  });

  it('stands in every bill after it, whatever that bill itself comes to', () => {
    indebted()
      .when(chargeBillForOrganisation, hostingOfPlaces('2026-10', 0), NOON)
      .then([billed(500)])
      .when(accrueStorageForOrganisation, storageOf('2026-11-21', 120 * GIGABYTE, 'owe'), NOON)
      .then([{ type: 'StorageAccrued', data: { owedTokens: 15, owed: 515 } }])
      .when(accrueStorageForOrganisation, storageOf('2026-11-22'), NOON)
      .then([{ type: 'StorageAccrued', data: { declined: true, owed: 515 } }, { type: 'BillDeclined' }])
      .when(purchaseForOrganisation, pay(600), NOON)
      .then([bought(600, 515, 85)])
      .when(accrueStorageForOrganisation, storageOf('2026-11-23'), NOON)
      .then([{ type: 'StorageAccrued', data: { chargedTokens: 32, owed: 0, carriedTokens: '0.481', balanceAfter: { available: 53 } } }]);
  });

  it('is paid by no free tokens: neither by a raised allowance nor by a new month', () => {
    const user = indebtedUser();
    user
      .when(setFreeAllowance, { tokensPerMonth: 120 }, NOON)
      .then([{ type: 'FreeAllowanceSet', data: { added: 100, balanceAfter: { free: { tokens: 100 } } } }]);
    expect(user.wallet.billing.owed).toBe(500);
    user
      .when(use, { tokens: 1 }, '2026-12-01T00:00:00.000Z')
      .then([{ type: 'FreeAllowanceGranted', data: { tokens: 120, balanceAfter: { balance: 120 } } }, { type: 'TokensUsed' }]);
    expect(user.wallet.billing.owed).toBe(500);
    // A new bill may draw on them; the old debt waits for a purchase.
    user
      .when(chargeBillForUser, owing('2026-10', 10), '2026-12-01T00:00:00.000Z')
      .then([{ type: 'BillCharged', data: { chargedTokens: 100, owedTokens: 0, owed: 500 } }]);
    expect(booked(user.log).owedBy(user.log.ref)).toBe(500);
  });

  it('is paid by no reversal: what was purchased comes back whole', () => {
    const user = givenUser(walletOpened());
    user.when(purchaseForUser, pay(200), NOON).then([bought(200, 0, 200)]);
    user.when(use, { tokens: 150 }, NOON).then([{ type: 'TokensUsed' }]);
    user.when(chargeBillForUser, owing('2026-10', 10), NOON).then([billed(50)]);
    user
      .when(reverse, { usageId: 'id-2' }, NOON)
      .then([{ type: 'UsageReversed', data: { balanceAfter: { purchased: 150, balance: 150 } } }]);
    expect(user.wallet.billing.owed).toBe(50);
    user.when(purchaseForUser, pay(200, 'p2'), NOON).then([bought(200, 50, 300)]);
    expect(booked(user.log).of('platform:bills')).toBe(100);
  });

  it('is paid by no allocation', () => {
    const user = indebtedUser();
    user
      .when(receiveAllocation, { organisationId: 'acme', allocationId: 'a1', number: 1, tokens: 900 }, NOON)
      .then([{ type: 'AllocationReceived', data: { balanceAfter: { balance: 900 } } }]);
    expect(user.wallet.billing.owed).toBe(500);
    givenUser(walletOpened(), received('acme', 900))
      .when(chargeBillForUser, owing('2026-10', 10), NOON)
      .then([{ type: 'BillCharged', data: { chargedTokens: 0, owedTokens: 100, owed: 100, balanceAfter: { balance: 900 } } }]);
  });

  it('is nobody’s but the wallet’s own, and counts towards what it buys in its life', () => {
    const acme = given(opened(), purchased(10 ** 12 - 300));
    acme.when(chargeBillForOrganisation, { ...owing('2026-10', 0), campuses: [0, 10_000_000] }, NOON).then([billed(0)]);
    const rest = { ...owing('2026-09', 0), campuses: [0, ...Array.from({ length: 9_999 }, () => 10_000_000)] };
    acme.when(chargeBillForOrganisation, rest, NOON).then([billed(999_900_000_000 - (10 ** 12 - 300 - 100_000_000))]);
    acme.when(purchaseForOrganisation, pay(301), NOON).thenRefused('BALANCE_TOO_LARGE');
    acme.when(purchaseForOrganisation, pay(300), NOON).then([bought(300, 300, 0)]);
  });

  it('adds up over any sequence of bills and purchases', () => {
    const step = fc.record({
      what: fc.constantFrom('hosting' as const, 'hosting' as const, 'storage' as const, 'purchase' as const),
      amount: fc.nat({ max: 60 }),
      onShortfall: fc.constantFrom<ShortfallPolicy>('decline', 'owe', 'owe'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const acme = given(opened());
        steps.forEach(({ what, amount, onShortfall }, index) => {
          const month = `20${10 + Math.floor(index / 12)}-${String(1 + (index % 12)).padStart(2, '0')}`;
          const at = new Date(Date.parse(NOON) + index * 86_400_000).toISOString();
          if (what === 'hosting') acme.when(chargeBillForOrganisation, hostingOfPlaces(month, amount, onShortfall), at);
          if (what === 'storage')
            acme.when(accrueStorageForOrganisation, storageOf(at.slice(0, 10), amount * 10 * GIGABYTE, onShortfall), at);
          if (what === 'purchase') acme.when(purchaseForOrganisation, pay(200 + amount, `p${index}`), at);
          // Whoever owes has nothing left: debts are paid before anything becomes available.
          expect(acme.wallet.billing.owed === 0 || acme.wallet.available === 0).toBe(true);
        });
        const books = booked(acme.log);
        expect(books.owedBy(acme.log.ref)).toBe(acme.wallet.billing.owed);
        expect(books.of('organisation:acme:available')).toBe(acme.wallet.available);
        expect(acme.log.replayed()).toEqual(acme.wallet);
      }),
      { numRuns: 60 },
    );
  });
});
