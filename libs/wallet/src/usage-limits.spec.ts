import type { LimitOverride } from './events';
import { bought, defaultLimits, granted, opened, override, permitted, received, removed, walletOpened } from './testing/facts';
import { givenUser } from './testing/given';
import { reverse, use } from './usage';

const NOON = '2026-11-23T12:00:00.000Z';
const TOMORROW = '2026-11-24T12:00:00.000Z';
const allocatedOnly = (tokens: number) => ({ tokens, sources: ['allocated' as const] });
const used = { type: 'TokensUsed' } as const;
const reached = (data: object) => ({ type: 'LimitReached', data }) as const;

/** 1,000 tokens of acme, in Berlin. */
const under = (limits: LimitOverride, own?: LimitOverride) =>
  givenUser(walletOpened(), received('acme', 1_000)).under(
    'acme',
    opened('Europe/Berlin'),
    permitted('u1'),
    defaultLimits(limits),
    ...(own ? [override('u1', own)] : []),
  );

describe('a limit on what is used', () => {
  it('lets the last token through and not one more, and names every fact', () => {
    under({ usage: { daily: 50 } })
      .when(use, allocatedOnly(30), NOON)
      .then([used])
      .when(use, allocatedOnly(21), NOON)
      .thenRefused(
        'LIMIT_EXCEEDED',
        {
          requested: 21,
          limits: [
            {
              organisationId: 'acme',
              userId: 'u1',
              meter: 'usage',
              period: 'daily',
              source: 'default',
              limit: 50,
              used: 30,
              remaining: 20,
              requested: 21,
              window: '2026-11-23',
              resetsAt: '2026-11-23T23:00:00.000Z',
            },
          ],
        },
        [reached({ limit: 50, used: 30, by: 'refusal' })],
      )
      .when(use, allocatedOnly(20), NOON)
      .then([used])
      .when(use, allocatedOnly(1), NOON)
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ used: 50, remaining: 0, requested: 1 }] })
      .when(use, allocatedOnly(50), TOMORROW)
      .then([used, reached({ window: '2026-11-24', by: 'draw' })]);
  });

  it('gives the facts of LIMIT_EXCEEDED and no others', () => {
    const { refusal } = under({ usage: { daily: 0 } }).when(use, allocatedOnly(1), NOON).verdict;
    const [limit] = (refusal?.facts.limits ?? []) as object[];
    const names = 'organisationId userId meter period source limit used remaining requested window resetsAt';
    expect(Object.keys(limit ?? {}).sort()).toEqual(names.split(' ').sort());
  });

  it('caps what the relationship gives; the rest comes from the next source', () => {
    under({ usage: { daily: 50 } })
      .under('beta', opened(), permitted('u1'), defaultLimits({ usage: { monthly: 7 } }))
      .and(NOON, received('beta', 100), bought(10))
      .when(use, { tokens: 67 }, NOON)
      .then([
        {
          type: 'TokensUsed',
          data: {
            charged: [
              { source: 'allocated', organisationId: 'acme', tokens: 50 },
              { source: 'allocated', organisationId: 'beta', tokens: 7 },
              { source: 'purchased', tokens: 10 },
            ],
            considered: [
              { organisationId: 'acme', tokens: 50, windows: { daily: { used: 50, limit: 50 }, monthly: { used: 50, limit: null } } },
              { organisationId: 'beta', tokens: 7, windows: { daily: { used: 7, limit: null }, monthly: { used: 7, limit: 7 } } },
            ],
          },
        },
        reached({ organisationId: 'acme', period: 'daily' }),
        reached({ organisationId: 'beta', period: 'monthly' }),
      ]);
  });

  it('that blocked is named for each relationship, with what was still to be drawn when its turn came', () => {
    under({ usage: { daily: 50, monthly: 40 } })
      .under('beta', opened(), permitted('u1'), defaultLimits({ usage: { monthly: 7 } }))
      .and(NOON, received('beta', 100), bought(10))
      .when(use, { tokens: 58 }, NOON)
      .thenRefused(
        'LIMIT_EXCEEDED',
        {
          requested: 58,
          limits: [
            { organisationId: 'acme', period: 'daily', limit: 50, remaining: 50, requested: 58 },
            { organisationId: 'acme', period: 'monthly', limit: 40, remaining: 40, requested: 58 },
            { organisationId: 'beta', period: 'monthly', limit: 7, remaining: 7, requested: 18, resetsAt: '2026-12-01T00:00:00.000Z' },
          ],
        },
        [reached({ period: 'daily' }), reached({ period: 'monthly', limit: 40 }), reached({ organisationId: 'beta' })],
      );
  });

  it('says what was still to be drawn, not what the relationship held', () => {
    givenUser(walletOpened(), received('acme', 20), bought(100))
      .under('acme', opened(), permitted('u1'), defaultLimits({ usage: { daily: 5 } }))
      .when(use, { tokens: 110 }, NOON)
      .thenRefused('LIMIT_EXCEEDED', { requested: 110, limits: [{ requested: 110, remaining: 5 }] }, [reached({ by: 'refusal' })]);
  });

  it('does not block where the balance is smaller than what it leaves', () => {
    givenUser(walletOpened(), received('acme', 10))
      .under('acme', opened(), permitted('u1'), defaultLimits({ usage: { daily: 10 } }))
      .when(use, { tokens: 11 }, NOON)
      .thenRefused('INSUFFICIENT_TOKENS', { available: 10, missing: 1 });
  });

  it.each<[string, LimitOverride, LimitOverride | undefined, number, 'member' | 'default']>([
    ['a default', { usage: { daily: 5 } }, undefined, 5, 'default'],
    ['a member below the default', { usage: { daily: 5 } }, { usage: { daily: 4 } }, 4, 'member'],
    ['a member above the default', { usage: { daily: 5 } }, { usage: { daily: 6 } }, 6, 'member'],
    ['a member at 0', { usage: { daily: 5 } }, { usage: { daily: 0 } }, 0, 'member'],
    ['a member equal to the default', { usage: { daily: 5 } }, { usage: { daily: 5 } }, 5, 'member'],
    [
      'the month of the default where the member sets the day',
      { usage: { daily: 5, monthly: 7 } },
      { usage: { daily: null } },
      7,
      'default',
    ],
    ['the day of the default where the member sets the month', { usage: { daily: 5, monthly: 7 } }, { usage: { monthly: 4 } }, 4, 'member'],
    ['a default, where the member sets the other meter', { usage: { daily: 5 } }, { allocation: { daily: 1 } }, 5, 'default'],
  ])('goes by %s', (_, limits, own, most, source) => {
    if (most > 0)
      under(limits, own)
        .when(use, allocatedOnly(most), NOON)
        .then([used, { type: 'LimitReached' }]);
    under(limits, own)
      .when(use, allocatedOnly(most + 1), NOON)
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ limit: most, source, remaining: most }] }, [reached({ by: 'refusal' })]);
  });

  it('is nothing at null, nor on the other meter', () => {
    under({ usage: { daily: 0, monthly: 0 } }, { usage: { daily: null, monthly: null } })
      .when(use, allocatedOnly(1_000), NOON)
      .then([used]);
    under({ allocation: { daily: 0, monthly: 0 } })
      .when(use, allocatedOnly(1_000), NOON)
      .then([used]);
  });

  it('blocks at once when lowered below what is used, frees at once when raised, and moves no window', () => {
    const user = under({ usage: { daily: 50 } });
    user.when(use, allocatedOnly(30), NOON).then([used]);
    user.under('acme', defaultLimits({ usage: { daily: 30 } }));
    user
      .when(use, allocatedOnly(1), NOON)
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ limit: 30, used: 30, remaining: 0 }] }, [reached({ limit: 30, used: 30 })]);
    user.under('acme', defaultLimits({ usage: { daily: 20 } }));
    user
      .when(use, allocatedOnly(1), NOON)
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ limit: 20, used: 30, remaining: 0 }] }, [reached({ limit: 20, used: 30 })]);
    user.under('acme', defaultLimits({ usage: { daily: 31 } }));
    user.when(use, allocatedOnly(1), NOON).then([used, reached({ limit: 31, used: 31 })]);
  });

  it('counts on when a member leaves and rejoins', () => {
    const user = under({ usage: { daily: 50 } });
    user.when(use, allocatedOnly(30), NOON).then([used]);
    user.under('acme', removed('u1'));
    user.when(use, allocatedOnly(21), NOON).thenRefused('LIMIT_EXCEEDED', { limits: [{ used: 30 }] }, [{ type: 'LimitReached' }]);
    user.under('acme', permitted('u1'));
    user
      .when(use, allocatedOnly(21), NOON)
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ used: 30, remaining: 20 }] })
      .when(use, allocatedOnly(20), NOON)
      .then([used]);
  });

  it('counts in month and day alike: a new day is no new month', () => {
    under({ usage: { daily: 10, monthly: 15 } })
      .when(use, allocatedOnly(10), NOON)
      .then([used, reached({ period: 'daily', window: '2026-11-23' })])
      .when(use, allocatedOnly(6), TOMORROW)
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ period: 'monthly', used: 10, remaining: 5, window: '2026-11' }] }, [
        reached({ period: 'monthly' }),
      ])
      .when(use, allocatedOnly(5), TOMORROW)
      .then([used])
      .when(use, allocatedOnly(10), '2026-12-01T00:00:00.000Z')
      .then([used, reached({ period: 'daily', window: '2026-12-01' })]);
  });
});

