import { windowsAt } from './calendar';
import { bought, defaultLimits, opened, permitted, received, walletOpened, zoneSet } from './testing/facts';
import { givenUser } from './testing/given';
import { use } from './usage';

const NOON = '2026-11-23T12:00:00.000Z';
const used = { type: 'TokensUsed' } as const;
const reached = { type: 'LimitReached' } as const;
const one = (occurredAt?: string) => ({ tokens: 1, ...(occurredAt ? { occurredAt } : {}) });

const inZone = (timeZone: string, daily: number | null = null, monthly: number | null = null) =>
  givenUser(walletOpened(), received('acme', 1_000)).under(
    'acme',
    opened(timeZone),
    permitted('u1'),
    defaultLimits({ usage: { daily, monthly } }),
  );

const windowsOf = (timeZone: string, at: string, occurredAt?: string) => {
  const [event] = inZone(timeZone).when(use, one(occurredAt), at).verdict.events;
  const [considered] = event?.type === 'TokensUsed' ? event.data.considered : [];
  return [considered?.windows.daily.window, considered?.windows.monthly.window];
};

describe('when a usage occurred', () => {
  it('may be 72 h back, and not a millisecond more', () => {
    const earliest = '2026-11-20T12:00:00.000Z';
    inZone('UTC')
      .when(use, one('2026-11-20T11:59:59.999Z'), NOON)
      .thenRefused('TOO_OLD', { occurredAt: '2026-11-20T11:59:59.999Z', earliest })
      .when(use, one(earliest), NOON)
      .then([{ type: 'TokensUsed', data: { at: NOON, occurredAt: earliest } }]);
  });

  it('may be 60 s ahead, and not a millisecond more', () => {
    inZone('UTC')
      .when(use, one('2026-11-23T12:01:00.001Z'), NOON)
      .thenRefused('VALIDATION_FAILED', { errors: [{ field: '/occurredAt', value: '2026-11-23T12:01:00.001Z' }] })
      .when(use, one('2026-11-23T12:01:00.000Z'), NOON)
      .then([{ type: 'TokensUsed', data: { at: NOON, occurredAt: '2026-11-23T12:01:00.000Z' } }]);
  });

  it('is now when nothing is said, and no text but an instant', () => {
    inZone('UTC')
      .when(use, one(), NOON)
      .then([{ type: 'TokensUsed', data: { occurredAt: NOON } }])
      .when(use, one('yesterday'), NOON)
      .thenRefused('VALIDATION_FAILED', { errors: [{ field: '/occurredAt' }] })
      .when(use, one('2026-11-23T12:00:00+01:00'), NOON)
      .thenRefused('VALIDATION_FAILED');
  });

  it('is judged before permission, limits and funds', () => {
    inZone('UTC', 0).when(use, { tokens: 5_000, occurredAt: '2026-11-01T00:00:00.000Z' }, NOON).thenRefused('TOO_OLD');
  });

  it('decides the windows; the funds are of today', () => {
    inZone('UTC', 10, 25)
      .when(use, { tokens: 10, occurredAt: '2026-11-30T23:59:59.999Z' }, '2026-12-02T12:00:00.000Z')
      .then([
        { type: 'TokensUsed', data: { considered: [{ windows: { daily: { window: '2026-11-30' }, monthly: { window: '2026-11' } } }] } },
        reached,
      ])
      .when(use, { tokens: 10, occurredAt: '2026-12-01T00:00:00.000Z' }, '2026-12-02T12:00:00.000Z')
      .then([
        { type: 'TokensUsed', data: { considered: [{ windows: { daily: { window: '2026-12-01' }, monthly: { window: '2026-12' } } }] } },
        reached,
      ])
      .when(use, { tokens: 1, occurredAt: '2026-11-30T00:00:00.000Z' }, '2026-12-02T12:00:00.000Z')
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ window: '2026-11-30', used: 10, remaining: 0, resetsAt: '2026-12-01T00:00:00.000Z' }] })
      .when(use, { tokens: 10, occurredAt: '2026-12-02T00:00:00.000Z' }, '2026-12-02T12:00:00.000Z')
      .then([used, reached])
      .when(use, { tokens: 6, occurredAt: '2026-12-03T00:00:30.000Z' }, '2026-12-02T23:59:45.000Z')
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ period: 'monthly', window: '2026-12', used: 20, remaining: 5 }] }, [reached])
      .when(use, { tokens: 5, occurredAt: '2026-12-03T00:00:30.000Z' }, '2026-12-02T23:59:45.000Z')
      .then([{ type: 'TokensUsed', data: { considered: [{ windows: { daily: { window: '2026-12-03', used: 5 } } }] } }]);
  });
});

