import { accrueStorageForOrganisation, accrueStorageForUser, chargeBillForOrganisation } from './bills';
import { purchaseForOrganisation } from './organisation-wallet';
import { booked, GIGABYTE, hostingOfPlaces, storageOf } from './testing/bill-bodies';
import { bought, granted, opened, purchased, received, walletOpened, zoneSet } from './testing/facts';
import { given, givenUser, givenUserWith } from './testing/given';
import { purchaseForUser } from './user-wallet';

const NOON = '2026-11-23T12:00:00.000Z';
const H72 = 72 * 3_600_000;
const accrued = { type: 'StorageAccrued' } as const;
const shifted = (at: string, ms: number) => new Date(Date.parse(at) + ms).toISOString();
const nextDay = (day: string) => shifted(`${day}T00:00:00.000Z`, 24 * 3_600_000).slice(0, 10);

describe('a day of storage', () => {
  it('charges whole tokens as they gather and carries the rest, exactly', () => {
    const acme = given(opened(), purchased(1_000));
    acme.when(accrueStorageForOrganisation, storageOf('2026-11-23'), NOON).then([accrued]);
    expect(acme.stored.at(-1)).toEqual({
      type: 'StorageAccrued',
      data: {
        at: NOON,
        day: '2026-11-23',
        bytes: 120 * GIGABYTE,
        accruedTokens: '15.827',
        chargedTokens: 15,
        carriedTokens: '0.827',
        owedTokens: 0,
        declined: false,
        charged: [{ source: 'purchased', tokens: 15 }],
        owed: 0,
        balanceAfter: { available: 985, balance: 985 },
      },
    });
    acme
      .when(accrueStorageForOrganisation, storageOf('2026-11-22'), NOON)
      .then([{ type: 'StorageAccrued', data: { accruedTokens: '15.827', chargedTokens: 16, carriedTokens: '0.654' } }])
      .when(accrueStorageForOrganisation, storageOf('2026-11-21', GIGABYTE + 1), NOON)
      .then([{ type: 'StorageAccrued', data: { accruedTokens: '0.000000000133', chargedTokens: 0, carriedTokens: '0.654000000133' } }])
      .when(accrueStorageForOrganisation, storageOf('2026-11-20', GIGABYTE), NOON)
      .then([{ type: 'StorageAccrued', data: { accruedTokens: '0', chargedTokens: 0, carriedTokens: '0.654000000133', charged: [] } }]);
    expect(booked(acme.log).of('platform:bills')).toBe(31);
    expect(acme.log.replayed()).toEqual(acme.wallet);
  });

  it('charges a token at the very pico that completes it', () => {
    // 133 x 7,518,796,992 bytes fall 64 pico-tokens short of a token.
    const bytes = GIGABYTE + 7_518_796_992;
    given(opened(), purchased(10))
      .when(accrueStorageForOrganisation, storageOf('2026-11-23', bytes), NOON)
      .then([{ type: 'StorageAccrued', data: { chargedTokens: 0, carriedTokens: '0.999999999936' } }])
      .when(accrueStorageForOrganisation, storageOf('2026-11-22', GIGABYTE + 1), NOON)
      .then([{ type: 'StorageAccrued', data: { chargedTokens: 1, carriedTokens: '0.000000000069' } }]);
    // A whole number of tokens leaves nothing to carry: 10^12 bytes cost 133.
    given(opened(), purchased(133))
      .when(accrueStorageForOrganisation, storageOf('2026-11-23', 1_001 * GIGABYTE), NOON)
      .then([{ type: 'StorageAccrued', data: { accruedTokens: '133', chargedTokens: 133, carriedTokens: '0' } }]);
  });

  it('is accrued once, whatever the key, the policy and the size', () => {
    given(opened(), purchased(100))
      .when(accrueStorageForOrganisation, storageOf('2026-11-23', 0), NOON, { key: 'k1' })
      .then([accrued])
      .when(accrueStorageForOrganisation, storageOf('2026-11-23', 0), NOON, { key: 'k2' })
      .thenRefused('BILL_EXISTS', { kind: 'storage', day: '2026-11-23' })
      .when(accrueStorageForOrganisation, storageOf('2026-11-23', 5 * GIGABYTE, 'owe'), NOON)
      .thenRefused('BILL_EXISTS')
      .when(accrueStorageForOrganisation, storageOf('2026-11-23', 0), '2027-11-23T12:00:00.000Z', { key: 'k1' })
      .thenReplayed(2);
  });

  it('needs an organisation that is there', () => {
    given().when(accrueStorageForOrganisation, storageOf('2026-02-30'), NOON).thenRefused('ORGANISATION_NOT_FOUND');
  });

  it('of the largest body stays exact', () => {
    given(opened())
      .when(accrueStorageForOrganisation, storageOf('2026-11-23', Number.MAX_SAFE_INTEGER, 'owe'), NOON)
      .then([
        {
          type: 'StorageAccrued',
          data: { accruedTokens: '1197957.367880551803', owedTokens: 1_197_957, carriedTokens: '0.367880551803', owed: 1_197_957 },
        },
      ]);
  });
});

