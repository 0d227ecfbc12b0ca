import { Refusal } from '@ledger/wallet';
import type { MembersFilter } from './queries';
import {
  allocated,
  allowanceSet,
  bought,
  defaults,
  defaultSet,
  granted,
  NOON,
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
import { SqliteQueries } from './sqlite-queries';
import { organisation, TestLedger, user } from './testing/ledger';

const acme = organisation('acme');
const ann = user('ann');
const DAY = 86_400_000;

let ledger: TestLedger;
beforeEach(async () => void (ledger = await TestLedger.open()));
afterEach(() => ledger.close());

describe('the organisations of a user', () => {
  it('are those that made it a member, the removed ones included, not those that only set limits', async () => {
    await ledger.write(acme, [opened('acme', 'UTC'), permitted('ann', 'ben')]);
    await ledger.write(organisation('beta'), [opened('beta', 'UTC'), permitted('ann'), removed('ann')]);
    await ledger.write(organisation('gamma'), [opened('gamma', 'UTC'), overrideSet('ann', { usage: { daily: 5 } })]);
    const readModel = await ledger.read();
    expect(['ann', 'ben', 'cem'].map((userId) => readModel.membershipsOf(userId))).toEqual([2, 1, 0]);
  });
});

describe('a user who passed the bound on organisations in one moment with another', () => {
  it('has the tokens of all of them in the balance, now and in the past', async () => {
    const ids = Array.from({ length: 1_001 }, (_, number) => `school-${number}`);
    await ledger.write(ann, [walletOpened('ann', 0), ...ids.map((id, index) => received(id, `a-${id}`, 1, 2 + (index % 2)))]);
    await ledger.write(
      ann,
      Array.from({ length: 30 }, (_, index) => bought(0, 0, `p${index}`)),
    );
    const readModel = await ledger.read();
    const queries = new SqliteQueries(readModel, { freeTokensPerMonth: 0, platformTimeZone: 'UTC' });
    const { balance, allocated: held } = queries.user('ann', NOON);
    expect([balance, held.length, held.at(-1)?.organisationId]).toEqual([2_502, 1_001, 'school-1000']);
    expect(readModel.views.history.marks.nearest(ann, 1_023)?.allocated).toHaveLength(1_001);
  });
});

describe('an organisation', () => {
  it('answers what it holds, what is under way, its limits and its members', async () => {
    await ledger.write(acme, [opened('acme', 'Europe/Berlin'), purchased(1_000, 1_000, 'r1'), permitted('ann', 'ben', 'cem', 'dua')]);
    await ledger.write(acme, [suspended('ben'), removed('cem'), defaultSet(defaults(50))]);
    await ledger.write(acme, [allocated('a1', [['ann', 100, 1], ['dua', 30, 1]], 870)]); // prettier-ignore
    await ledger.write(ann, [walletOpened('ann', 0), received('acme', 'a1', 1, 100)]);
    const queries = await ledger.queries();

    expect(queries.organisation('acme')).toEqual({
      organisationId: 'acme',
      timeZone: 'Europe/Berlin',
      available: 870,
      inTransit: 30,
      owed: 0,
      storageDeclined: false,
      limits: defaults(50),
      members: { permitted: 2, suspended: 1, removed: 1 },
      revision: 6,
    });
    expect(queries.defaultLimits('acme')).toEqual(defaults(50));
    expect([queries.organisation('other'), queries.defaultLimits('other')]).toEqual([undefined, undefined]);
  });

  it('has unlimited defaults until they are set, and again when they are set to null', async () => {
    await ledger.write(acme, [opened('acme')]);
    const queries = await ledger.queries();
    expect(queries.defaultLimits('acme')).toEqual(defaults(null));
    await ledger.write(acme, [defaultSet(defaults(0, 7)), defaultSet(defaults(null, 7))]);
    expect((await ledgerQueries(ledger)).defaultLimits('acme')).toEqual(defaults(null, 7));
  });
});

/** A second look at the same file needs the first one to let go of it. */
const ledgerQueries = async (of: TestLedger) => {
  await of.stopReading();
  return of.queries();
};

describe('a member', () => {
  const usageOf = async () => (await ledger.queries()).member('acme', 'ann', NOON)?.limits.usage;

  it('inherits the default field by field, and an override goes before it', async () => {
    await ledger.write(acme, [opened('acme'), permitted('ann'), defaultSet(defaults(50, 500))]);
    await ledger.write(acme, [overrideSet('ann', { usage: { daily: null } })]);
    expect(await usageOf()).toEqual({
      daily: { limit: null, source: 'member', used: 0, remaining: null, window: '2026-11-23', resetsAt: '2026-11-24T00:00:00.000Z' },
      monthly: { limit: 500, source: 'default', used: 0, remaining: 500, window: '2026-11', resetsAt: '2026-12-01T00:00:00.000Z' },
    });
  });

  it('has an override replaced whole, kept through removal, and cleared', async () => {
    await ledger.write(acme, [opened('acme'), permitted('ann', 'ben'), overrideSet('ann', { usage: { daily: 5 } })]);
    await ledger.write(acme, [overrideSet('ann', { usage: { monthly: 9 } }), removed('ann')]);
    await ledger.write(acme, [overrideSet('ben', { usage: { daily: 5 } }), overrideCleared('ben')]);
    const queries = await ledger.queries();
    const [annAnswer, benAnswer] = ['ann', 'ben'].map((id) => queries.member('acme', id, NOON));
    expect(annAnswer).toMatchObject({
      status: 'removed',
      limits: { usage: { daily: { limit: null, source: 'default' }, monthly: { limit: 9 } } },
    });
    expect(benAnswer?.limits.usage.daily).toMatchObject({ limit: null, source: 'default' });
  });

  it('counts both meters, and never has less than nothing left', async () => {
    await ledger.write(acme, [
      opened('acme'),
      permitted('ann'),
      defaultSet({ usage: { daily: 30, monthly: null }, allocation: { daily: null, monthly: 200 } }),
    ]);
    await ledger.write(acme, [allocated('a1', [['ann', 100, 1]], 0), allocated('a2', [['ann', 20, 2]], 0)]);
    await ledger.write(ann, [received('acme', 'a1', 1, 100), received('acme', 'a2', 2, 20, 120)]);
    await ledger.write(ann, [used({ usageId: 'u1', organisationId: 'acme', tokens: 30, held: 90, used: [30, 30] })]);
    await ledger.write(acme, [defaultSet({ usage: { daily: 10, monthly: null }, allocation: { daily: null, monthly: 200 } })]);
    const queries = await ledger.queries();
    expect(queries.member('acme', 'ann', NOON)).toMatchObject({
      allocated: 90,
      limits: {
        usage: { daily: { limit: 10, used: 30, remaining: 0 }, monthly: { used: 30, remaining: null } },
        allocation: { daily: { used: 120 }, monthly: { limit: 200, used: 120, remaining: 80 } },
      },
    });
    expect(queries.member('acme', 'ann', NOON + DAY)?.limits.usage).toMatchObject({
      daily: { used: 0, window: '2026-11-24' },
      monthly: { used: 30 },
    });
    expect(queries.member('acme', 'nobody', NOON)).toBeUndefined();
  });

  it('goes on with the counter of an id when the zone goes away and comes back', async () => {
    const late = Date.parse('2026-11-23T23:30:00.000Z');
    await ledger.write(acme, [opened('acme'), permitted('ann')]);
    await ledger.write(ann, [
      received('acme', 'a1', 1, 100),
      used({ usageId: 'u1', organisationId: 'acme', tokens: 30, held: 70, used: [30, 30] }),
    ]);
    await ledger.write(acme, [zoneSet('Europe/Berlin')]);
    expect((await ledger.queries()).member('acme', 'ann', late)?.limits.usage.daily).toMatchObject({ window: '2026-11-24', used: 0 });
    await ledger.write(acme, [zoneSet('UTC')]);
    expect((await ledgerQueries(ledger)).member('acme', 'ann', late)?.limits.usage.daily).toMatchObject({ window: '2026-11-23', used: 30 });
  });
});

describe('the list of members', () => {
  const ids = async (filter: Partial<MembersFilter>, now = NOON) =>
    (await ledger.queries()).members('acme', { limit: 50, ...filter }, now).data.map(({ userId }) => userId);

  beforeEach(async () => {
    await ledger.write(acme, [opened('acme'), permitted('ann', 'ben', 'cem', 'dua', 'eva', 'fay')]);
    await ledger.write(acme, [suspended('ben'), removed('cem'), suspended('fay'), removed('fay'), defaultSet(defaults(30))]);
    await ledger.write(acme, [overrideSet('dua', { usage: { daily: 0 } }), overrideSet('eva', { usage: { daily: null } })]);
    await ledger.write(ann, [
      received('acme', 'a1', 1, 100),
      used({ usageId: 'u1', organisationId: 'acme', tokens: 30, held: 70, used: [30, 30] }),
    ]);
    await ledger.write(user('eva'), [
      received('acme', 'a1', 1, 100),
      used({ usageId: 'u2', organisationId: 'acme', tokens: 90, held: 10, used: [90, 90] }),
    ]);
  });

  it('leaves the removed out unless they are asked for', async () => {
    expect(await ids({})).toEqual(['ann', 'ben', 'dua', 'eva']);
  });
  it.each([
    ['permitted', ['ann', 'dua', 'eva']],
    ['suspended', ['ben']],
    ['removed', ['cem', 'fay']],
  ] as const)('gives the %s', async (status, expected) => {
    expect(await ids({ status })).toEqual(expected);
  });
  it('finds the blocked: suspended, at a limit, limited to nothing; not the unlimited', async () => {
    expect(await ids({ blocked: true })).toEqual(['ann', 'ben', 'dua']);
  });
  it('frees at midnight whom a daily limit blocked, and nobody else', async () => {
    expect(await ids({ blocked: true }, NOON + DAY)).toEqual(['ben', 'dua']);
  });
  it('combines both, for the removed by what they were', async () => {
    expect(await ids({ blocked: true, status: 'removed' })).toEqual(['fay']);
    await ledger.stopReading();
    expect(await ids({ blocked: true, status: 'permitted' })).toEqual(['ann', 'dua']);
  });
  it('pages through the blocked without a repeat or a hole, also when rows change between pages', async () => {
    const queries = await ledger.queries();
    const first = queries.members('acme', { limit: 1, blocked: true }, NOON);
    await ledger.write(acme, [permitted('aaa'), suspended('aaa')]);
    const second = queries.members('acme', { limit: 1, blocked: true, cursor: first.nextCursor ?? '' }, NOON);
    const third = queries.members('acme', { limit: 1, blocked: true, cursor: second.nextCursor ?? '' }, NOON);
    expect([first, second, third].map(({ data }) => data[0]?.userId)).toEqual(['ann', 'ben', 'dua']);
    expect(third.nextCursor).toBeNull();
  });
});

describe('a user', () => {
  it('never heard of reads as an empty wallet with the default allowance', async () => {
    expect((await ledger.queries()).user('nobody', NOON)).toEqual({
      userId: 'nobody',
      balance: 25,
      free: { tokens: 25, tokensPerMonth: 25, month: '2026-11', resetsAt: '2026-12-01T00:00:00.000Z' },
      purchased: 0,
      allocated: [],
      owed: 0,
      storageDeclined: false,
      revision: -1,
    });
  });

  it('holds what the last event of each bucket said', async () => {
    await ledger.write(acme, [opened('acme'), permitted('ann'), defaultSet(defaults(50))]);
    await ledger.write(organisation('beta'), [opened('beta'), permitted('ann')]);
    await ledger.write(ann, [walletOpened('ann', 10), granted('2026-11', 10), bought(200, 200, 'r1')]);
    await ledger.write(ann, [received('beta', 'b1', 1, 40), received('acme', 'a1', 1, 100)]);
    const answer = (await ledger.queries()).user('ann', NOON);
    expect(answer).toMatchObject({ balance: 350, purchased: 200, revision: 4, free: { tokens: 10 } });
    expect(answer.allocated.map(({ organisationId, tokens, usable }) => [organisationId, tokens, usable])).toEqual([['beta', 40, 40], ['acme', 100, 50]]); // prettier-ignore
  });

  it('has the allowance of a new month before its event, and keeps a month that is later than the clock', async () => {
    await ledger.write(ann, [walletOpened('ann', 10), granted('2026-11', 3)]);
    const queries = await ledger.queries();
    const months = ['2026-10-31T23:59:59.999Z', '2026-11-30T23:59:59.999Z', '2026-12-01T00:00:00.000Z'].map(
      (now) => queries.user('ann', Date.parse(now)).free,
    );
    expect(months).toEqual([
      { tokens: 3, tokensPerMonth: 10, month: '2026-11', resetsAt: '2026-12-01T00:00:00.000Z' },
      { tokens: 3, tokensPerMonth: 10, month: '2026-11', resetsAt: '2026-12-01T00:00:00.000Z' },
      { tokens: 10, tokensPerMonth: 10, month: '2026-12', resetsAt: '2027-01-01T00:00:00.000Z' },
    ]);
  });

  it('reads its month in the zone of the platform', async () => {
    await ledger.write(ann, [walletOpened('ann', 10), granted('2026-11', 3)]);
    const queries = await ledger.queries({ freeTokensPerMonth: 0, platformTimeZone: 'Pacific/Auckland' });
    expect(queries.user('ann', Date.parse('2026-11-30T11:00:00.000Z')).free).toMatchObject({ tokens: 10, month: '2026-12' });
  });

  it('shows a lowered allowance from next month', async () => {
    await ledger.write(ann, [walletOpened('ann', 10), granted('2026-11', 10), allowanceSet(4, 10)]);
    const queries = await ledger.queries();
    expect(queries.user('ann', NOON).free).toMatchObject({ tokens: 10, tokensPerMonth: 4 });
    expect(queries.user('ann', NOON + 30 * DAY).free).toMatchObject({ tokens: 4, tokensPerMonth: 4 });
  });

  it.each([
    ['permitted', [], 100],
    ['suspended', [suspended('ann')], 0],
    ['removed', [removed('ann')], 100],
    ['removed', [suspended('ann'), removed('ann')], 0],
    ['removed', [suspended('ann'), removed('ann'), removed('ann')], 0],
    ['permitted', [suspended('ann'), resumed('ann')], 100],
    ['permitted', [suspended('ann'), removed('ann'), permitted('ann')], 100],
  ])('who is %s after %j may use %i', async (status, events, usable) => {
    await ledger.write(acme, [opened('acme'), permitted('ann'), ...events]);
    await ledger.write(ann, [received('acme', 'a1', 1, 100)]);
    expect((await ledger.queries()).user('ann', NOON).allocated[0]).toMatchObject({ status, usable, tokens: 100 });
  });
});

describe('a usage', () => {
  const usage = (usageId: string, left: number) =>
    used({ usageId, organisationId: 'acme', tokens: 10, held: left, used: [100 - left, 100 - left], reference: 'task' });

  it('is answered as it was charged, and knows of its reversal', async () => {
    await ledger.write(ann, [received('acme', 'a1', 1, 100), usage('u1', 90), reversed('u1', 'acme', 10, 100, [0, 0]), usage('u2', 90)]);
    const queries = await ledger.queries();
    expect(queries.usage('ann', 'u1')).toMatchObject({ usageId: 'u1', tokens: 10, reversed: true, reversedAt: '2026-11-23T12:00:00.000Z' });
    expect(queries.usage('ann', 'u2')).toEqual({
      usageId: 'u2',
      userId: 'ann',
      tokens: 10,
      at: '2026-11-23T12:00:00.000Z',
      occurredAt: '2026-11-23T12:00:00.000Z',
      service: 'chat',
      reference: 'task',
      charged: [{ source: 'allocated', organisationId: 'acme', tokens: 10 }],
      reversed: false,
    });
    expect([queries.usage('ann', 'u3'), queries.usage('ben', 'u1')]).toEqual([undefined, undefined]);
  });

  it('is found by its reference, newest first, page by page', async () => {
    await ledger.write(ann, [received('acme', 'a1', 1, 100), usage('u1', 90), usage('u2', 80), usage('u3', 70)]);
    const queries = await ledger.queries();
    const first = queries.usagesByReference('ann', 'task', { limit: 2 });
    const second = queries.usagesByReference('ann', 'task', { limit: 2, cursor: first.nextCursor ?? '' });
    expect([first, second].map(({ data }) => data.map(({ usageId }) => usageId))).toEqual([['u3', 'u2'], ['u1']]);
    expect([second.nextCursor, queries.usagesByReference('ben', 'task', { limit: 2 }).data]).toEqual([null, []]);
  });
});

describe('an allocation', () => {
  beforeEach(async () => {
    const of = (part: number) => ({ part, parts: 2, tokensTotal: 60, lineCount: 3 });
    await ledger.write(acme, [opened('acme'), permitted('ann', 'ben', 'cem')]);
    await ledger.write(acme, [allocated('a1', [['ann', 10, 1], ['ben', 20, 1]], 70, of(1)), allocated('a1', [['cem', 30, 1]], 40, of(2))]); // prettier-ignore
    await ledger.write(acme, [allocated('a2', [['ann', 1, 2]], 39)]);
    await ledger.write(ann, [received('acme', 'a1', 1, 10), received('acme', 'a2', 2, 1, 11)]);
  });

  it('is one answer of all its parts, with what is settled of it', async () => {
    const queries = await ledger.queries();
    const { data } = queries.allocations('acme', { limit: 10 });
    expect(
      data.map(({ allocationId, tokens, lineCount, settled, settledLines, actor }) => [
        allocationId,
        tokens,
        lineCount,
        settled,
        settledLines,
        actor,
      ]),
    ).toEqual([
      ['a2', 1, 1, true, 1, 'ann'],
      ['a1', 60, 3, false, 1, 'ann'],
    ]);
    expect(queries.allocations('other', { limit: 10 })).toEqual({ data: [], nextCursor: null });
    expect([queries.allocation('acme', 'a9', { limit: 1 }), queries.allocation('other', 'a1', { limit: 1 })]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('pages through allocations and through lines over the parts', async () => {
    const queries = await ledger.queries();
    const first = queries.allocations('acme', { limit: 1 });
    expect(queries.allocations('acme', { limit: 1, cursor: first.nextCursor ?? '' })).toMatchObject({
      data: [{ allocationId: 'a1' }],
      nextCursor: null,
    });
    const lines = queries.allocation('acme', 'a1', { limit: 1 });
    const rest = queries.allocation('acme', 'a1', { limit: 2, cursor: lines?.nextCursor ?? '' });
    expect([lines?.lines, rest?.lines, rest?.nextCursor]).toEqual([[{ userId: 'ann', tokens: 10 }], [{ userId: 'ben', tokens: 20 }, { userId: 'cem', tokens: 30 }], null]); // prettier-ignore
  });
});

describe('a cursor', () => {
  it.each(['', 'x', 'WyJtZW1iZXJzIiwxXQ', 'WyJhbGxvY2F0aW9ucyIsImFubiJd', 'A'.repeat(300)])(
    'that no list gave is refused by its field: %s',
    async (cursor) => {
      await ledger.write(acme, [opened('acme')]);
      const queries = await ledger.queries();
      const ask = [
        () => queries.members('acme', { limit: 1, cursor }, NOON),
        () => queries.allocations('acme', { limit: 1, cursor }),
        () => queries.usagesByReference('ann', 'r', { limit: 1, cursor }),
        () => queries.allocation('acme', 'a1', { limit: 1, cursor }),
      ];
      for (const question of ask) {
        expect(question).toThrow(Refusal);
        expect(question).toThrow(
          expect.objectContaining({
            code: 'VALIDATION_FAILED',
            facts: { errors: [expect.objectContaining({ field: '/cursor', value: cursor })] },
          }),
        );
      }
    },
  );
});
