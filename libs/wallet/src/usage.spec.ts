import type { UseTokens } from './commands';
import { Missing } from './decision';
import type { Charge } from './events';
import { PRICE_TABLE } from './pricing';
import {
  defaultLimits,
  granted,
  bought,
  opened,
  permitted,
  purchased,
  received,
  removed,
  resumed,
  suspended,
  walletOpened,
} from './testing/facts';
import { givenUser, givenUserWith } from './testing/given';
import { type Body, SETTINGS } from './testing/log';
import { use } from './usage';

const NOON = '2026-11-23T12:00:00.000Z';
const open = [opened(), permitted('u1')];
const free = (tokens: number): Charge => ({ source: 'free', tokens });
const from = (organisationId: string, tokens: number): Charge => ({ source: 'allocated', organisationId, tokens });
const own = (tokens: number): Charge => ({ source: 'purchased', tokens });

/** 10 free, 20 of acme, 30 of beta (received first), 40 bought: 100. */
const user = () =>
  givenUser(walletOpened(10), granted(10, '2026-11'), bought(40), received('beta', 30), received('acme', 20))
    .under('acme', ...open)
    .under('beta', ...open);

describe('a usage', () => {
  it('records what was charged, under what, and everything that its answer says', () => {
    const scenario = user();
    scenario.when(use, { tokens: 35, service: 'chat', reference: 'r1', occurredAt: '2026-11-23T11:00:00Z' }, NOON).then([
      {
        type: 'TokensUsed',
        data: {
          at: NOON,
          usageId: 'id-1',
          tokens: 35,
          occurredAt: '2026-11-23T11:00:00.000Z',
          service: 'chat',
          reference: 'r1',
          charged: [free(10), from('beta', 25)],
          freeMonth: '2026-11',
          considered: [
            {
              organisationId: 'beta',
              revision: 1,
              status: 'permitted',
              usable: true,
              tokens: 25,
              windows: { daily: { window: '2026-11-23', used: 25, limit: null }, monthly: { window: '2026-11', used: 25, limit: null } },
            },
          ],
          balanceAfter: {
            free: { tokens: 0, month: '2026-11' },
            allocated: [{ organisationId: 'beta', tokens: 5 }],
            balance: 65,
          },
        },
      },
    ]);
  });

  it.each<[number, Charge[], number]>([
    [1, [free(1)], 99],
    [10, [free(10)], 90],
    [11, [free(10), from('beta', 1)], 89],
    [40, [free(10), from('beta', 30)], 60],
    [41, [free(10), from('beta', 30), from('acme', 1)], 59],
    [60, [free(10), from('beta', 30), from('acme', 20)], 40],
    [61, [free(10), from('beta', 30), from('acme', 20), own(1)], 39],
    [100, [free(10), from('beta', 30), from('acme', 20), own(40)], 0],
  ])('of %d tokens takes free, then allocated by first receipt, then purchased', (tokens, charged, balance) => {
    const { verdict } = user().when(use, { tokens }, NOON);
    const [event] = verdict.events;
    expect(event?.type === 'TokensUsed' && event.data.charged).toEqual(charged);
    expect(event?.type === 'TokensUsed' && event.data.balanceAfter.balance).toBe(balance);
  });

  it('of one token more than there is takes nothing, and says what is missing', () => {
    const scenario = user();
    const before = structuredClone(scenario.wallet);
    scenario.when(use, { tokens: 101 }, NOON).thenRefused('INSUFFICIENT_TOKENS', {
      requested: 101,
      available: 100,
      missing: 1,
      sources: [
        { source: 'free', available: 10 },
        { source: 'allocated', organisationId: 'beta', available: 30 },
        { source: 'allocated', organisationId: 'acme', available: 20 },
        { source: 'purchased', available: 40 },
      ],
    });
    expect(scenario.wallet).toEqual(before);
  });

  it('keeps the order of first receipt, whatever was drawn and received since', () => {
    user()
      .when(use, { tokens: 30, sources: ['allocated'] }, NOON)
      .then([{ type: 'TokensUsed', data: { charged: [from('beta', 30)] } }])
      .and(NOON, received('acme', 5), received('beta', 5))
      .when(use, { tokens: 6, sources: ['allocated'] }, NOON)
      .then([{ type: 'TokensUsed', data: { charged: [from('beta', 5), from('acme', 1)] } }]);
  });

  it.each<[UseTokens['sources'], number]>([
    [['free'], 10],
    [['allocated'], 50],
    [['purchased'], 40],
    [['purchased', 'free'], 50],
    [['allocated', 'free'], 60],
    [['purchased', 'allocated'], 90],
    [['purchased', 'allocated', 'free'], 100],
  ])('from %j may take %d tokens, in the usual order', (sources, all) => {
    const order = ['free', 'allocated', 'purchased'].filter((source) => sources?.some((one) => one === source));
    const taken = user().when(use, { tokens: all, sources }, NOON).verdict.events[0];
    const drawn = taken?.type === 'TokensUsed' ? taken.data.charged.map(({ source }) => source) : [];
    expect([...new Set(drawn)]).toEqual(order);
    user()
      .when(use, { tokens: all + 1, sources }, NOON)
      .thenRefused('INSUFFICIENT_TOKENS', { missing: 1, available: all });
  });

  it('asks for the policy of no organisation that it does not need', () => {
    const scenario = user();
    scenario.when(use, { tokens: 10 }, NOON).then([{ type: 'TokensUsed', data: { considered: [] } }]);
    expect(scenario.log.asked).toEqual([]);
    scenario.when(use, { tokens: 1, sources: ['purchased'] }, NOON).then([{ type: 'TokensUsed', data: { considered: [] } }]);
    expect(scenario.log.asked).toEqual([]);
  });
});