describe('the days that storage may be of', () => {
  const zones: [zone: string, day: string, endsAt: string][] = [
    ['UTC', '2026-11-20', '2026-11-21T00:00:00.000Z'],
    ['Pacific/Kiritimati', '2026-11-20', '2026-11-20T10:00:00.000Z'],
    ['Etc/GMT+12', '2026-11-20', '2026-11-21T12:00:00.000Z'],
    ['Asia/Kathmandu', '2026-12-31', '2026-12-31T18:15:00.000Z'],
    // Days of 25 and 23 hours; one that ends where the next begins at 01:00, and one that has its last hour twice.
    ['Europe/Berlin', '2026-10-25', '2026-10-25T23:00:00.000Z'],
    ['Europe/Berlin', '2027-03-28', '2027-03-28T22:00:00.000Z'],
    ['America/Santiago', '2027-09-04', '2027-09-05T04:00:00.000Z'],
    ['Asia/Beirut', '2027-10-30', '2027-10-30T22:00:00.000Z'],
    ['UTC', '2028-02-28', '2028-02-29T00:00:00.000Z'],
    ['UTC', '2028-02-29', '2028-03-01T00:00:00.000Z'],
  ];

  it.each(zones)('in %s: %s ends at %s, and may come until 72 h after it', (zone, day, endsAt) => {
    const last = shifted(endsAt, H72);
    const late = shifted(endsAt, H72 + 1);
    given(opened(zone)).when(accrueStorageForOrganisation, storageOf(day, 0), last).then([accrued]);
    given(opened(zone)).when(accrueStorageForOrganisation, storageOf(day, 0), late).thenRefused('TOO_OLD', { day, endedAt: endsAt });
    givenUserWith({ platformTimeZone: zone }, walletOpened()).when(accrueStorageForUser, storageOf(day, 0), last).then([accrued]);
    givenUserWith({ platformTimeZone: zone }, walletOpened())
      .when(accrueStorageForUser, storageOf(day, 0), late)
      .thenRefused('TOO_OLD', { day, endedAt: endsAt });
  });

  it.each(zones)('in %s: %s is today until %s, and the next day is refused until then', (zone, day, endsAt) => {
    const before = shifted(endsAt, -1);
    const message = `must be ${day} or a day before it`;
    const tomorrow = storageOf(nextDay(day), 0);
    const errors = [{ field: '/day', value: nextDay(day), message }];
    given(opened(zone))
      .when(accrueStorageForOrganisation, storageOf(day, 0), before)
      .then([accrued])
      .when(accrueStorageForOrganisation, tomorrow, before)
      .thenRefused('VALIDATION_FAILED', { errors })
      .when(accrueStorageForOrganisation, tomorrow, endsAt)
      .then([accrued]);
    givenUserWith({ platformTimeZone: zone }, walletOpened())
      .when(accrueStorageForUser, tomorrow, before)
      .thenRefused('VALIDATION_FAILED', { errors })
      .when(accrueStorageForUser, tomorrow, endsAt)
      .then([accrued]);
  });

  it.each(['2026-11-31', '2026-02-30', '2026-02-29', '2027-02-29', '2100-02-29', '2026-04-31'])(
    'refuses %s, which no calendar has',
    (day) => {
      const errors = [{ field: '/day', value: day, message: 'must be a day of the calendar such as 2026-11-23' }];
      given(opened())
        .when(accrueStorageForOrganisation, storageOf(day), '2027-03-01T12:00:00.000Z')
        .thenRefused('VALIDATION_FAILED', { errors });
    },
  );

  it('refuses the ends of what a text can name without falling over', () => {
    const acme = given(opened('Pacific/Kiritimati'));
    acme.when(accrueStorageForOrganisation, storageOf('9999-12-31'), NOON).thenRefused('VALIDATION_FAILED');
    for (const day of ['0001-01-01', '0000-01-01']) acme.when(accrueStorageForOrganisation, storageOf(day), NOON).thenRefused('TOO_OLD');
  });

  it('looks at the clock before what was accrued', () => {
    given(opened())
      .when(accrueStorageForOrganisation, storageOf('2026-11-23', 0), NOON)
      .then([accrued])
      .when(accrueStorageForOrganisation, storageOf('2026-11-23', 0), '2026-11-27T00:00:00.001Z')
      .thenRefused('TOO_OLD');
  });

  it('are those of the zone in force: a zone that goes back opens no day a second time', () => {
    given(opened('Pacific/Kiritimati'))
      .when(accrueStorageForOrganisation, storageOf('2026-11-24', 0), NOON)
      .then([accrued])
      .and(NOON, zoneSet('Etc/GMT+12'))
      .when(accrueStorageForOrganisation, storageOf('2026-11-24', 0), NOON)
      .thenRefused('VALIDATION_FAILED')
      .when(accrueStorageForOrganisation, storageOf('2026-11-24', 0), '2026-11-24T12:00:00.000Z')
      .thenRefused('BILL_EXISTS');
  });
});

