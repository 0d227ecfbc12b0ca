import type { StoredEvent } from '@ledger/event-store';
import type { OrganisationEvent, UserEvent } from '@ledger/wallet';
import { type Database, Sqlite } from '@ledger/sqlite';
import { at, bought, opened, purchased, walletOpened } from './testing/facts';
import { organisation, TestLedger, user } from './testing/ledger';
import { Views } from './views';

const breakdown = { billableCampuses: 1, billableCourses: 0, billablePlaces: 30 };
const held = (available: number) => ({ balanceAfter: { available, balance: available } });
const declined: OrganisationEvent = {
  type: 'BillDeclined',
  data: { at, billId: 'b1', kind: 'hosting', month: '2026-11', tokens: 300, missing: 300, breakdown, ...held(0) },
};
const owing: OrganisationEvent = {
  type: 'BillCharged',
  data: { at, billId: 'b2', kind: 'hosting', month: '2026-11', tokens: 300, chargedTokens: 0, owedTokens: 300, breakdown, charged: [], owed: 300, ...held(0) },
}; // prettier-ignore
const stored = (day: string, carriedTokens: string): OrganisationEvent => ({
  type: 'StorageAccrued',
  data: { at, day, bytes: 120_000_000_000, accruedTokens: '15.827', chargedTokens: 0, carriedTokens, owedTokens: 0, declined: true, charged: [], owed: 300, ...held(0) },
}); // prettier-ignore
const storageDeclined: OrganisationEvent = {
  type: 'BillDeclined',
  data: { at, billId: 'b3', kind: 'storage', month: '2026-11', tokens: 15, missing: 15, ...held(0) },
};
const hosted: UserEvent = {
  type: 'BillCharged',
  data: {
    at,
    billId: 'b4',
    kind: 'hosting',
    month: '2026-11',
    tokens: 300,
    chargedTokens: 200,
    owedTokens: 100,
    breakdown,
    charged: [{ source: 'purchased', tokens: 200 }],
    owed: 100,
    balanceAfter: { purchased: 0, balance: 0 },
  },
};

let ledger: TestLedger;
let events: StoredEvent[];
beforeAll(async () => {
  ledger = await TestLedger.open();
  const acme = organisation('acme');
  await ledger.write(acme, [opened('acme'), declined, owing]);
  await ledger.write(acme, [stored('2026-11-20', '15.827'), storageDeclined, stored('2026-11-23', '31.654')]);
  const payment = purchased(500, 300, 'r1') as Extract<OrganisationEvent, { type: 'TokensPurchased' }>;
  await ledger.write(acme, [{ ...payment, data: { ...payment.data, owedPaid: 200 } }]);
  await ledger.write(user('ann'), [walletOpened('ann', 0), bought(200, 200, 'r2'), hosted]);
  events = await ledger.all();
});
afterAll(() => ledger.close());

function folded(batches: StoredEvent[]): { db: Database; views: Views } {
  const db: Database = new Sqlite(':memory:').exec(Views.tables);
  const views = new Views(db);
  for (const event of batches) views.apply(event);
  views.flush();
  return { db, views };
}
const [acmeStream, annStream] = ['organisationWallet-acme', 'userWallet-ann'];

describe('the view of bills', () => {
  it('holds what is owed, what storage carries and whether it was declined', () => {
    const { views } = folded(events);
    expect(views.bills.of(acmeStream)).toEqual({ owed: 100, storage_declined: 1, carried: '31.654' });
    expect(views.bills.of(annStream)).toEqual({ owed: 100, storage_declined: 0, carried: '0' });
    expect(views.bills.of('userWallet-nobody')).toEqual({ owed: 0, storage_declined: 0, carried: '0' });
    expect(views.balances.find('acme')).toMatchObject({ available: 300 });
    expect(views.users.find('ann')).toMatchObject({ purchased: 0 });
    expect(views.bills.storage(acmeStream)).toMatchObject({ accruedDays: 2, missed: 2, missedDays: ['2026-11-22', '2026-11-21'] });
  });

  it('lists what was billed and declined, a declined day once', () => {
    const rows = folded(events).views.bills.page(acmeStream, undefined, 1_000, 10);
    expect(rows.map(({ revision }) => revision)).toEqual([5, 3, 2, 1]);
  });

  it('is the same when every event comes twice', () => {
    const rows = (all: StoredEvent[]) => {
      const { db } = folded(all);
      return ['billing', 'bills', 'unique_entries'].map((table) => db.prepare(`select * from ${table}`).all());
    };
    expect(rows(events.flatMap((event) => [event, event]))).toEqual(rows(events));
    expect(rows([...events, ...events])).toEqual(rows(events));
  });

  it.each([
    [acmeStream, 'declined:hosting:2026-11', 1],
    [acmeStream, 'hosting:2026-11', 2],
    [acmeStream, 'storage:2026-11-20', 3],
    [acmeStream, 'declined:storage:2026-11', 4],
    [annStream, 'hosting:2026-11', 2],
  ])('knows for ever that %s has %s', (stream, entry, revision) => {
    expect(folded(events).views.lookUp(stream, 'bill', entry).found).toEqual({ revision });
    expect(folded(events).views.lookUp(stream, 'bill', `${entry}x`).found).toBeUndefined();
  });

  it('answers the organisation and the user', async () => {
    const queries = await ledger.queries({ freeTokensPerMonth: 0, platformTimeZone: 'UTC' });
    expect(queries.organisation('acme')).toMatchObject({ owed: 100, storageDeclined: true });
    expect(queries.user('ann', Date.parse(at))).toMatchObject({ owed: 100, storageDeclined: false, balance: 0 });
  });
});