describe('LimitReached', () => {
  it('is recorded by the draw that takes the last of it, with all that it says', () => {
    under({ usage: { daily: 50 } })
      .when(use, allocatedOnly(49), NOON)
      .then([used])
      .when(use, allocatedOnly(1), NOON)
      .then([
        used,
        reached({
          at: NOON,
          organisationId: 'acme',
          meter: 'usage',
          period: 'daily',
          window: '2026-11-23',
          limit: 50,
          used: 50,
          resetsAt: '2026-11-23T23:00:00.000Z',
          by: 'draw',
        }),
      ]);
  });

  it('is recorded for day and month where one draw takes the last of both', () => {
    under({ usage: { daily: 50, monthly: 50 } })
      .when(use, allocatedOnly(50), NOON)
      .then([used, reached({ period: 'daily' }), reached({ period: 'monthly' })]);
  });

  it('is recorded once per window and limit value, by refusal or by draw, and again for another value', () => {
    const user = under({ usage: { daily: 50 } });
    user
      .when(use, allocatedOnly(51), NOON)
      .thenRefused('LIMIT_EXCEEDED', {}, [reached({ limit: 50, used: 0, by: 'refusal' })])
      .when(use, allocatedOnly(51), NOON)
      .thenRefused('LIMIT_EXCEEDED')
      .when(use, allocatedOnly(50), NOON)
      .then([used]);
    user.under('acme', defaultLimits({ usage: { daily: 60 } }));
    user.when(use, allocatedOnly(10), NOON).then([used, reached({ limit: 60, used: 60, by: 'draw' })]);
    user.when(use, allocatedOnly(1), NOON).thenRefused('LIMIT_EXCEEDED');
    user.under('acme', defaultLimits({ usage: { daily: 50 } }));
    user.when(use, allocatedOnly(1), NOON).thenRefused('LIMIT_EXCEEDED', { limits: [{ limit: 50, used: 60 }] });
    user.when(use, allocatedOnly(51), TOMORROW).thenRefused('LIMIT_EXCEEDED', {}, [reached({ window: '2026-11-24', limit: 50 })]);
  });

  it('is recorded for each relationship by itself', () => {
    under({ usage: { daily: 50 } })
      .under('beta', opened('Europe/Berlin'), permitted('u1'), defaultLimits({ usage: { daily: 50 } }))
      .and(NOON, received('beta', 100))
      .when(use, allocatedOnly(50), NOON)
      .then([used, reached({ organisationId: 'acme' })])
      .when(use, allocatedOnly(50), NOON)
      .then([used, reached({ organisationId: 'beta' })]);
  });

  it('is not recorded again when a reversal made room that is used up again', () => {
    under({ usage: { daily: 50 } })
      .when(use, allocatedOnly(50), NOON)
      .then([used, reached({ by: 'draw' })])
      .when(reverse, { usageId: 'id-1' }, NOON)
      .then([
        {
          type: 'UsageReversed',
          data: {
            windows: [
              { window: '2026-11-23', used: 0 },
              { window: '2026-11', used: 0 },
            ],
          },
        },
      ])
      .when(use, allocatedOnly(50), NOON)
      .then([used]);
  });

  it('of a refused command leaves its key unused', () => {
    const user = under({ usage: { daily: 50 } });
    user
      .when(use, allocatedOnly(51), NOON, { key: 'k1' })
      .thenRefused('LIMIT_EXCEEDED', {}, [{ type: 'LimitReached' }])
      .when(use, allocatedOnly(51), NOON, { key: 'k1' })
      .thenRefused('LIMIT_EXCEEDED');
    user.under('acme', defaultLimits({ usage: { daily: 51 } }));
    user
      .when(use, allocatedOnly(51), NOON, { key: 'k1' })
      .then([used, { type: 'LimitReached' }])
      .when(use, allocatedOnly(51), NOON, { key: 'k1' })
      .thenReplayed(3);
  });

  it('of a refusal in a new month comes after the lapse and the grant', () => {
    givenUser(walletOpened(10), granted(10, '2026-10'), received('acme', 100))
      .under('acme', opened(), permitted('u1'), defaultLimits({ usage: { daily: 5 } }))
      .when(use, allocatedOnly(6), NOON)
      .thenRefused('LIMIT_EXCEEDED', {}, [
        { type: 'FreeAllowanceGranted', data: { month: '2026-11', tokens: 10, lapsed: 10 } },
        reached({}),
      ]);
  });

  it('is forgotten with its window', () => {
    const user = under({ usage: { daily: 50 } });
    user
      .when(use, allocatedOnly(50), NOON)
      .then([used, { type: 'LimitReached' }])
      .and('2026-11-27T12:00:00.000Z', bought(200));
    expect([...(user.wallet.relationships.get('acme')?.reached ?? [])]).toEqual([]);
    expect([...(user.wallet.relationships.get('acme')?.used.keys() ?? [])]).toEqual(['2026-11']);
  });
});
