import { chargeBillForOrganisation, chargeBillForUser } from './bills';
import type { ShortfallPolicy } from './events';
import { purchaseForOrganisation, openOrganisation } from './organisation-wallet';
import { booked, hostingOfPlaces } from './testing/bill-bodies';
import { bought, granted, opened, purchased, received, walletOpened } from './testing/facts';
import { given, givenUser, givenUserWith } from './testing/given';
import { purchaseForUser } from './user-wallet';

const NOON = '2026-11-23T12:00:00.000Z';
const NOVEMBER = '2026-11';
const charged = { type: 'BillCharged' } as const;
const declined = { type: 'BillDeclined' } as const;
const policies: ShortfallPolicy[] = ['decline', 'owe'];

describe('a hosting bill', () => {
  it('charges what is beyond the first campus and the first three courses, and says what was free', () => {
    const body = { ...hostingOfPlaces(NOVEMBER, 0), campuses: [75, 75], courses: [30, 30, 30, 30, 30, 30] };
    const acme = given(opened(), purchased(2_000));
    acme.when(chargeBillForOrganisation, body, NOON, { key: 'k1' }).then([charged]);
    expect(acme.stored.at(-1)).toEqual({
      type: 'BillCharged',
      data: {
        at: NOON,
        billId: 'id-1',
        kind: 'hosting',
        month: NOVEMBER,
        tokens: 1_650,
        chargedTokens: 1_650,
        owedTokens: 0,
        breakdown: { billableCampuses: 1, billableCourses: 3, billablePlaces: 165 },
        charged: [{ source: 'purchased', tokens: 1_650 }],
        owed: 0,
        balanceAfter: { available: 350, balance: 350 },
      },
    });
    expect(booked(acme.log).of('platform:bills')).toBe(1_650);
  });

  it.each(policies)('of nothing billable charges nothing and closes the month (%s)', (onShortfall) => {
    const none = { ...hostingOfPlaces(NOVEMBER, 0, onShortfall), campuses: [75], courses: [] };
    given(opened())
      .when(chargeBillForOrganisation, none, NOON)
      .then([{ type: 'BillCharged', data: { tokens: 0, chargedTokens: 0, owedTokens: 0, owed: 0, charged: [] } }])
      .when(chargeBillForOrganisation, hostingOfPlaces(NOVEMBER, 1, 'owe'), NOON)
      .thenRefused('BILL_EXISTS', { kind: 'hosting', month: NOVEMBER });
    const user = givenUser();
    user.when(chargeBillForUser, none, NOON).then([{ type: 'UserWalletOpened' }, charged]);
    expect(user.stored.at(-1)?.data).toMatchObject({ balanceAfter: { balance: 0 } });
  });

  it('is one per owner and month for ever, whatever the key, the policy and the numbers', () => {
    given(opened(), purchased(1_000))
      .when(chargeBillForOrganisation, hostingOfPlaces(NOVEMBER, 5), NOON, { key: 'k1' })
      .then([charged])
      .when(chargeBillForOrganisation, hostingOfPlaces(NOVEMBER, 5), NOON, { key: 'k2' })
      .thenRefused('BILL_EXISTS')
      .when(chargeBillForOrganisation, hostingOfPlaces(NOVEMBER, 6, 'owe'), '2031-01-01T00:00:00.000Z', { key: 'k3' })
      .thenRefused('BILL_EXISTS')
      .when(chargeBillForOrganisation, hostingOfPlaces(NOVEMBER, 5), '2031-01-01T00:00:00.000Z', { key: 'k1' })
      .thenReplayed(2)
      .when(chargeBillForOrganisation, hostingOfPlaces(NOVEMBER, 6), NOON, { key: 'k1' })
      .thenRefused('KEY_REUSED')
      .when(chargeBillForOrganisation, hostingOfPlaces('2026-10', 5), NOON, { key: 'k4' })
      .then([charged]);
  });

  it('may be of any month that has passed, and of none that is to come', () => {
    const acme = given(opened(), purchased(1_000));
    for (const month of ['0001-01', '1999-12', '2025-11', '2026-10', NOVEMBER])
      acme.when(chargeBillForOrganisation, hostingOfPlaces(month, 1), NOON).then([{ type: 'BillCharged', data: { month } }]);
    for (const month of ['2026-12', '2027-01', '9999-12'])
      acme
        .when(chargeBillForOrganisation, hostingOfPlaces(month, 1), NOON)
        .thenRefused('VALIDATION_FAILED', { errors: [{ field: '/month', value: month, message: 'must be 2026-11 or a month before it' }] });
  });

  it('needs an organisation that is there', () => {
    given().when(chargeBillForOrganisation, hostingOfPlaces('2031-01', 1), NOON).thenRefused('ORGANISATION_NOT_FOUND');
  });

  it.each([
    // Behind and ahead of UTC as far as zones go, and months that end by another clock than they began with.
    ['UTC', '2026-12', '2026-12-01T00:00:00.000Z'],
    ['Pacific/Kiritimati', '2026-12', '2026-11-30T10:00:00.000Z'],
    ['Etc/GMT+12', '2026-12', '2026-12-01T12:00:00.000Z'],
    ['Europe/Berlin', '2026-11', '2026-10-31T23:00:00.000Z'],
    ['Europe/Berlin', '2027-04', '2027-03-31T22:00:00.000Z'],
    ['America/New_York', '2026-11', '2026-11-01T04:00:00.000Z'],
    ['America/New_York', '2026-12', '2026-12-01T05:00:00.000Z'],
    ['Asia/Kathmandu', '2027-01', '2026-12-31T18:15:00.000Z'],
    ['Europe/Lisbon', '2028-03', '2028-03-01T00:00:00.000Z'],
  ])('begins a month by the zone of its owner: in %s %s begins at %s', (timeZone, month, begins) => {
    const before = new Date(Date.parse(begins) - 1).toISOString();
    given(opened(timeZone), purchased(100))
      .when(chargeBillForOrganisation, hostingOfPlaces(month, 1), before)
      .thenRefused('VALIDATION_FAILED')
      .when(chargeBillForOrganisation, hostingOfPlaces(month, 1), begins)
      .then([{ type: 'BillCharged', data: { month } }]);
    givenUserWith({ platformTimeZone: timeZone }, walletOpened(), bought(100))
      .when(chargeBillForUser, hostingOfPlaces(month, 1), before)
      .thenRefused('VALIDATION_FAILED')
      .when(chargeBillForUser, hostingOfPlaces(month, 1), begins)
      .then([{ type: 'BillCharged', data: { month } }]);
  });

  it('stays billed when the zone of the organisation goes back over the month', () => {
    given(opened('Pacific/Kiritimati'), purchased(100))
      .when(chargeBillForOrganisation, hostingOfPlaces('2026-12', 1), '2026-11-30T10:00:00.000Z')
      .then([charged])
      .when(openOrganisation, { timeZone: 'Etc/GMT+12' }, '2026-11-30T10:00:00.000Z')
      .then([{ type: 'TimeZoneSet' }])
      .when(chargeBillForOrganisation, hostingOfPlaces('2026-12', 1), '2026-11-30T10:00:00.000Z')
      .thenRefused('VALIDATION_FAILED')
      .when(chargeBillForOrganisation, hostingOfPlaces('2026-12', 1), '2026-12-01T12:00:00.000Z')
      .thenRefused('BILL_EXISTS');
  });
});