describe('storage that is not covered', () => {
  it('is declined: accrued all the same, its whole tokens stay in the carry, and a later day charges all', () => {
    const acme = given(opened(), purchased(14));
    acme
      .when(accrueStorageForOrganisation, storageOf('2026-11-21'), NOON, { key: 'k1' })
      .then([
        {
          type: 'StorageAccrued',
          data: { accruedTokens: '15.827', chargedTokens: 0, carriedTokens: '15.827', owedTokens: 0, declined: true, charged: [], owed: 0 },
        },
        { type: 'BillDeclined', data: { kind: 'storage', month: '2026-11', tokens: 15, missing: 1, balanceAfter: { available: 14 } } },
      ])
      .when(accrueStorageForOrganisation, storageOf('2026-11-21'), NOON, { key: 'k1' })
      .thenReplayed(2);
    expect(acme.wallet).toMatchObject({ available: 14, billing: { storageDeclined: true, owed: 0 } });
    acme
      .when(accrueStorageForOrganisation, storageOf('2026-11-22'), NOON)
      .then([{ type: 'StorageAccrued', data: { declined: true, chargedTokens: 0, carriedTokens: '31.654' } }])
      .when(purchaseForOrganisation, { tokens: 200, paymentReference: 'p1' }, NOON)
      .then([{ type: 'TokensPurchased', data: { owedPaid: 0 } }]);
    expect(acme.wallet.billing.storageDeclined).toBe(true);
    acme
      .when(accrueStorageForOrganisation, storageOf('2026-11-23', 0), NOON)
      .then([{ type: 'StorageAccrued', data: { accruedTokens: '0', chargedTokens: 31, carriedTokens: '0.654', declined: false } }]);
    expect(acme.wallet).toMatchObject({ available: 183, billing: { storageDeclined: false } });
    expect(acme.log.replayed()).toEqual(acme.wallet);
  });

  it('says so once a month, by the month of the day, apart from hosting', () => {
    const acme = given(opened());
    const said = (month: string) => [accrued, { type: 'BillDeclined' as const, data: { kind: 'storage', month } }];
    const at = '2026-12-01T12:00:00.000Z';
    acme.when(accrueStorageForOrganisation, storageOf('2026-11-29'), at).then(said('2026-11'));
    acme.when(chargeBillForOrganisation, hostingOfPlaces('2026-11', 1), at).then([{ type: 'BillDeclined', data: { kind: 'hosting' } }]);
    acme.when(accrueStorageForOrganisation, storageOf('2026-12-01'), at).then(said('2026-12'));
    acme.when(accrueStorageForOrganisation, storageOf('2026-11-30'), at).then([accrued]);
    acme
      .when(chargeBillForOrganisation, hostingOfPlaces('2026-12', 1), at)
      .then([{ type: 'BillDeclined', data: { kind: 'hosting', month: '2026-12' } }]);
  });

  it('is not declined when there is no whole token to charge', () => {
    given(opened())
      .when(accrueStorageForOrganisation, storageOf('2026-11-22', 8 * GIGABYTE), NOON)
      .then([{ type: 'StorageAccrued', data: { declined: false, chargedTokens: 0, carriedTokens: '0.931' } }])
      .when(accrueStorageForOrganisation, storageOf('2026-11-23', 8 * GIGABYTE), NOON)
      .then([
        { type: 'StorageAccrued', data: { declined: true, carriedTokens: '1.862' } },
        { type: 'BillDeclined', data: { tokens: 1 } },
      ]);
  });

  it('is owed: what is there is taken, the rest of the whole tokens is a debt and leaves the carry', () => {
    const acme = given(opened(), purchased(10));
    acme
      .when(accrueStorageForOrganisation, storageOf('2026-11-22', 120 * GIGABYTE, 'owe'), NOON)
      .then([
        {
          type: 'StorageAccrued',
          data: { chargedTokens: 10, owedTokens: 5, carriedTokens: '0.827', declined: false, owed: 5, balanceAfter: { available: 0 } },
        },
      ])
      .when(accrueStorageForOrganisation, storageOf('2026-11-23'), NOON)
      .then([
        { type: 'StorageAccrued', data: { declined: true, carriedTokens: '16.654', owedTokens: 0, owed: 5 } },
        { type: 'BillDeclined' },
      ]);
    expect(acme.wallet.billing).toMatchObject({ owed: 5, storageDeclined: true });
    acme
      .when(accrueStorageForOrganisation, storageOf('2026-11-21', 0, 'owe'), NOON)
      .then([{ type: 'StorageAccrued', data: { owedTokens: 16, carriedTokens: '0.654', owed: 21, declined: false } }]);
    expect(acme.wallet.billing).toMatchObject({ owed: 21, storageDeclined: false });
  });
});

