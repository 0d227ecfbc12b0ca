import { type Database, Sqlite } from '@ledger/sqlite';
import type { StoredEvent } from '@ledger/event-store';
import {
  allocated,
  allowanceSet,
  bought,
  defaults,
  defaultSet,
  granted,
  opened,
  overrideCleared,
  overrideSet,
  permitted,
  purchased,
  received,
  removed,
  resumed,
  reversed,
  suspended,
  used,
  walletOpened,
  zoneSet,
} from './testing/facts';
import { organisation, TestLedger, user } from './testing/ledger';
import { RevisionMissing } from './stream-revisions';
import { Views } from './views';

const acme = organisation('acme');
const ann = user('ann');

let ledger: TestLedger;
let events: StoredEvent[];

beforeAll(async () => {
  ledger = await TestLedger.open();
  const key = (name: string) => ({ key: name, contentHash: `content of ${name}` });
  await ledger.write(acme, [opened('acme')], key('k1'));
  await ledger.write(acme, [purchased(1_000, 1_000, 'r1')], key('k2'));
  await ledger.write(
    acme,
    [permitted('ann', 'ben'), suspended('cem'), resumed('cem'), overrideSet('ben', { usage: { daily: 5 } })],
    key('k3'),
  );
  await ledger.write(acme, [removed('cem'), defaultSet(defaults(50, 500)), overrideCleared('ben'), zoneSet('Europe/Berlin')]);
  await ledger.write(acme, [allocated('a1', [['ann', 100, 1], ['ben', 50, 1]], 850)], key('k4')); // prettier-ignore
  await ledger.write(ann, [walletOpened('ann', 10), granted('2026-11', 10), received('acme', 'a1', 1, 100)]);
  await ledger.write(
    ann,
    [used({ usageId: 'u1', organisationId: 'acme', tokens: 30, held: 70, used: [30, 30], reference: 'task' })],
    key('k5'),
  );
  await ledger.write(acme, [allocated('a2', [['ann', 7, 2]], 843)], key('k6'));
  await ledger.write(ann, [bought(200, 200, 'r2'), allowanceSet(4, 10), reversed('u1', 'acme', 30, 100, [0, 0])], key('k7'));
  const late = ['2026-11-20', '2026-11'] as [string, string];
  await ledger.write(ann, [used({ usageId: 'u2', organisationId: 'acme', tokens: 8, held: 92, used: [8, 8], days: late })], key('k8'));
  await ledger.write(ann, [received('acme', 'a2', 2, 7, 99)]);
  events = await ledger.all();
});
afterAll(() => ledger.close());

/** Every row of every view after the batches were folded in. */
function dump(batches: StoredEvent[][]): Record<string, unknown[]> {
  const db: Database = new Sqlite(':memory:');
  db.exec(Views.tables + Views.indexes);
  const views = new Views(db);
  for (const batch of batches) {
    for (const event of batch) views.apply(event);
    views.complete();
  }
  const tables = db.prepare<[], string>(`select name from sqlite_schema where type = 'table' order by name`).pluck().all();
  // The order in which lines are written is counted anew: one that is received before it is written is not counted at all.
  const rows = Object.fromEntries(tables.map((table) => [table, db.prepare<[], object>(`select * from ${table}`).all()]));
  const pending = rows.pending_lines?.map((row) => ({ ...row, sequence: 0 }));
  return { ...rows, sqlite_sequence: [], ...(pending && { pending_lines: pending }) };
}