describe('the windows of a usage', () => {
  it.each([
    ['UTC', '2026-11-30T23:59:59.999Z', '2026-11-30', '2026-11'],
    ['UTC', '2026-12-01T00:00:00.000Z', '2026-12-01', '2026-12'],
    ['UTC', '2026-12-31T23:59:59.999Z', '2026-12-31', '2026-12'],
    ['UTC', '2027-01-01T00:00:00.000Z', '2027-01-01', '2027-01'],
    ['UTC', '2028-02-28T23:59:59.999Z', '2028-02-28', '2028-02'],
    ['UTC', '2028-02-29T00:00:00.000Z', '2028-02-29', '2028-02'],
    ['UTC', '2027-02-28T23:59:59.999Z', '2027-02-28', '2027-02'],
    ['Europe/Berlin', '2026-11-30T22:59:59.999Z', '2026-11-30', '2026-11'],
    ['Europe/Berlin', '2026-11-30T23:00:00.000Z', '2026-12-01', '2026-12'],
    // Summer: two hours ahead. The days of the change have 23 and 25 hours.
    ['Europe/Berlin', '2027-03-27T22:59:59.999Z', '2027-03-27', '2027-03'],
    ['Europe/Berlin', '2027-03-27T23:00:00.000Z', '2027-03-28', '2027-03'],
    ['Europe/Berlin', '2027-03-28T21:59:59.999Z', '2027-03-28', '2027-03'],
    ['Europe/Berlin', '2027-03-28T22:00:00.000Z', '2027-03-29', '2027-03'],
    ['Europe/Berlin', '2027-10-30T22:00:00.000Z', '2027-10-31', '2027-10'],
    ['Europe/Berlin', '2027-10-31T22:59:59.999Z', '2027-10-31', '2027-10'],
    ['Europe/Berlin', '2027-10-31T23:00:00.000Z', '2027-11-01', '2027-11'],
    ['Pacific/Kiritimati', '2026-11-30T09:59:59.999Z', '2026-11-30', '2026-11'],
    ['Pacific/Kiritimati', '2026-11-30T10:00:00.000Z', '2026-12-01', '2026-12'],
    ['Etc/GMT+12', '2026-12-01T11:59:59.999Z', '2026-11-30', '2026-11'],
    ['Etc/GMT+12', '2026-12-01T12:00:00.000Z', '2026-12-01', '2026-12'],
    ['Asia/Kathmandu', '2026-11-30T18:14:59.999Z', '2026-11-30', '2026-11'],
    ['Asia/Kathmandu', '2026-11-30T18:15:00.000Z', '2026-12-01', '2026-12'],
  ])('in %s at %s are %s and %s, also for one that comes 72 h late', (timeZone, at, day, month) => {
    expect(windowsOf(timeZone, at)).toEqual([day, month]);
    expect(windowsOf(timeZone, new Date(Date.parse(at) + 72 * 3_600_000).toISOString(), at)).toEqual([day, month]);
  });

  it('hold the whole of a day with 25 hours, and free the next', () => {
    inZone('Europe/Berlin', 2)
      .when(use, one(), '2027-10-30T22:00:00.000Z')
      .then([used])
      .when(use, one(), '2027-10-31T22:59:59.999Z')
      .then([used, reached])
      .when(use, one(), '2027-10-31T22:59:59.999Z')
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ resetsAt: '2027-10-31T23:00:00.000Z' }] })
      .when(use, one(), '2027-10-31T23:00:00.000Z')
      .then([used]);
  });

  it('take other ids when the zone changes in mid month, and go on with the old ids when it goes back', () => {
    const late = '2026-11-23T18:00:00.000Z';
    const user = inZone('UTC', 10);
    user.when(use, { tokens: 8 }, NOON).then([used]);
    user.under('acme', zoneSet('Asia/Tokyo'));
    user
      .when(use, { tokens: 10 }, late)
      .then([
        { type: 'TokensUsed', data: { considered: [{ windows: { daily: { window: '2026-11-24', used: 10 }, monthly: { used: 18 } } }] } },
        reached,
      ]);
    user.under('acme', zoneSet('UTC'));
    user
      .when(use, { tokens: 3 }, late)
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ window: '2026-11-23', used: 8, remaining: 2 }] }, [reached])
      .when(use, { tokens: 2 }, late)
      .then([used])
      .when(use, one(), '2026-11-24T12:00:00.000Z')
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ window: '2026-11-24', used: 10 }] });
  });

  it('take other ids over the end of a month too', () => {
    const at = '2026-11-30T18:00:00.000Z';
    const user = inZone('UTC', null, 10);
    user.when(use, { tokens: 10 }, at).then([used, reached]);
    user.under('acme', zoneSet('Asia/Tokyo'));
    user
      .when(use, { tokens: 10 }, at)
      .then([{ type: 'TokensUsed', data: { considered: [{ windows: { monthly: { window: '2026-12' } } }] } }, reached]);
    user.under('acme', zoneSet('UTC'));
    user.when(use, one(), at).thenRefused('LIMIT_EXCEEDED', { limits: [{ window: '2026-11', used: 10 }] });
    user.when(use, one(), '2026-12-01T00:00:00.000Z').thenRefused('LIMIT_EXCEEDED', { limits: [{ window: '2026-12', used: 10 }] });
  });

  it('never count twice for a clock that steps back over midnight', () => {
    inZone('UTC', 1)
      .when(use, one(), '2026-11-24T00:00:00.000Z')
      .then([{ type: 'TokensUsed', data: { at: '2026-11-24T00:00:00.000Z' } }, reached])
      .when(use, one(), '2026-11-23T23:59:59.999Z')
      .thenRefused('LIMIT_EXCEEDED', { limits: [{ window: '2026-11-24', used: 1 }] })
      // Said by the caller, the day before is another window.
      .when(use, one('2026-11-23T23:59:59.999Z'), '2026-11-23T23:59:59.999Z')
      .then([{ type: 'TokensUsed', data: { at: '2026-11-24T00:00:00.000Z' } }, reached]);
  });
});