describe('storage of a user', () => {
  it('takes free tokens first, then purchased ones, and never allocated ones', () => {
    const user = givenUser(walletOpened(10), granted(10, '2026-11'), received('acme', 500), bought(8));
    user
      .when(accrueStorageForUser, storageOf('2026-11-22'), NOON)
      .then([
        {
          type: 'StorageAccrued',
          data: {
            charged: [
              { source: 'free', tokens: 10 },
              { source: 'purchased', tokens: 5 },
            ],
            balanceAfter: { free: { tokens: 0, month: '2026-11' }, purchased: 3, balance: 503 },
          },
        },
      ])
      .when(accrueStorageForUser, storageOf('2026-11-23'), NOON)
      .then([
        { type: 'StorageAccrued', data: { declined: true, carriedTokens: '16.654', balanceAfter: { balance: 503 } } },
        { type: 'BillDeclined', data: { missing: 13 } },
      ]);
  });

  it('grants the new month first, and a wallet never heard of is opened', () => {
    givenUserWith({ freeTokensPerMonth: 20 })
      .when(accrueStorageForUser, storageOf('2026-11-30'), '2026-11-30T23:59:59.999Z', { key: 'k1' })
      .then([{ type: 'UserWalletOpened' }, { type: 'FreeAllowanceGranted', data: { tokens: 20 } }, accrued])
      .when(accrueStorageForUser, storageOf('2026-12-01'), '2026-12-01T00:00:00.000Z', { key: 'k2' })
      .then([
        { type: 'FreeAllowanceGranted', data: { month: '2026-12', lapsed: 5 } },
        { type: 'StorageAccrued', data: { chargedTokens: 16, balanceAfter: { free: { tokens: 4, month: '2026-12' } } } },
      ])
      .when(accrueStorageForUser, storageOf('2026-11-30'), '2026-12-31T00:00:00.000Z', { key: 'k1' })
      .thenReplayed(2);
  });

  it('that was declined is charged by the first day that finds the funds', () => {
    const user = givenUser();
    user.when(accrueStorageForUser, storageOf('2026-11-22'), NOON).then([{ type: 'UserWalletOpened' }, accrued, { type: 'BillDeclined' }]);
    user.when(purchaseForUser, { tokens: 200, paymentReference: 'p1' }, NOON).then([{ type: 'TokensPurchased' }]);
    user
      .when(accrueStorageForUser, storageOf('2026-11-23'), NOON)
      .then([{ type: 'StorageAccrued', data: { chargedTokens: 31, carriedTokens: '0.654', balanceAfter: { purchased: 169 } } }]);
  });
});
