import { allocate } from './allocation';
import type { LimitOverride, OrganisationEvent } from './events';
import { removeMember, setMember } from './members';
import { purchaseForOrganisation } from './organisation-wallet';
import { allocated, defaultLimits, opened, override, permitted, purchased, removed, suspended, zoneSet } from './testing/facts';
import { given } from './testing/given';

const NOON = '2026-11-23T12:00:00.000Z';
const to = (...lines: [userId: string, tokens: number][]) => ({ lines: lines.map(([userId, tokens]) => ({ userId, tokens })) });
const windows = { daily: '2026-11-23', monthly: '2026-11' };

describe('an allocation', () => {
  it('debits the organisation and numbers each line per member, in one event', () => {
    given(opened('Europe/Berlin'), purchased(1_000), permitted('u1', 'u2'), allocated(['u2', 100]))
      .when(allocate, { ...to(['u2', 30], ['u1', 20]), memo: 'week 48' }, NOON)
      .then([
        {
          type: 'TokensAllocated',
          data: {
            at: NOON,
            allocationId: 'id-1',
            part: 1,
            parts: 1,
            tokens: 50,
            tokensTotal: 50,
            lineCount: 2,
            memo: 'week 48',
            windows,
            lines: [
              ['u2', 30, 2],
              ['u1', 20, 1],
            ],
            balanceAfter: { available: 850, balance: 850 },
          },
        },
      ]);
  });

  it('may take everything, and nothing more', () => {
    const funds = {
      organisationId: 'acme',
      requested: 101,
      available: 100,
      missing: 1,
      sources: [{ source: 'purchased', available: 100 }],
    };
    given(opened(), purchased(100), permitted('u1', 'u2'))
      .when(allocate, to(['u1', 50], ['u2', 51]), NOON)
      .thenRefused('INSUFFICIENT_TOKENS', funds)
      .when(allocate, to(['u1', 50], ['u2', 50]), NOON)
      .then([{ type: 'TokensAllocated', data: { balanceAfter: { available: 0 } } }])
      .when(allocate, to(['u1', 1]), NOON)
      .thenRefused('INSUFFICIENT_TOKENS', { available: 0, missing: 1 });
  });

  it('stays exact where a body asks for more than any number of tokens', () => {
    const most = Number.MAX_SAFE_INTEGER;
    given(opened(), purchased(100), permitted('u1', 'u2'))
      .when(allocate, to(['u1', most], ['u2', most]), NOON)
      .thenRefused('INSUFFICIENT_TOKENS', { requested: most, available: 100, missing: most - 100 });
  });

  it('needs an organisation', () => {
    given()
      .when(allocate, to(['u1', 1]), NOON)
      .thenRefused('ORGANISATION_NOT_FOUND', { organisationId: 'acme' });
  });

  it('is made once per key, and without a key each time', () => {
    const acme = given(opened(), purchased(100), permitted('u1'));
    acme
      .when(allocate, to(['u1', 10]), NOON, { key: 'k1' })
      .then([{ type: 'TokensAllocated' }])
      .when(allocate, to(['u1', 10]), NOON, { key: 'k1' })
      .thenReplayed(3)
      .when(allocate, to(['u1', 11]), NOON, { key: 'k1' })
      .thenRefused('KEY_REUSED', { key: 'k1' })
      .when(allocate, to(['u1', 10]), NOON)
      .then([{ type: 'TokensAllocated', data: { lines: [['u1', 10, 2]], balanceAfter: { available: 80 } } }]);
  });
});

describe('an allocation with a line that fails', () => {
  const acme = () =>
    given(opened(), purchased(1_000), permitted('a', 'b', 'c', 'gone', 'capped'), suspended('held'), removed('gone')).and(
      NOON,
      override('capped', { allocation: { daily: 5 } }),
    );

  it.each([
    ['held', { code: 'MEMBER_SUSPENDED' }],
    ['gone', { code: 'MEMBER_NOT_PERMITTED' }],
    ['stranger', { code: 'MEMBER_NOT_PERMITTED' }],
    ['capped', { code: 'LIMIT_EXCEEDED', limits: [{ userId: 'capped', period: 'daily', requested: 10 }] }],
    ['a', { code: 'DUPLICATE_MEMBER' }],
  ])('for %s writes nothing, in whatever position it stands', (userId, failure) => {
    for (const index of userId === 'a' ? [1, 2, 3] : [0, 1, 2, 3]) {
      const lines: [string, number][] = [
        ['a', 10],
        ['b', 10],
        ['c', 10],
      ];
      lines.splice(index, 0, [userId, 10]);
      const scenario = acme();
      const before = structuredClone(scenario.wallet);
      scenario
        .when(allocate, to(...lines), NOON)
        .thenRefused('ALLOCATION_REFUSED', { failedLines: 1, lines: [{ index, userId, ...failure }] });
      expect(scenario.wallet).toEqual(before);
    }
  });

  it('names all failing lines before it looks at funds', () => {
    acme()
      .when(allocate, to(['held', 5_000], ['a', 1], ['stranger', 1]), NOON)
      .thenRefused('ALLOCATION_REFUSED', {
        failedLines: 2,
        lines: [
          { index: 0, code: 'MEMBER_SUSPENDED' },
          { index: 2, code: 'MEMBER_NOT_PERMITTED' },
        ],
      });
  });

  it('names the first 100, and counts all 101', () => {
    const lines = Array.from({ length: 101 }, (_, index): [string, number] => [`s${index}`, 1]);
    const { refusal } = acme().when(allocate, to(...lines), NOON).verdict;
    expect(refusal?.facts.failedLines).toBe(101);
    expect((refusal?.facts.lines as object[]).at(-1)).toEqual({ index: 99, userId: 's99', code: 'MEMBER_NOT_PERMITTED' });
    expect(refusal?.facts.lines).toHaveLength(100);
  });
});