describe('counters', () => {
  const HOUR_MS = 3_600_000;

  it.each(['Etc/GMT+12', 'UTC', 'Pacific/Kiritimati', 'Etc/GMT-14', 'Europe/Berlin'])(
    'of %s last while a usage 72 h late may ask for them',
    (timeZone) => {
      const start = Date.parse('2026-11-29T00:00:00.000Z');
      for (let hour = 0; hour < 48; hour += 1) {
        const occurred = start + hour * HOUR_MS;
        const occurredAt = new Date(occurred).toISOString();
        // The first draw is at once, then something prunes as late as it may, then the latest draw that still counts there.
        const latest = new Date(occurred + 72 * HOUR_MS).toISOString();
        const { daily } = windowsAt(timeZone, occurred);
        inZone(timeZone, 2)
          .when(use, one(), occurredAt)
          .then([used])
          .and(latest, bought(200))
          .when(use, { ...one(occurredAt), sources: ['allocated'] }, latest)
          .then([used, { type: 'LimitReached', data: { window: daily.window, used: 2 } }]);
      }
    },
  );

  it('are dropped when no zone could name them any more, on the first event of the day', () => {
    const held = (at: string) => {
      const user = inZone('Etc/GMT+12');
      user.when(use, one(), '2026-11-24T11:59:59.999Z').then([used]).and(at, bought(200));
      return [...(user.wallet.relationships.get('acme')?.used.keys() ?? [])];
    };
    expect(held('2026-11-27T11:59:59.999Z')).toEqual(['2026-11-23', '2026-11']);
    expect(held('2026-11-27T12:00:00.000Z')).toEqual(['2026-11']);
    expect(held('2026-12-04T11:59:59.999Z')).toEqual(['2026-11']);
    expect(held('2026-12-04T12:00:00.000Z')).toEqual([]);
  });
});