describe('the views', () => {
  it('are the rows that the events say', () => {
    const rows = dump([events]);
    expect(rows.organisations).toEqual([
      expect.objectContaining({ organisation_id: 'acme', revision: 11, available: 843, in_transit: 50, usage_daily: 50 }),
    ]);
    expect(rows.pending_lines).toEqual([
      expect.objectContaining({ user_id: 'ben', number: 1, tokens: 50, correlation_id: 'correlation-1' }),
    ]);
    expect(rows.relationships).toEqual([
      {
        user_id: 'ann',
        organisation_id: 'acme',
        tokens: 99,
        first_revision: 2,
        usage: '{"2026-11-23":0,"2026-11":8,"2026-11-20":8}',
        allocation: '{"2026-11-23":107,"2026-11":107}',
      },
      {
        user_id: 'ben',
        organisation_id: 'acme',
        tokens: 0,
        first_revision: null,
        usage: '{}',
        allocation: '{"2026-11-23":50,"2026-11":50}',
      },
    ]);
    expect(rows.users).toEqual([{ user_id: 'ann', revision: 8, free: 10, free_month: '2026-11', tokens_per_month: 4, purchased: 200 }]);
  });

  it('are the same when every event comes twice, at once or all over again', () => {
    const once = dump([events]);
    expect(dump([events.flatMap((event) => [event, event])])).toEqual(once);
    expect(dump([events, events])).toEqual(once);
    expect(dump(events.map((_, index) => events.slice(0, index + 1)))).toEqual(once);
  });

  it('are the same however the events are cut into batches', () => {
    const once = dump([events]);
    for (let seed = 1; seed <= 50; seed++) {
      const batches: StoredEvent[][] = [[]];
      let random = seed * 2_654_435_761;
      for (const event of events) {
        random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
        if (random % 3 === 0) batches.push([]);
        batches.at(-1)?.push(event);
      }
      expect({ seed, rows: dump(batches) }).toEqual({ seed, rows: once });
    }
  });

  it('refuse a stream whose revisions leave a hole', () => {
    const views = new Views(new Sqlite(':memory:').exec(Views.tables + Views.indexes));
    const [first, , third] = events.filter(({ stream }) => stream === 'userWallet-ann');
    if (!first || !third) throw new Error('ann has too few events');
    views.apply(first);
    expect(() => views.apply(third)).toThrow(RevisionMissing);
  });

  it('let a type of a newer version pass, and count its revision as read', () => {
    const views = new Views(new Sqlite(':memory:').exec(Views.tables + Views.indexes));
    const [first] = events;
    if (!first) throw new Error('no events');
    views.apply({ ...first, type: 'CampusFounded' });
    views.flush();
    expect(views.lookUp(first.stream, 'key', 'k1')).toEqual({ revision: 0, found: { revision: 0, contentHash: 'content of k1' } });
  });
});

describe('what is unique for ever', () => {
  let views: Views;
  beforeAll(() => {
    views = new Views(new Sqlite(':memory:').exec(Views.tables + Views.indexes));
    for (const event of events) views.apply(event);
    views.flush();
  });
  const [organisationStream, userStream] = ['organisationWallet-acme', 'userWallet-ann'];

  it.each([
    [organisationStream, 'key', 'k1', { revision: 0, contentHash: 'content of k1' }],
    [organisationStream, 'key', 'k3', { revision: 2, contentHash: 'content of k3' }],
    [organisationStream, 'payment', 'r1', { revision: 1 }],
    [userStream, 'payment', 'r2', { revision: 4 }],
    [userStream, 'usage', 'u1', { revision: 3, reversedRevision: 6 }],
    [userStream, 'usage', 'u2', { revision: 7 }],
  ] as const)('of %s: %s %s', (stream, kind, entry, found) => {
    expect(views.lookUp(stream, kind, entry)).toEqual({ revision: stream === userStream ? 8 : 11, found });
  });

  it.each([
    [organisationStream, 'key', 'k5', 11],
    [organisationStream, 'usage', 'u1', 11],
    [organisationStream, 'payment', 'k1', 11],
    [userStream, 'key', 'k1', 8],
    ['userWallet-nobody', 'key', 'k1', -1],
    ['elsewhere', 'key', 'k1', -1],
  ] as const)('is scoped to its wallet and kind: %s has no %s %s', (stream, kind, entry, revision) => {
    expect(views.lookUp(stream, kind, entry)).toEqual({ revision });
  });
});
