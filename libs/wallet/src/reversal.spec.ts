import type { Charge } from './events';
import { postings } from './postings';
import { bought, defaultLimits, granted, opened, permitted, received, suspended, walletOpened, zoneSet } from './testing/facts';
import { givenUser } from './testing/given';
import { reverse, use } from './usage';
import { setFreeAllowance } from './user-wallet';

const NOON = '2026-11-23T12:00:00.000Z';
const used = { type: 'TokensUsed' } as const;
const reached = { type: 'LimitReached' } as const;
const reversed = (data: object) => ({ type: 'UsageReversed', data }) as const;
const free = (tokens: number): Charge => ({ source: 'free', tokens });
const from = (organisationId: string, tokens: number): Charge => ({ source: 'allocated', organisationId, tokens });
const own = (tokens: number): Charge => ({ source: 'purchased', tokens });

/** 10 free, 20 of acme, 30 of beta, 40 bought: 100. Acme's month allows 15. */
const user = () =>
  givenUser(walletOpened(10), granted(10, '2026-11'), received('acme', 20), received('beta', 30), bought(40))
    .under('acme', opened('UTC'), permitted('u1'), defaultLimits({ usage: { monthly: 15 } }))
    .under('beta', opened('Asia/Tokyo'), permitted('u1'));

describe('a reversal', () => {
  it('returns the whole usage to the very buckets and windows that it came from', () => {
    const scenario = user();
    const before = structuredClone(scenario.wallet);
    scenario
      .when(use, { tokens: 60, occurredAt: '2026-11-21T18:00:00.000Z' }, NOON)
      .then([used, reached])
      .when(reverse, { usageId: 'id-1', reason: 'not delivered' }, NOON)
      .then([
        reversed({
          at: NOON,
          usageId: 'id-1',
          tokens: 60,
          reason: 'not delivered',
          returned: [free(10), from('acme', 15), from('beta', 30), own(5)],
          lapsed: 0,
          windows: [
            { organisationId: 'acme', window: '2026-11-21', used: 0 },
            { organisationId: 'acme', window: '2026-11', used: 0 },
            { organisationId: 'beta', window: '2026-11-22', used: 0 },
            { organisationId: 'beta', window: '2026-11', used: 0 },
          ],
          balanceAfter: {
            free: { tokens: 10, month: '2026-11' },
            purchased: 40,
            allocated: [
              { organisationId: 'acme', tokens: 20 },
              { organisationId: 'beta', tokens: 30 },
            ],
            balance: 100,
          },
        }),
      ]);
    const { free: freeAfter, purchased } = scenario.wallet;
    expect({ free: freeAfter, purchased }).toEqual({ free: before.free, purchased: before.purchased });
  });

  it('takes from a window only what it had put there', () => {
    user()
      .when(use, { tokens: 5, sources: ['allocated'] }, NOON)
      .then([used])
      .when(use, { tokens: 10, organisationId: 'acme', sources: ['allocated'] }, NOON)
      .then([used, reached])
      .when(reverse, { usageId: 'id-1' }, NOON)
      .then([
        reversed({
          windows: [
            { window: '2026-11-23', used: 10 },
            { window: '2026-11', used: 10 },
          ],
        }),
      ])
      .when(use, { tokens: 6, organisationId: 'acme', sources: ['allocated'] }, NOON)
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ used: 10, remaining: 5 }] })
      .when(use, { tokens: 5, organisationId: 'acme', sources: ['allocated'] }, NOON)
      .then([used]);
  });

  it('is made once', () => {
    user()
      .when(use, { tokens: 60 }, NOON)
      .then([used, reached])
      .when(reverse, { usageId: 'id-1' }, NOON, { key: 'k1' })
      .then([reversed({})])
      .when(reverse, { usageId: 'id-1' }, NOON, { key: 'k1' })
      .thenReplayed(7)
      .when(reverse, { usageId: 'id-1' }, NOON, { key: 'k2' })
      .thenRefused('USAGE_ALREADY_REVERSED', { usageId: 'id-1' })
      .when(reverse, { usageId: 'id-1' }, NOON)
      .thenRefused('USAGE_ALREADY_REVERSED', { usageId: 'id-1' });
  });

  it('is refused for a usage that this user has not', () => {
    user().when(reverse, { usageId: 'id-1' }, NOON).thenRefused('USAGE_NOT_FOUND', { userId: 'u1', usageId: 'id-1' });
    givenUser().when(reverse, { usageId: 'id-1' }, NOON).thenRefused('USAGE_NOT_FOUND');
  });

  it('asks neither limits nor permission, and counts in the ids of then, whatever the zone is now', () => {
    const scenario = user();
    scenario.when(use, { tokens: 15, organisationId: 'acme', sources: ['allocated'] }, NOON).then([used, reached]);
    scenario.under('acme', suspended('u1'), zoneSet('Pacific/Kiritimati'), defaultLimits({ usage: { daily: 0, monthly: 0 } }));
    scenario.when(reverse, { usageId: 'id-1' }, NOON).then([
      reversed({
        windows: [
          { window: '2026-11-23', used: 0 },
          { window: '2026-11', used: 0 },
        ],
      }),
    ]);
    expect(scenario.log.asked).toEqual(['revision:5']);
  });

  it('reads the usage from the stream', () => {
    const scenario = user();
    scenario.when(use, { tokens: 1 }, NOON).then([used]);
    scenario.when(reverse, { usageId: 'id-1' }, NOON).then([reversed({ returned: [free(1)] })]);
    expect(scenario.log.asked).toEqual(['revision:5']);
  });
});