describe('the organisation that a usage names', () => {
  it('alone gives allocated tokens; free and purchased go on as ever', () => {
    user()
      .when(use, { tokens: 61, organisationId: 'acme' }, NOON)
      .then([{ type: 'TokensUsed', data: { charged: [free(10), from('acme', 20), own(31)] } }]);
    user()
      .when(use, { tokens: 21, organisationId: 'acme', sources: ['allocated'] }, NOON)
      .thenRefused('INSUFFICIENT_TOKENS', { available: 20, missing: 1, sources: [{ organisationId: 'acme', available: 20 }] });
  });

  it('must exist, even where free tokens would do, and before the clock is asked', () => {
    const facts = { organisationId: 'ghost' };
    user().when(use, { tokens: 1, organisationId: 'ghost' }, NOON).thenRefused('ORGANISATION_NOT_FOUND', facts);
    user()
      .when(use, { tokens: 1, organisationId: 'ghost', sources: ['purchased'] }, NOON)
      .thenRefused('ORGANISATION_NOT_FOUND', facts);
    user()
      .when(use, { tokens: 1, organisationId: 'ghost', occurredAt: '2026-01-01T00:00:00.000Z' }, NOON)
      .thenRefused('ORGANISATION_NOT_FOUND', facts);
  });

  it('may be one that never gave anything', () => {
    const scenario = user().under('third', opened());
    scenario
      .when(use, { tokens: 11, organisationId: 'third' }, NOON)
      .then([{ type: 'TokensUsed', data: { charged: [free(10), own(1)], considered: [] } }]);
    expect(scenario.wallet.relationships.has('third')).toBe(false);
  });

  it('refuses by name when it has suspended the user', () => {
    const scenario = user().under('acme', suspended('u1'));
    const facts = { userId: 'u1', organisationId: 'acme', organisationIds: ['acme'] };
    scenario.when(use, { tokens: 1, organisationId: 'acme' }, NOON).thenRefused('MEMBER_SUSPENDED', facts);
    scenario.when(use, { tokens: 1_000, organisationId: 'acme' }, NOON).thenRefused('MEMBER_SUSPENDED', facts);
    scenario.under('acme', resumed('u1'));
    scenario.when(use, { tokens: 11, organisationId: 'acme' }, NOON).then([{ type: 'TokensUsed' }]);
  });
});