describe('the shortfall of a hosting bill', () => {
  it.each(policies)('is none when all is there, to the last token (%s)', (onShortfall) => {
    given(opened(), purchased(50))
      .when(chargeBillForOrganisation, hostingOfPlaces(NOVEMBER, 5, onShortfall), NOON)
      .then([{ type: 'BillCharged', data: { chargedTokens: 50, owedTokens: 0, owed: 0, balanceAfter: { available: 0 } } }]);
  });

  it('declines with one token missing, touching nothing', () => {
    const acme = given(opened(), purchased(49));
    acme.when(chargeBillForOrganisation, hostingOfPlaces(NOVEMBER, 5), NOON).then([
      {
        type: 'BillDeclined',
        data: {
          kind: 'hosting',
          month: NOVEMBER,
          tokens: 50,
          missing: 1,
          breakdown: { billableCampuses: 1, billableCourses: 0, billablePlaces: 5 },
          balanceAfter: { available: 49, balance: 49 },
        },
      },
    ]);
    expect(acme.wallet).toMatchObject({ available: 49, billing: { owed: 0, storageDeclined: false } });
  });

  it('owes with one token missing, and takes what is there', () => {
    const acme = given(opened(), purchased(49));
    acme
      .when(chargeBillForOrganisation, hostingOfPlaces(NOVEMBER, 5, 'owe'), NOON)
      .then([
        {
          type: 'BillCharged',
          data: { tokens: 50, chargedTokens: 49, owedTokens: 1, owed: 1, charged: [{ source: 'purchased', tokens: 49 }] },
        },
      ])
      .when(chargeBillForOrganisation, hostingOfPlaces('2026-10', 5, 'owe'), NOON)
      .then([{ type: 'BillCharged', data: { chargedTokens: 0, owedTokens: 50, owed: 51, charged: [], balanceAfter: { available: 0 } } }]);
    expect(booked(acme.log).of('platform:bills')).toBe(49);
  });

  it('is declined once a month; the month stays open for a new key, the declined key replays for ever', () => {
    const acme = given(opened(), purchased(49));
    const bill = hostingOfPlaces(NOVEMBER, 25);
    acme
      .when(chargeBillForOrganisation, bill, NOON, { key: 'k1' })
      .then([declined])
      .when(chargeBillForOrganisation, bill, NOON, { key: 'k1' })
      .thenReplayed(2)
      .when(chargeBillForOrganisation, bill, NOON, { key: 'k2' })
      .thenRefused('INSUFFICIENT_TOKENS', {
        requested: 250,
        available: 49,
        missing: 201,
        sources: [{ source: 'purchased', available: 49 }],
      })
      .when(chargeBillForOrganisation, hostingOfPlaces('2026-10', 25), NOON, { key: 'k3' })
      .then([{ type: 'BillDeclined', data: { month: '2026-10' } }])
      .when(purchaseForOrganisation, { tokens: 201, paymentReference: 'p1' }, NOON)
      .then([{ type: 'TokensPurchased', data: { owedPaid: 0 } }])
      .when(chargeBillForOrganisation, bill, NOON, { key: 'k1' })
      .thenReplayed(2)
      .when(chargeBillForOrganisation, bill, NOON, { key: 'k2' })
      .then([{ type: 'BillCharged', data: { chargedTokens: 250, balanceAfter: { available: 0 } } }])
      .when(chargeBillForOrganisation, bill, NOON, { key: 'k1' })
      .thenReplayed(2)
      .when(chargeBillForOrganisation, bill, NOON, { key: 'k4' })
      .thenRefused('BILL_EXISTS');
  });

  it('may be owed after it was declined', () => {
    given(opened(), purchased(49))
      .when(chargeBillForOrganisation, hostingOfPlaces(NOVEMBER, 5), NOON)
      .then([declined])
      .when(chargeBillForOrganisation, hostingOfPlaces(NOVEMBER, 5, 'owe'), NOON)
      .then([{ type: 'BillCharged', data: { chargedTokens: 49, owedTokens: 1 } }]);
  });

  it('is never more than a wallet may buy in its life: that much is declined, not owed', () => {
    const huge = (onShortfall: ShortfallPolicy) => ({
      ...hostingOfPlaces(NOVEMBER, 0, onShortfall),
      campuses: [0, ...Array.from({ length: 9_999 }, () => 10_000_000)],
    });
    given(opened(), purchased(99))
      .when(chargeBillForOrganisation, { ...huge('owe'), month: '2026-09' }, NOON)
      .then([{ type: 'BillCharged', data: { owed: 999_900_000_000 - 99 } }])
      .when(chargeBillForOrganisation, { ...huge('owe'), campuses: [0, 10_000_000, 9] }, NOON)
      .then([{ type: 'BillCharged', data: { owed: 1_000_000_000_000 - 9 } }])
      .when(chargeBillForOrganisation, hostingOfPlaces('2026-10', 1, 'owe'), NOON)
      .thenRefused('BALANCE_TOO_LARGE', { requested: 10, owed: 1_000_000_000_000 - 9, maximum: 10 ** 12 })
      .when(chargeBillForOrganisation, hostingOfPlaces('2026-10', 1), NOON)
      .then([declined]);
  });
});

