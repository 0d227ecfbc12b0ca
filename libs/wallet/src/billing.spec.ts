import { billEntry, foldBill, nothingBilled } from './billing';
import { accrueStorageForOrganisation, accrueStorageForUser, chargeBillForOrganisation, chargeBillForUser } from './bills';
import { type Given, judge, Missing } from './decision';
import { purchaseForOrganisation } from './organisation-wallet';
import { RECENT_MAX, type RememberedEntry } from './remembered';
import { hostingOfPlaces, storageOf } from './testing/bill-bodies';
import { bought, opened, purchased, walletOpened } from './testing/facts';
import { given, givenUser } from './testing/given';
import { SETTINGS } from './testing/log';
import { purchaseForUser } from './user-wallet';

const NOON = '2026-11-23T12:00:00.000Z';
const charged = { type: 'BillCharged' } as const;
const accrued = { type: 'StorageAccrued' } as const;
const declined = { type: 'BillDeclined' } as const;

/** The first of so many months long past. */
const monthLongAgo = (index: number) => `${String(1_800 + Math.floor(index / 12))}-${String(1 + (index % 12)).padStart(2, '0')}`;

/** Makes an organisation that holds 9 tokens forget its first bills: a hosting billed, one declined, and a storage day declined. */
const crowded = () => {
  const acme = given(opened(), purchased(9));
  acme.when(chargeBillForOrganisation, hostingOfPlaces('2026-08', 0), NOON, { key: 'billed' }).then([charged]);
  acme.when(chargeBillForOrganisation, hostingOfPlaces('2026-09', 1), NOON, { key: 'declined' }).then([declined]);
  acme.when(accrueStorageForOrganisation, storageOf('2026-11-22'), NOON, { key: 'stored' }).then([accrued, declined]);
  for (let index = 0; index < RECENT_MAX; index += 1)
    acme.when(chargeBillForOrganisation, hostingOfPlaces(monthLongAgo(index), 0), NOON).then([charged]);
  expect(acme.wallet.billing.bills).toMatchObject({ droppedRevision: 5 });
  return acme;
};

const crowdedUser = () => {
  const user = givenUser(walletOpened(), bought(9));
  user.when(chargeBillForUser, hostingOfPlaces('2026-08', 0), NOON).then([charged]);
  user.when(chargeBillForUser, hostingOfPlaces('2026-09', 1), NOON).then([declined]);
  user.when(accrueStorageForUser, storageOf('2026-11-22'), NOON).then([accrued, declined]);
  for (let index = 0; index < RECENT_MAX; index += 1)
    user.when(chargeBillForUser, hostingOfPlaces(monthLongAgo(index), 0), NOON).then([charged]);
  return user;
};