describe('a suspended relationship', () => {
  it('is skipped', () => {
    user()
      .under('beta', suspended('u1'))
      .when(use, { tokens: 61 }, NOON)
      .then([
        {
          type: 'TokensUsed',
          data: {
            charged: [free(10), from('acme', 20), own(31)],
            considered: [
              { organisationId: 'beta', status: 'suspended', usable: false, tokens: 0, windows: { daily: { used: 0 } } },
              { organisationId: 'acme', usable: true, tokens: 20 },
            ],
          },
        },
      ]);
  });

  it('that gave nothing has no counters', () => {
    const scenario = user().under('beta', suspended('u1'));
    scenario.when(use, { tokens: 61 }, NOON).then([{ type: 'TokensUsed' }]);
    expect([...(scenario.wallet.relationships.get('beta')?.used.keys() ?? ['unknown'])]).toEqual([]);
  });

  it('is the reason of the refusal where resuming would fund it, to the token', () => {
    const facts = { userId: 'u1', organisationId: 'beta', organisationIds: ['beta'] };
    user().under('beta', suspended('u1')).when(use, { tokens: 100 }, NOON).thenRefused('MEMBER_SUSPENDED', facts);
    user()
      .under('beta', suspended('u1'))
      .when(use, { tokens: 101 }, NOON)
      .thenRefused('INSUFFICIENT_TOKENS', {
        available: 70,
        missing: 31,
        sources: [
          { available: 10 },
          { organisationId: 'beta', available: 0 },
          { organisationId: 'acme', available: 20 },
          { available: 40 },
        ],
      });
    user()
      .under('beta', suspended('u1'))
      .under('acme', suspended('u1'))
      .when(use, { tokens: 51 }, NOON)
      .thenRefused('MEMBER_SUSPENDED', { organisationIds: ['beta', 'acme'] });
  });

  it('stays so when the member is removed, and a member removed otherwise may go on', () => {
    user()
      .under('acme', removed('u1'))
      .when(use, { tokens: 60 }, NOON)
      .then([{ type: 'TokensUsed' }]);
    user()
      .under('acme', suspended('u1'), removed('u1'))
      .when(use, { tokens: 20, organisationId: 'acme', sources: ['allocated'] }, NOON)
      .thenRefused('MEMBER_SUSPENDED');
    user()
      .under('acme', suspended('u1'), removed('u1'), permitted('u1'))
      .when(use, { tokens: 60 }, NOON)
      .then([{ type: 'TokensUsed' }]);
  });
});

describe('why a usage is refused', () => {
  const limited = (limit: number) => user().under('acme', defaultLimits({ usage: { daily: limit } }));

  it('is a limit, if lifting limits alone would fund it, to the token', () => {
    limited(15)
      .when(use, { tokens: 95 }, NOON)
      .then([{ type: 'TokensUsed' }, { type: 'LimitReached' }]);
    limited(15)
      .when(use, { tokens: 96 }, NOON)
      .thenRefused('LIMIT_EXCEEDED', {}, [{ type: 'LimitReached' }]);
    limited(15)
      .when(use, { tokens: 100 }, NOON)
      .thenRefused('LIMIT_EXCEEDED', {}, [{ type: 'LimitReached' }]);
    limited(15).when(use, { tokens: 101 }, NOON).thenRefused('INSUFFICIENT_TOKENS', { available: 95, missing: 6 });
  });

  it('is the suspension, where lifting the limits of others would not do, whatever their limits', () => {
    const both = () => limited(15).under('beta', suspended('u1'));
    both()
      .when(use, { tokens: 66 }, NOON)
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ organisationId: 'acme' }] }, [{ type: 'LimitReached' }]);
    both()
      .when(use, { tokens: 70 }, NOON)
      .thenRefused('LIMIT_EXCEEDED', {}, [{ type: 'LimitReached' }]);
    both()
      .when(use, { tokens: 71 }, NOON)
      .thenRefused('MEMBER_SUSPENDED', { organisationIds: ['beta'] });
    both().when(use, { tokens: 95 }, NOON).thenRefused('MEMBER_SUSPENDED');
    // Resuming alone would leave 95: of two reasons the one to be dealt with first is named, the limit follows when it is its turn.
    both().when(use, { tokens: 100 }, NOON).thenRefused('MEMBER_SUSPENDED');
    both().when(use, { tokens: 101 }, NOON).thenRefused('INSUFFICIENT_TOKENS');
  });

  it('is no limit of a relationship that is suspended', () => {
    user()
      .under('beta', suspended('u1'), defaultLimits({ usage: { daily: 0 } }))
      .when(use, { tokens: 71 }, NOON)
      .thenRefused('MEMBER_SUSPENDED');
  });

  it('is no limit where sources leave the allocated tokens out', () => {
    limited(0)
      .when(use, { tokens: 51, sources: ['free', 'purchased'] }, NOON)
      .thenRefused('INSUFFICIENT_TOKENS', { missing: 1, sources: [{ source: 'free' }, { source: 'purchased' }] });
  });
});