describe('a hosting bill of a user', () => {
  it('takes free tokens first, then purchased ones, and never allocated ones', () => {
    const user = givenUser(walletOpened(30), granted(30, NOVEMBER), received('acme', 500), bought(100));
    user.when(chargeBillForUser, hostingOfPlaces(NOVEMBER, 2), NOON).then([
      {
        type: 'BillCharged',
        data: { charged: [{ source: 'free', tokens: 20 }], balanceAfter: { free: { tokens: 10, month: NOVEMBER }, balance: 610 } },
      },
    ]);
    user.when(chargeBillForUser, hostingOfPlaces('2026-10', 4), NOON).then([
      {
        type: 'BillCharged',
        data: {
          charged: [
            { source: 'free', tokens: 10 },
            { source: 'purchased', tokens: 30 },
          ],
          balanceAfter: { free: { tokens: 0, month: NOVEMBER }, purchased: 70, balance: 570 },
        },
      },
    ]);
    user
      .when(chargeBillForUser, hostingOfPlaces('2026-09', 8), NOON)
      .then([{ type: 'BillDeclined', data: { tokens: 80, missing: 10, balanceAfter: { balance: 570 } } }])
      .when(chargeBillForUser, hostingOfPlaces('2026-09', 8), NOON)
      .thenRefused('INSUFFICIENT_TOKENS', {
        available: 70,
        missing: 10,
        sources: [
          { source: 'free', available: 0 },
          { source: 'purchased', available: 70 },
        ],
      })
      .when(chargeBillForUser, hostingOfPlaces('2026-09', 8, 'owe'), NOON)
      .then([{ type: 'BillCharged', data: { chargedTokens: 70, owedTokens: 10, owed: 10, balanceAfter: { purchased: 0, balance: 500 } } }]);
    expect(user.log.asked).toEqual([]);
    expect(user.log.replayed()).toEqual(user.wallet);
  });

  it('grants the new month first, in the same append, and draws from it', () => {
    const december = '2026-12-01T00:00:00.000Z';
    givenUser(walletOpened(30), granted(30, NOVEMBER))
      .when(chargeBillForUser, hostingOfPlaces(NOVEMBER, 2), NOON)
      .then([charged])
      .when(chargeBillForUser, hostingOfPlaces('2026-12', 3), december, { key: 'k1' })
      .then([
        { type: 'FreeAllowanceGranted', data: { month: '2026-12', tokens: 30, lapsed: 10 } },
        {
          type: 'BillCharged',
          data: { charged: [{ source: 'free', tokens: 30 }], balanceAfter: { free: { tokens: 0, month: '2026-12' } } },
        },
      ])
      .when(chargeBillForUser, hostingOfPlaces('2026-12', 3), december, { key: 'k1' })
      .thenReplayed(4);
  });

  it('grants the new month before a decline too, but not before a refusal', () => {
    const user = givenUser(walletOpened(30), granted(30, NOVEMBER));
    user
      .when(chargeBillForUser, hostingOfPlaces(NOVEMBER, 4), '2026-12-01T00:00:00.000Z')
      .then([{ type: 'FreeAllowanceGranted' }, { type: 'BillDeclined', data: { missing: 10, balanceAfter: { balance: 30 } } }])
      .when(chargeBillForUser, hostingOfPlaces(NOVEMBER, 4), '2027-01-01T00:00:00.000Z')
      .thenRefused('INSUFFICIENT_TOKENS', { available: 30 });
    expect(user.stored).toHaveLength(4);
  });

  it('opens a wallet never heard of with the default allowance', () => {
    givenUserWith({ freeTokensPerMonth: 15 })
      .when(chargeBillForUser, hostingOfPlaces(NOVEMBER, 2), NOON, { key: 'k1' })
      .then([{ type: 'UserWalletOpened' }, { type: 'FreeAllowanceGranted' }, { type: 'BillDeclined', data: { missing: 5 } }])
      .when(chargeBillForUser, hostingOfPlaces(NOVEMBER, 2), NOON, { key: 'k1' })
      .thenReplayed(2)
      .when(chargeBillForUser, hostingOfPlaces(NOVEMBER, 2, 'owe'), NOON, { key: 'k2' })
      .then([{ type: 'BillCharged', data: { chargedTokens: 15, owedTokens: 5 } }])
      .when(purchaseForUser, { tokens: 200, paymentReference: 'p1' }, NOON)
      .then([{ type: 'TokensPurchased', data: { owedPaid: 5, balanceAfter: { purchased: 195, balance: 195 } } }]);
  });
});