describe('bills beyond what the state remembers', () => {
  it('ask nobody as long as nothing was dropped', () => {
    const acme = given(opened(), purchased(100));
    for (let index = 0; index < RECENT_MAX; index += 1)
      acme.when(chargeBillForOrganisation, hostingOfPlaces(monthLongAgo(index), 0), NOON).then([charged]);
    acme.when(chargeBillForOrganisation, hostingOfPlaces(monthLongAgo(0), 0), NOON).thenRefused('BILL_EXISTS');
    acme.when(accrueStorageForOrganisation, storageOf('2026-11-22', 0), NOON).then([accrued]);
    expect(acme.log.asked).toEqual([]);
  });

  it('are honoured from the index: a month that was billed', () => {
    const acme = crowded();
    acme.when(chargeBillForOrganisation, hostingOfPlaces('2026-08', 5, 'owe'), NOON).thenRefused('BILL_EXISTS', { month: '2026-08' });
    expect(acme.log.asked[0]).toBe('bill:hosting:2026-08');
    acme.when(chargeBillForOrganisation, hostingOfPlaces('2026-10', 0), NOON).then([charged]);
    expect(acme.log.asked).toEqual(['bill:hosting:2026-10', 'bill:declined:hosting:2026-10']);
    const user = crowdedUser();
    user.when(chargeBillForUser, hostingOfPlaces('2026-08', 5, 'owe'), NOON).thenRefused('BILL_EXISTS', { month: '2026-08' });
    user.when(chargeBillForUser, hostingOfPlaces('2026-10', 0), NOON).then([charged]);
  });

  it('are honoured from the index: a month that was declined is not declined again, and may be billed', () => {
    const acme = crowded();
    acme
      .when(chargeBillForOrganisation, hostingOfPlaces('2026-09', 1), NOON)
      .thenRefused('INSUFFICIENT_TOKENS')
      .when(purchaseForOrganisation, { tokens: 200, paymentReference: 'p1' }, NOON)
      .then([{ type: 'TokensPurchased' }])
      .when(chargeBillForOrganisation, hostingOfPlaces('2026-09', 1), NOON)
      .then([charged])
      .when(chargeBillForOrganisation, hostingOfPlaces('2026-09', 1), NOON)
      .thenRefused('BILL_EXISTS');
    const user = crowdedUser();
    user
      .when(chargeBillForUser, hostingOfPlaces('2026-09', 1), NOON)
      .thenRefused('INSUFFICIENT_TOKENS')
      .when(purchaseForUser, { tokens: 200, paymentReference: 'p1' }, NOON)
      .then([{ type: 'TokensPurchased' }])
      .when(chargeBillForUser, hostingOfPlaces('2026-09', 1), NOON)
      .then([charged]);
  });

  it('are honoured from the index: a day that was accrued, a month whose storage was declined', () => {
    const acme = crowded();
    acme.when(accrueStorageForOrganisation, storageOf('2026-11-22'), NOON).thenRefused('BILL_EXISTS', { day: '2026-11-22' });
    expect(acme.log.asked[0]).toBe('bill:storage:2026-11-22');
    acme
      .when(accrueStorageForOrganisation, storageOf('2026-11-23'), NOON)
      .then([{ type: 'StorageAccrued', data: { declined: true, carriedTokens: '31.654' } }]);
    expect(acme.log.asked).toEqual(['bill:storage:2026-11-23', 'bill:declined:storage:2026-11']);
    acme.when(accrueStorageForOrganisation, storageOf('2026-12-01'), '2026-12-01T00:00:00.000Z').then([accrued, declined]);
    const user = crowdedUser();
    user.when(accrueStorageForUser, storageOf('2026-11-22'), NOON).thenRefused('BILL_EXISTS', { day: '2026-11-22' });
    user.when(accrueStorageForUser, storageOf('2026-11-23'), NOON).then([{ type: 'StorageAccrued', data: { declined: true } }]);
  });

  it('say how far the index must have read, and wait for each of its answers', () => {
    const { wallet, log } = crowded();
    const at = Date.parse(NOON);
    const envelope = { actor: 'a', role: 'r', requestId: 'q', correlationId: 'c' };
    const judged = (older: Record<string, RememberedEntry | null>) => {
      const around: Given = {
        at,
        newId: 'id',
        settings: SETTINGS,
        policies: new Map(),
        memberships: new Map(),
        older: new Map(Object.entries(older)),
        stored: new Map(),
      };
      return {
        hosting: judge(wallet, { ...hostingOfPlaces('2026-10', 1), wallet: log.ref, envelope }, around, chargeBillForOrganisation),
        storage: judge(wallet, { ...storageOf('2026-11-23'), wallet: log.ref, envelope }, around, accrueStorageForOrganisation),
      };
    };
    const missing = (entry: string) => new Missing({ entry: { kind: 'bill', entry, droppedRevision: 5 } });
    expect(judged({})).toEqual({ hosting: missing('hosting:2026-10'), storage: missing('storage:2026-11-23') });
    const none = { 'bill:hosting:2026-10': null, 'bill:storage:2026-11-23': null };
    expect(judged(none)).toEqual({ hosting: missing('declined:hosting:2026-10'), storage: missing('declined:storage:2026-11') });
    const neither = { ...none, 'bill:declined:hosting:2026-10': null, 'bill:declined:storage:2026-11': null };
    expect(judged(neither)).toMatchObject({ hosting: { events: [declined] }, storage: { events: [accrued, declined] } });
    const said = { ...none, 'bill:declined:hosting:2026-10': { revision: 1 }, 'bill:declined:storage:2026-11': { revision: 2 } };
    const { hosting, storage } = judged(said);
    expect(hosting).toMatchObject({ events: [], refusal: { code: 'INSUFFICIENT_TOKENS' } });
    expect(storage instanceof Missing ? [] : storage.events.map(({ type }) => type)).toEqual(['StorageAccrued']);
  });
});

describe('the fold of a bill', () => {
  const at = NOON;
  const bill = { at, billId: 'b', kind: 'hosting' as const, month: '2026-11', tokens: 5, balanceAfter: { available: 0, balance: 0 } };
  const breakdown = { billableCampuses: 0, billableCourses: 0, billablePlaces: 0 };

  it('knows each bill by what it is unique by', () => {
    const amounts = { chargedTokens: 0, owedTokens: 5, charged: [], owed: 5 };
    expect(billEntry({ type: 'BillCharged', data: { ...bill, ...amounts, breakdown } })).toBe('hosting:2026-11');
    expect(billEntry({ type: 'BillDeclined', data: { ...bill, missing: 5 } })).toBe('declined:hosting:2026-11');
    expect(billEntry({ type: 'BillDeclined', data: { ...bill, kind: 'storage', missing: 5 } })).toBe('declined:storage:2026-11');
    const day = {
      at,
      day: '2026-11-23',
      bytes: 0,
      accruedTokens: '0',
      carriedTokens: '0',
      declined: false,
      balanceAfter: bill.balanceAfter,
    };
    expect(billEntry({ type: 'StorageAccrued', data: { ...day, ...amounts } })).toBe('storage:2026-11-23');
  });

  it('leaves the carry and the storage to storage', () => {
    const billing = { ...nothingBilled(), carriedPico: 7n, storageDeclined: true, owed: 3 };
    foldBill(billing, { type: 'BillDeclined', data: { ...bill, missing: 5 } }, 4);
    expect(billing).toMatchObject({ carriedPico: 7n, storageDeclined: true, owed: 3 });
    const amounts = { chargedTokens: 0, owedTokens: 5, charged: [], owed: 8 };
    foldBill(billing, { type: 'BillCharged', data: { ...bill, ...amounts, breakdown } }, 5);
    expect(billing).toMatchObject({ carriedPico: 7n, storageDeclined: true, owed: 8 });
    expect([...billing.bills.recent]).toEqual([
      ['declined:hosting:2026-11', { revision: 4 }],
      ['hosting:2026-11', { revision: 5 }],
    ]);
  });
});