describe('a reversal into a window that was pruned', () => {
  const spend = () => {
    const scenario = user();
    scenario.when(use, { tokens: 15, organisationId: 'acme', sources: ['allocated'] }, NOON).then([used, reached]);
    return scenario;
  };

  it('of the day gives back to the month alone', () => {
    spend()
      .and('2026-11-27T12:00:00.000Z', received('beta', 1))
      .when(reverse, { usageId: 'id-1' }, '2026-11-27T12:00:00.000Z')
      .then([reversed({ windows: [{ organisationId: 'acme', window: '2026-11', used: 0 }], balanceAfter: { balance: 101 } })]);
  });

  it('of day and month changes buckets only, and brings no counter back', () => {
    const scenario = spend();
    scenario
      .and('2027-01-10T12:00:00.000Z', received('beta', 1))
      .when(reverse, { usageId: 'id-1' }, '2027-01-10T12:00:00.000Z')
      .then([
        { type: 'FreeAllowanceGranted' },
        reversed({ windows: [], returned: [from('acme', 15)], balanceAfter: { allocated: [{ tokens: 20 }] } }),
      ]);
    expect([...(scenario.wallet.relationships.get('acme')?.used.keys() ?? [])]).toEqual([]);
  });
});

describe('a reversal of free tokens', () => {
  it('in the month that they were granted in returns them', () => {
    user()
      .when(use, { tokens: 10 }, NOON)
      .then([{ type: 'TokensUsed', data: { freeMonth: '2026-11' } }])
      .when(reverse, { usageId: 'id-1' }, '2026-11-30T23:59:59.999Z')
      .then([reversed({ returned: [free(10)], lapsed: 0, balanceAfter: { free: { tokens: 10, month: '2026-11' } } })])
      .when(use, { tokens: 10, sources: ['free'] }, '2026-11-30T23:59:59.999Z')
      .then([used]);
  });

  it('of a month that has passed lets them lapse again in the same event', () => {
    const scenario = user();
    scenario
      .when(use, { tokens: 35, sources: ['free', 'purchased'] }, NOON)
      .then([used])
      .when(reverse, { usageId: 'id-1' }, '2026-12-01T00:00:00.000Z')
      .then([
        { type: 'FreeAllowanceGranted', data: { month: '2026-12', tokens: 10, lapsed: 0 } },
        reversed({ tokens: 35, returned: [own(25)], lapsed: 10, balanceAfter: { purchased: 40, balance: 100 } }),
      ]);
    expect(scenario.wallet.free).toMatchObject({ tokens: 10, month: '2026-12' });
    const event = scenario.stored.at(-1);
    const lines = event ? postings({ kind: 'user', id: 'u1' }, event) : [];
    const sum = (account: string) => lines.filter((line) => line.account === account).reduce((total, { tokens }) => total + tokens, 0);
    expect({ usage: sum('platform:usage'), lapsed: sum('lapsed'), free: sum('user:u1:free'), own: sum('user:u1:purchased') }).toEqual({
      usage: -35,
      lapsed: 10,
      free: 0,
      own: 25,
    });
  });

  it('of a month that has passed lapses too where the new month grants nothing', () => {
    const scenario = user();
    scenario
      .when(use, { tokens: 10 }, NOON)
      .then([used])
      .when(setFreeAllowance, { tokensPerMonth: 0 }, NOON)
      .then([{ type: 'FreeAllowanceSet', data: { added: 0 } }])
      .when(reverse, { usageId: 'id-1' }, '2026-12-01T00:00:00.000Z')
      .then([reversed({ returned: [], lapsed: 10, balanceAfter: { balance: 90 } })]);
    expect(scenario.wallet.free?.tokens).toBe(0);
  });

  it('does not call a usage without free tokens lapsed', () => {
    user()
      .when(use, { tokens: 30, sources: ['purchased'] }, NOON)
      .then([used])
      .when(reverse, { usageId: 'id-1' }, '2026-12-01T00:00:00.000Z')
      .then([{ type: 'FreeAllowanceGranted', data: { lapsed: 10 } }, reversed({ returned: [own(30)], lapsed: 0 })]);
  });
});