describe('the cost of a usage', () => {
  it.each<[string, number]>([
    ['0.10', 19],
    ['0.000000000001', 1],
    ['0.0078', 1],
    // 0.0789 EUR are 14.991 tokens; 0.007894736842 are 1.49999..., and 0.25 are 47.5: half a token goes up.
    ['0.0789', 15],
    ['0.007894736842', 1],
    ['0.25', 48],
  ])('of %s EUR is %d tokens', (variableCostEuros, tokens) => {
    givenUser(bought(1_000))
      .when(use, { variableCostEuros }, NOON)
      .then([{ type: 'UserWalletOpened' }, { type: 'TokensUsed', data: { tokens, variableCostEuros } }]);
  });

  it('goes by the price table that is set', () => {
    givenUserWith({ priceTable: { ...PRICE_TABLE, usage: { percentOfCost: 100 } } }, walletOpened(), bought(1_000))
      .when(use, { variableCostEuros: '0.10' }, NOON)
      .then([{ type: 'TokensUsed', data: { tokens: 10 } }]);
  });

  it.each<Body<UseTokens>>([
    { variableCostEuros: '0' },
    { variableCostEuros: '0.0' },
    { variableCostEuros: '-1' },
    { variableCostEuros: '1e3' },
    {},
  ])('is refused as %j', (body) => {
    givenUser(bought(1_000))
      .when(use, body, NOON)
      .thenRefused('VALIDATION_FAILED', { errors: [{ field: '/variableCostEuros' }] });
  });
});

describe('the first usage of a user never heard of', () => {
  it('opens the wallet and grants the default allowance in the same append', () => {
    givenUserWith({ freeTokensPerMonth: 50 })
      .when(use, { tokens: 50 }, NOON, { key: 'k1' })
      .then([
        { type: 'UserWalletOpened', data: { at: NOON, userId: 'u1', freeTokensPerMonth: 50, balanceAfter: { balance: 0 } } },
        { type: 'FreeAllowanceGranted', data: { month: '2026-11', tokens: 50, lapsed: 0, balanceAfter: { balance: 50 } } },
        { type: 'TokensUsed', data: { charged: [free(50)], balanceAfter: { free: { tokens: 0, month: '2026-11' }, balance: 0 } } },
      ])
      .when(use, { tokens: 50 }, NOON, { key: 'k1' })
      .thenReplayed(2);
  });

  it('opens nothing when it is refused', () => {
    givenUserWith({ freeTokensPerMonth: 50 })
      .when(use, { tokens: 51 }, NOON)
      .thenRefused('INSUFFICIENT_TOKENS', {
        available: 50,
        sources: [
          { source: 'free', available: 50 },
          { source: 'purchased', available: 0 },
        ],
      });
  });
});

describe('an organisation', () => {
  it('has no say over what another one allocated', () => {
    const scenario = user().under('acme', suspended('u1'), defaultLimits({ usage: { daily: 0 } }), purchased(1_000));
    scenario.when(use, { tokens: 30, organisationId: 'beta', sources: ['allocated'] }, NOON).then([{ type: 'TokensUsed' }]);
  });

  it('is read again when what was read is older than what the user has seen', () => {
    const scenario = user();
    scenario
      .when(use, { tokens: 11 }, NOON)
      .then([{ type: 'TokensUsed', data: { considered: [{ organisationId: 'beta', revision: 1 }] } }]);
    expect(scenario.log.asked).toEqual(['policy:beta', 'policy:acme']);
    const policy = (organisationId: string, revision: number) => {
      const held = scenario.around.policy(organisationId, 'u1');
      return [organisationId, held && { ...held, revision }] as const;
    };
    const decide = (revision: number) => {
      const policies = new Map([policy('beta', revision), policy('acme', 0)]);
      const given = {
        at: Date.parse(NOON),
        newId: 'id',
        settings: SETTINGS,
        policies,
        older: new Map(),
        stored: new Map(),
        memberships: new Map(),
      };
      const envelope = { actor: 'tester', role: 'platform', requestId: 'r', correlationId: 'r' };
      return use(scenario.wallet, { tokens: 1, wallet: { kind: 'user', id: 'u1' }, envelope }, given);
    };
    expect(decide(0)).toEqual(new Missing({ organisationIds: ['beta'] }));
    expect(decide(1)).toHaveLength(1);
    expect(decide(2)).toHaveLength(1);
  });
});
