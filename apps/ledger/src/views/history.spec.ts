import { Sqlite } from '@ledger/sqlite';
import type { OrganisationEvent, UserEvent } from '@ledger/wallet';
import { BalancesAt, NotReadThatFar } from './balances-at';
import { Entries, SCANNED_MAX } from './entries';
import { lastRevisionAt } from './instants';
import { PastWallets } from './past-wallets';
import { allocated, bought, granted, opened, purchased, received, walletOpened } from './testing/facts';
import { organisation, TestLedger, user } from './testing/ledger';
import { Views } from './views';

const acme = organisation('acme');
const ann = user('ann');

const instantOf = (ms: number) => new Date(Date.parse('2026-11-23T12:00:00.000Z') + ms).toISOString();
const at = <Event extends OrganisationEvent | UserEvent>(ms: number, event: Event): Event => ({
  ...event,
  data: { ...event.data, at: instantOf(ms) },
});

let ledger: TestLedger;
beforeEach(async () => {
  ledger = await TestLedger.open();
});
afterEach(() => ledger.close());

describe('what was in transit', () => {
  const rowsAfter = async (batch: number) => {
    const db = new Sqlite(':memory:');
    db.exec(Views.tables);
    const views = new Views(db);
    const events = await ledger.all();
    for (let from = 0; from < events.length; from += batch) {
      for (const event of events.slice(from, from + batch)) views.apply(event);
      for (const event of events.slice(from, from + batch)) views.apply(event);
      views.flush();
    }
    return db.prepare('select * from transit').all();
  };

  it('is from an allocation to each receipt, whatever order the receipts are read in, and never negative', async () => {
    await ledger.write(acme, [opened('acme'), purchased(1_000, 1_000, 'p1')]);
    await ledger.write(acme, [at(10, allocated('a1', [['ann', 100, 1], ['ben', 50, 1], ['cem', 7, 1]], 843))]); // prettier-ignore
    await ledger.write(user('ben'), [walletOpened('ben', 0), at(30, received('acme', 'a1', 1, 50))]);
    await ledger.write(user('ann'), [walletOpened('ann', 0), at(20, received('acme', 'a1', 1, 100))]);
    // An instance whose clock is behind: nothing arrives before it left.
    await ledger.write(user('cem'), [walletOpened('cem', 0), at(3, received('acme', 'a1', 1, 7))]);
    await ledger.write(acme, [at(40, allocated('a2', [['ann', 1, 2]], 842))]);
    const { transit } = (await ledger.read()).views.history;
    const asked = [0, 3, 9, 10, 19, 20, 29, 30, 39, 40, 10_000];
    expect(asked.map((ms) => transit.at('acme', instantOf(ms)))).toEqual([0, 0, 0, 150, 150, 50, 50, 0, 0, 1, 1]);
    expect(transit.at('globex', instantOf(40))).toBe(0);
    const rows = await rowsAfter(1);
    expect(rows).toHaveLength(4);
    for (const batch of [2, 3, 100]) expect(await rowsAfter(batch)).toEqual(rows);
  });
});