describe('limits on what is allocated', () => {
  const acme = (limits: LimitOverride, own?: LimitOverride) =>
    given(opened('Europe/Berlin'), purchased(1_000), permitted('u1', 'u2'), defaultLimits(limits), ...(own ? [override('u1', own)] : []));
  const blocked = (limit: object) => ({ failedLines: 1, lines: [{ index: 0, userId: 'u1', code: 'LIMIT_EXCEEDED', limits: [limit] }] });

  it('let the last token through, not one more, and block nobody else', () => {
    const facts = {
      organisationId: 'acme',
      userId: 'u1',
      meter: 'allocation',
      period: 'daily',
      source: 'default',
      limit: 50,
      used: 30,
      remaining: 20,
      requested: 21,
      window: '2026-11-23',
      resetsAt: '2026-11-23T23:00:00.000Z',
    };
    given(opened('Europe/Berlin'), purchased(1_000), permitted('u1', 'u2'), defaultLimits({ allocation: { daily: 50 } }))
      .and(NOON, allocated(['u1', 30]))
      .when(allocate, to(['u1', 21]), NOON)
      .thenRefused('ALLOCATION_REFUSED', blocked(facts))
      .when(allocate, to(['u1', 20], ['u2', 50]), NOON)
      .then([{ type: 'TokensAllocated', data: { reached: { daily: [0, 1] } } }])
      .when(allocate, to(['u1', 1]), NOON)
      .thenRefused('ALLOCATION_REFUSED', blocked({ used: 50, remaining: 0, requested: 1 }))
      .when(allocate, to(['u1', 50]), '2026-11-23T23:00:00.000Z')
      .then([{ type: 'TokensAllocated', data: { windows: { daily: '2026-11-24', monthly: '2026-11' } } }]);
  });

  it('hold to the last millisecond of day and month, in the zone of the organisation', () => {
    acme({ allocation: { daily: 10, monthly: 15 } })
      .when(allocate, to(['u1', 10]), '2026-11-30T22:59:59.999Z')
      .then([{ type: 'TokensAllocated', data: { windows: { daily: '2026-11-30', monthly: '2026-11' } } }])
      .when(allocate, to(['u1', 1]), '2026-11-30T22:59:59.999Z')
      .thenRefused('ALLOCATION_REFUSED', blocked({ period: 'daily', window: '2026-11-30', resetsAt: '2026-11-30T23:00:00.000Z' }))
      .when(allocate, to(['u1', 10]), '2026-11-30T23:00:00.000Z')
      .then([{ type: 'TokensAllocated', data: { windows: { daily: '2026-12-01', monthly: '2026-12' } } }])
      .when(allocate, to(['u1', 6]), '2026-12-02T12:00:00.000Z')
      .thenRefused(
        'ALLOCATION_REFUSED',
        blocked({ period: 'monthly', used: 10, remaining: 5, window: '2026-12', resetsAt: '2026-12-31T23:00:00.000Z' }),
      )
      .when(allocate, to(['u1', 5]), '2026-12-02T12:00:00.000Z')
      .then([{ type: 'TokensAllocated', data: { reached: { monthly: [0] } } }]);
  });

  it('block at 0, let through at null, and name both periods where both block', () => {
    acme({ allocation: { daily: 0, monthly: 0 } })
      .when(allocate, to(['u1', 1]), NOON)
      .thenRefused('ALLOCATION_REFUSED', {
        lines: [
          {
            limits: [
              { period: 'daily', limit: 0, used: 0, remaining: 0 },
              { period: 'monthly', limit: 0 },
            ],
          },
        ],
      });
    acme({ allocation: { daily: 0, monthly: 0 } }, { allocation: { daily: null, monthly: null } })
      .when(allocate, to(['u1', 1_000]), NOON)
      .then([{ type: 'TokensAllocated' }]);
  });

  it('go by the member field by field, and say whose they are', () => {
    acme({ allocation: { daily: 5, monthly: 100 } }, { allocation: { daily: 60 } })
      .when(allocate, to(['u2', 5], ['u1', 60]), NOON)
      .then([{ type: 'TokensAllocated', data: { reached: { daily: [0, 1] } } }])
      .when(allocate, to(['u1', 41]), NOON)
      .thenRefused('ALLOCATION_REFUSED', {
        lines: [
          {
            limits: [
              { period: 'daily', source: 'member', limit: 60 },
              { period: 'monthly', source: 'default', remaining: 40 },
            ],
          },
        ],
      });
  });

  it('do not touch what is used, nor are they touched by it', () => {
    acme({ usage: { daily: 0, monthly: 0 } })
      .when(allocate, to(['u1', 500]), NOON)
      .then([{ type: 'TokensAllocated' }]);
  });

  it('block at once when lowered below what was allocated, free at once when raised, and never reset', () => {
    const scenario = acme({ allocation: { daily: 50 } }).and(NOON, allocated(['u1', 30]), defaultLimits({ allocation: { daily: 20 } }));
    scenario
      .when(allocate, to(['u1', 1]), NOON)
      .thenRefused('ALLOCATION_REFUSED', blocked({ limit: 20, used: 30, remaining: 0 }))
      .and(NOON, defaultLimits({ allocation: { daily: 31 } }))
      .when(allocate, to(['u1', 2]), NOON)
      .thenRefused('ALLOCATION_REFUSED', blocked({ limit: 31, used: 30, remaining: 1 }))
      .when(allocate, to(['u1', 1]), NOON)
      .then([{ type: 'TokensAllocated', data: { reached: { daily: [0] } } }]);
  });

  it('count on when a member leaves and rejoins, and so does the running number', () => {
    acme({ allocation: { daily: 50 } })
      .and(NOON, allocated(['u1', 30]))
      .when(removeMember, { userId: 'u1' }, NOON)
      .then([{ type: 'MemberRemoved' }])
      .when(setMember, { userId: 'u1', status: 'permitted' }, NOON)
      .then([{ type: 'MemberPermitted' }])
      .when(allocate, to(['u1', 21]), NOON)
      .thenRefused('ALLOCATION_REFUSED', blocked({ used: 30, remaining: 20 }))
      .when(allocate, to(['u1', 20]), NOON)
      .then([{ type: 'TokensAllocated', data: { lines: [['u1', 20, 2]] } }]);
  });

  it('keep the ids they were counted in when the zone changes, and go on with them when it goes back', () => {
    const late = '2026-11-23T22:00:00.000Z';
    given(opened('UTC'), purchased(1_000), permitted('u1'), defaultLimits({ allocation: { daily: 50 } }))
      .and(NOON, allocated(['u1', 40]), zoneSet('Asia/Tokyo'))
      .when(allocate, to(['u1', 50]), late)
      .then([{ type: 'TokensAllocated', data: { windows: { daily: '2026-11-24' } } }])
      .and(late, zoneSet('UTC'))
      .when(allocate, to(['u1', 11]), late)
      .thenRefused('ALLOCATION_REFUSED', blocked({ window: '2026-11-23', used: 40, remaining: 10 }))
      .when(allocate, to(['u1', 10]), late)
      .then([{ type: 'TokensAllocated' }]);
  });

  it('forget a window only when no zone could name it any more', () => {
    const counted = () => {
      const wallet = given(opened('Etc/GMT+12'), purchased(1_000, 'p0'), permitted('u1')).and(
        '2026-11-24T11:59:59.999Z',
        allocated(['u1', 40]),
      );
      return (at: string) => {
        wallet.when(purchaseForOrganisation, { tokens: 200, paymentReference: at }, at).then([{ type: 'TokensPurchased' }]);
        return [...wallet.wallet.allocated.keys()];
      };
    };
    // 2026-11-23 ends in the furthest zone on the 24th at noon UTC; 72 h later it can be named no more.
    expect(counted()('2026-11-27T11:59:59.999Z')).toEqual(['2026-11-23', '2026-11']);
    expect(counted()('2026-11-27T12:00:00.000Z')).toEqual(['2026-11']);
    expect(counted()('2026-12-04T11:59:59.999Z')).toEqual(['2026-11']);
    expect(counted()('2026-12-04T12:00:00.000Z')).toEqual([]);
  });
});

describe('the limits that an allocation reaches', () => {
  it('are listed by the index of the line in its part, and only where a limit is used up', () => {
    const lines = Array.from({ length: 1_002 }, (_, index): [string, number] => [`m${index}`, index === 1_001 ? 2 : 1]);
    const { events } = given(opened(), purchased(10_000), permitted(...lines.map(([userId]) => userId)))
      .and(NOON, defaultLimits({ allocation: { daily: 2, monthly: 3 } }))
      .when(allocate, to(...lines), NOON).verdict;
    const reached = events.map((event) => (event as OrganisationEvent & { type: 'TokensAllocated' }).data.reached);
    expect(reached).toEqual([undefined, { daily: [1] }]);
  });
});