describe('a long statement', () => {
  it('is found at any instant, and what it held is folded from the mark before it: the same as from the first event', async () => {
    const events: UserEvent[] = [walletOpened('ann', 5), granted('2026-11', 5)];
    const held = { acme: 0, beta: 0 };
    let own = 0;
    for (let nth = 2; nth < 2_600; nth += 1) {
      if (nth % 7 === 0) events.push(at(nth, bought(200, (own += 200), `p${nth}`)));
      else if (nth % 7 === 3) {
        const bill = { billId: `b${nth}`, kind: 'hosting' as const, month: '2026-11', tokens: 3, chargedTokens: 1, owedTokens: 2 };
        const breakdown = { billableCampuses: 0, billableCourses: 1, billablePlaces: 1 };
        const balanceAfter = { purchased: (own = Math.max(0, own - 1)), balance: own };
        const charged = [{ source: 'purchased' as const, tokens: 1 }];
        events.push({ type: 'BillCharged', data: { at: instantOf(nth), ...bill, breakdown, charged, owed: nth, balanceAfter } });
      } else {
        const id = nth % 2 ? 'acme' : 'beta';
        events.push(at(nth, received(id, 'a1', nth, nth, (held[id] += nth))));
      }
    }
    await ledger.write(ann, events);
    const readModel = await ledger.read();
    const nearest = readModel.views.history.marks;
    expect([1_022, 1_023, 2_046, 2_599].map((revision) => nearest.nearest(ann, revision)?.revision)).toEqual([
      undefined,
      1_023,
      1_023,
      2_047,
    ]);
    const near = new PastWallets(ledger.store, (wallet, revision) => nearest.nearest(wallet, revision));
    const far = new PastWallets(ledger.store);
    for (const revision of [-1, 0, 1, 2, 500, 1_022, 1_023, 1_024, 1_500, 2_046, 2_047, 2_048, 2_599]) {
      const [quick, whole] = [await near.user('ann', revision), await far.user('ann', revision)];
      const seen = ({ free, purchased: tokens, billing, relationships }: typeof quick) => ({
        free: free && [free.tokens, free.month, free.tokensPerMonth],
        tokens,
        owed: billing.owed,
        allocated: [...relationships.values()].map((one) => [one.organisationId, one.tokens]),
      });
      expect([revision, seen(quick)]).toEqual([revision, seen(whole)]);
    }
    for (const ms of [0, 1, 2, 1_023, 1_024, 2_598, 2_599, 5_000]) {
      expect(await lastRevisionAt(ledger.store, 'userWallet-ann', 2_599, Date.parse(instantOf(ms)))).toBe(Math.min(2_599, Math.max(1, ms)));
    }
    expect(await lastRevisionAt(ledger.store, 'userWallet-ann', 2_599, Date.parse(instantOf(-1)))).toBe(-1);
    expect(await lastRevisionAt(ledger.store, 'userWallet-none', -1, Date.parse(instantOf(0)))).toBe(-1);
  });

  it('of an organisation too', async () => {
    const events: OrganisationEvent[] = [opened('acme')];
    for (let nth = 1; nth < 1_100; nth += 1) events.push(at(nth, purchased(200, nth * 200, `p${nth}`)));
    await ledger.write(acme, events);
    const { marks } = (await ledger.read()).views.history;
    const near = new PastWallets(ledger.store, (wallet, revision) => marks.nearest(wallet, revision));
    for (const revision of [-1, 0, 1_022, 1_023, 1_024, 1_099]) {
      expect((await near.organisation('acme', revision)).available).toBe(Math.max(0, revision * 200));
    }
  });

  it('is looked through for what is rare by pages that are short and lead on', async () => {
    const events: OrganisationEvent[] = [opened('acme'), purchased(200, 200, 'first')];
    const zone: OrganisationEvent = { type: 'TimeZoneSet', data: { at: instantOf(1), timeZone: 'UTC' } };
    for (let nth = 0; nth < SCANNED_MAX; nth += 1) events.push(zone);
    events.push(at(2, purchased(200, 400, 'last')));
    await ledger.write(acme, events);
    const entries = new Entries(ledger.store, new PastWallets(ledger.store));
    const asked = { limit: 5, types: ['TokensPurchased' as const] };
    const first = await entries.page(acme, asked);
    expect(first.data.map(({ reference }) => reference)).toEqual(['first']);
    expect(first.nextCursor).toEqual(expect.any(String));
    const second = await entries.page(acme, { ...asked, cursor: first.nextCursor! });
    expect([second.data.map(({ reference }) => reference), second.nextCursor]).toEqual([['last'], null]);
    // What is behind moves the balance only once it is there.
    const far = await entries.page(acme, { limit: 1, cursor: undefined, from: Date.parse(instantOf(1)) });
    expect(far.data).toMatchObject([{ type: 'TimeZoneSet', balanceAfter: { available: 200 } }]);
  });
});

describe('an organisation that allocates while its balance is read', () => {
  it('is read again, so that nothing is both available and in transit', async () => {
    await ledger.write(acme, [opened('acme'), purchased(1_000, 1_000, 'p1')]);
    const readModel = await ledger.read();
    let looks = 0;
    const receipts = {
      reached: async (position: bigint) => {
        if ((looks += 1) === 1) await ledger.write(acme, [allocated('a1', [['ann', 100, 1]], 900)]);
        return (await readModel.reached(ledger.position, 5_000)) && readModel.reached(position, 5_000);
      },
      get views() {
        return readModel.views;
      },
    };
    const settings = { freeTokensPerMonth: 0, platformTimeZone: 'UTC' };
    const balances = new BalancesAt(ledger.store, new PastWallets(ledger.store), receipts, settings);
    expect(await balances.organisation('acme', Date.parse(instantOf(0)))).toMatchObject({ revision: 2, available: 900, inTransit: 100 });
    expect(looks).toBe(2);
    const behind = new BalancesAt(
      ledger.store,
      new PastWallets(ledger.store),
      { ...receipts, reached: () => Promise.resolve(false) },
      settings,
    );
    await expect(behind.organisation('acme', Date.parse(instantOf(0)))).rejects.toThrow(NotReadThatFar);
    expect(await behind.organisation('globex', Date.parse(instantOf(0)))).toBeUndefined();
  });
});
