import fc from 'fast-check';
import { AHEAD_MS, instantOf, isoInstant, isTimeZone, LATE_MS, monthAt, oldestWindows, windowsAt } from './calendar';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ms = (iso: string): number => Date.parse(iso);

/** What a person reads: the ids, and the instants at which they end. */
function read(timeZone: string, iso: string) {
  const { daily, monthly } = windowsAt(timeZone, ms(iso));
  return { day: daily.window, until: isoInstant(daily.resetsAt), month: monthly.window, untilMonth: isoInstant(monthly.resetsAt) };
}

describe('isTimeZone', () => {
  const names =
    'UTC Etc/UTC GMT Etc/GMT+12 Etc/GMT-14 Europe/Berlin Pacific/Kiritimati Asia/Calcutta Asia/Kolkata America/Argentina/Buenos_Aires EST5EDT NZ-CHAT';
  it.each(names.split(' '))('accepts %s', (name) => expect(isTimeZone(name)).toBe(true));

  const others =
    '| |+01:00|-0500|UTC+1|Z|PST|IST|europe/berlin|EUROPE/BERLIN|utc| UTC|UTC\n|Mars/Olympus|Europe/Berlín|2026-11-23T00:00[Europe/Berlin]|__proto__|constructor';
  it.each([...others.split('|'), 'A'.repeat(100_000)])('refuses %j', (name) => expect(isTimeZone(name)).toBe(false));

  it('accepts every zone that the runtime lists', () => {
    expect(Intl.supportedValuesOf('timeZone').filter((zone) => !isTimeZone(zone))).toEqual([]);
  });
});

describe('windowsAt', () => {
  it('names day and month by the zone, from first to last millisecond', () => {
    const november = { month: '2026-11', untilMonth: '2026-11-30T23:00:00.000Z' };
    const day = { ...november, day: '2026-11-23', until: '2026-11-23T23:00:00.000Z' };
    expect(read('Europe/Berlin', '2026-11-22T23:00:00.000Z')).toEqual(day);
    expect(read('Europe/Berlin', '2026-11-23T22:59:59.999Z')).toEqual(day);
    expect(read('Europe/Berlin', '2026-11-22T22:59:59.999Z')).toMatchObject({ day: '2026-11-22', until: '2026-11-22T23:00:00.000Z' });
    expect(read('Europe/Berlin', '2026-11-23T23:00:00.000Z')).toMatchObject({ day: '2026-11-24' });
    expect(read('Europe/Berlin', '2026-11-30T22:59:59.999Z')).toMatchObject({ ...november, day: '2026-11-30' });
    expect(read('Europe/Berlin', '2026-11-30T23:00:00.000Z')).toMatchObject({ month: '2026-12', day: '2026-12-01' });
  });

  it('reaches from UTC-12 to UTC+14: three days at one instant', () => {
    const noon = '2026-11-01T11:30:00.000Z';
    expect(read('Etc/GMT+12', noon)).toEqual({
      day: '2026-10-31',
      until: '2026-11-01T12:00:00.000Z',
      month: '2026-10',
      untilMonth: '2026-11-01T12:00:00.000Z',
    });
    expect(read('UTC', noon)).toMatchObject({ day: '2026-11-01', until: '2026-11-02T00:00:00.000Z' });
    expect(read('Pacific/Kiritimati', noon)).toMatchObject({ day: '2026-11-02', until: '2026-11-02T10:00:00.000Z' });
  });

  it('knows months of 28 to 31 days and the end of the year', () => {
    expect(read('UTC', '2027-02-28T23:59:59.999Z')).toMatchObject({ day: '2027-02-28', untilMonth: '2027-03-01T00:00:00.000Z' });
    expect(read('UTC', '2028-02-28T12:00:00.000Z')).toMatchObject({
      until: '2028-02-29T00:00:00.000Z',
      untilMonth: '2028-03-01T00:00:00.000Z',
    });
    expect(read('UTC', '2028-02-29T00:00:00.000Z')).toMatchObject({ day: '2028-02-29', month: '2028-02' });
    expect(read('UTC', '2026-04-30T23:59:59.999Z')).toMatchObject({ untilMonth: '2026-05-01T00:00:00.000Z' });
    expect(read('Asia/Tokyo', '2026-12-31T14:59:59.999Z')).toMatchObject({ day: '2026-12-31', untilMonth: '2026-12-31T15:00:00.000Z' });
    expect(read('Asia/Tokyo', '2026-12-31T15:00:00.000Z')).toMatchObject({ day: '2027-01-01', month: '2027-01' });
  });

  it.each([
    ['a gap at midnight', 'America/Sao_Paulo', '2018-11-03T12:00:00.000Z', '2018-11-03', '2018-11-04T03:00:00.000Z'],
    ['the day after that gap', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z', '2018-11-04', '2018-11-05T02:00:00.000Z'],
    ['a gap at midnight', 'Asia/Beirut', '2022-03-26T12:00:00.000Z', '2022-03-26', '2022-03-26T22:00:00.000Z'],
    ['the day after that gap', 'Asia/Beirut', '2022-03-26T22:00:00.000Z', '2022-03-27', '2022-03-27T21:00:00.000Z'],
    ['a gap across midnight', 'America/Toronto', '1919-03-30T12:00:00.000Z', '1919-03-30', '1919-03-31T04:30:00.000Z'],
    ['a day of 23 hours', 'Europe/Berlin', '2026-03-28T23:00:00.000Z', '2026-03-29', '2026-03-29T22:00:00.000Z'],
    ['a day of 25 hours', 'Europe/Berlin', '2026-10-24T22:00:00.000Z', '2026-10-25', '2026-10-25T23:00:00.000Z'],
    ['the second 02:30 of it', 'Europe/Berlin', '2026-10-25T01:30:00.000Z', '2026-10-25', '2026-10-25T23:00:00.000Z'],
    ['the hour before midnight twice', 'America/Sao_Paulo', '2018-02-18T02:30:00.000Z', '2018-02-17', '2018-02-18T03:00:00.000Z'],
    ['the hour after midnight twice', 'America/Havana', '2023-11-05T05:30:00.000Z', '2023-11-05', '2023-11-06T05:00:00.000Z'],
    ['half an hour of change', 'Australia/Lord_Howe', '2026-04-04T13:00:00.000Z', '2026-04-05', '2026-04-05T13:30:00.000Z'],
    ['the day before a skipped one', 'Pacific/Apia', '2011-12-30T09:59:59.999Z', '2011-12-29', '2011-12-30T10:00:00.000Z'],
    ['the day after a skipped one', 'Pacific/Apia', '2011-12-30T10:00:00.000Z', '2011-12-31', '2011-12-31T10:00:00.000Z'],
    ['a day of 47 hours', 'Pacific/Kwajalein', '1969-10-01T10:00:00.000Z', '1969-09-30', '1969-10-01T12:00:00.000Z'],
  ])('%s: %s at %s is %s until %s', (_what, zone, at, day, until) => {
    expect(read(zone, at)).toMatchObject({ day, until });
  });

  // At 00:01 on 1 November 2009 this zone went back to 23:01 on 31 October: for a minute it was a new month, then an hour the old one.
  const backOverMidnight = [
    ['2009-10-31T12:00:00.000Z', '2009-10-31', '2009-11-01T02:30:00.000Z', '2009-10', '2009-11-01T02:30:00.000Z'],
    ['2009-11-01T02:30:00.000Z', '2009-11-01', '2009-11-02T03:30:00.000Z', '2009-11', '2009-12-01T03:30:00.000Z'],
    ['2009-11-01T02:30:59.999Z', '2009-11-01', '2009-11-02T03:30:00.000Z', '2009-11', '2009-12-01T03:30:00.000Z'],
    ['2009-11-01T02:31:00.000Z', '2009-10-31', '2009-11-01T03:30:00.000Z', '2009-10', '2009-11-01T03:30:00.000Z'],
    ['2009-11-01T03:29:59.999Z', '2009-10-31', '2009-11-01T03:30:00.000Z', '2009-10', '2009-11-01T03:30:00.000Z'],
    ['2009-11-01T03:30:00.000Z', '2009-11-01', '2009-11-02T03:30:00.000Z', '2009-11', '2009-12-01T03:30:00.000Z'],
  ] as const;
  it.each(backOverMidnight)('a clock that went back over midnight goes on with the old ids (America/St_Johns, %s asked first)', (first) => {
    for (let day = 1; day <= 20; day++) windowsAt('America/St_Johns', day * DAY_MS); // so that nothing of November 2009 is still kept
    read('America/St_Johns', first);
    for (const [at, day, until, month, untilMonth] of backOverMidnight) {
      expect(read('America/St_Johns', at)).toEqual({ day, until, month, untilMonth });
    }
  });

  it('answers a changed zone from the new zone alone, in the middle of a month and at its end', () => {
    const middle = ms('2026-11-15T12:00:00.000Z');
    expect(windowsAt('Pacific/Kiritimati', middle).monthly.window).toBe(windowsAt('America/Los_Angeles', middle).monthly.window);
    expect(windowsAt('Pacific/Kiritimati', middle).daily.window).toBe('2026-11-16');
    expect(windowsAt('America/Los_Angeles', middle).daily.window).toBe('2026-11-15');
    const end = ms('2026-11-30T12:00:00.000Z');
    expect(windowsAt('Pacific/Kiritimati', end).monthly.window).toBe('2026-12');
    expect(windowsAt('America/Los_Angeles', end).monthly.window).toBe('2026-11');
  });

  it('hands out answers that no caller can change', () => {
    const { daily, monthly } = windowsAt('UTC', 0);
    expect([Object.isFrozen(windowsAt('UTC', 0)), Object.isFrozen(daily), Object.isFrozen(monthly)]).toEqual([true, true, true]);
    expect(monthAt('UTC', 0)).toBe(monthly);
  });

  it('refuses an unknown zone, and an instant that is no whole number or in no year from 1 to 9998', () => {
    expect(() => windowsAt('Mars/Olympus', 0)).toThrow(RangeError);
    windowsAt('UTC', 5e8);
    for (const at of [Number.NaN, Infinity, 5e8 + 0.5, ms('0000-12-31T23:59:59.999Z'), ms('9999-01-01T00:00:00.000Z')]) {
      expect(() => windowsAt('UTC', at)).toThrow(RangeError);
    }
    expect(read('UTC', '0001-01-01T00:00:00.000Z')).toMatchObject({ day: '0001-01-01', month: '0001-01' });
    expect(read('UTC', '9998-12-31T23:59:59.999Z')).toMatchObject({ day: '9998-12-31', untilMonth: '9999-01-01T00:00:00.000Z' });
  });
});

describe('oldestWindows', () => {
  it('goes back 72 hours in the zone that is furthest behind', () => {
    expect(oldestWindows(ms('2026-11-23T12:00:00.000Z'))).toEqual({ daily: '2026-11-20', monthly: '2026-11' });
    expect(oldestWindows(ms('2026-11-23T11:59:59.999Z'))).toEqual({ daily: '2026-11-19', monthly: '2026-11' });
    expect(oldestWindows(ms('2026-12-04T11:59:59.999Z'))).toEqual({ daily: '2026-11-30', monthly: '2026-11' });
    expect(oldestWindows(ms('2026-12-04T12:00:00.000Z'))).toEqual({ daily: '2026-12-01', monthly: '2026-12' });
  });

  it('says what Etc/GMT+12 says, so no zone gives a late usage a smaller id', () => {
    const { daily, monthly } = windowsAt('Etc/GMT+12', ms('2027-01-03T08:00:00.000Z') - LATE_MS);
    expect(oldestWindows(ms('2027-01-03T08:00:00.000Z'))).toEqual({ daily: daily.window, monthly: monthly.window });
  });

  it('refuses what is no instant', () => expect(() => oldestWindows(Number.NaN)).toThrow(RangeError));
});

describe('instants', () => {
  it('have the bounds of the contract', () => expect([LATE_MS, AHEAD_MS]).toEqual([259_200_000, 60_000]));

  it('isoInstant writes what Date writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: ms('0000-01-01T00:00:00.000Z'), max: ms('9999-12-31T23:59:59.999Z') }), (at) => {
        for (const near of [at, at - (at % DAY_MS), at]) expect(isoInstant(near)).toBe(new Date(near).toISOString());
        expect(instantOf(isoInstant(at))).toBe(at);
      }),
    );
  });

  it('isoInstant refuses what is no whole millisecond of a year from 0 to 9999', () => {
    for (const at of [Number.NaN, Infinity, 0.5, ms('0000-01-01T00:00:00.000Z') - 1, ms('9999-12-31T23:59:59.999Z') + 1, 9e15]) {
      expect(() => isoInstant(at)).toThrow(RangeError);
    }
  });

  it.each([
    ['2026-11-23T09:05:07Z', '2026-11-23T09:05:07.000Z'],
    ['2026-11-23T09:05:07.1Z', '2026-11-23T09:05:07.100Z'],
    ['2026-11-23T09:05:07.12Z', '2026-11-23T09:05:07.120Z'],
    ['2026-11-23T09:05:07.123Z', '2026-11-23T09:05:07.123Z'],
    ['2028-02-29T23:59:59.999Z', '2028-02-29T23:59:59.999Z'],
    ['1969-12-31T23:59:59.5Z', '1969-12-31T23:59:59.500Z'],
    ['0050-01-01T00:00:00Z', '0050-01-01T00:00:00.000Z'],
  ])('instantOf reads %s', (text, iso) => expect(instantOf(text)).toBe(ms(iso)));

  const malformed =
    '|2026-11-23|2026-11-23T09:05Z|2026-11-23T09:05:07|2026-11-23T09:05:07.Z|2026-11-23T09:05:07.1234Z|2026-11-23T09:05:07,1Z|2026-11-23T09:05:07z|' +
    '2026-11-23t09:05:07Z|2026-11-23 09:05:07Z|2026-11-23T09:05:07+01:00|2026-11-23T09:05:07.000Z\n| 2026-11-23T09:05:07.000Z|+002026-11-23T09:05:07Z|' +
    '-000001-11-23T09:05:07Z|٢٠٢٦-11-23T09:05:07Z';
  const impossible =
    '2027-02-29T00:00:00Z|2026-02-30T00:00:00Z|2026-04-31T00:00:00Z|2026-00-10T00:00:00Z|2026-13-10T00:00:00Z|2026-11-00T00:00:00Z|' +
    '2026-11-23T24:00:00Z|2026-11-23T23:60:00Z|2026-12-31T23:59:60Z';
  it.each([...malformed.split('|'), ...impossible.split('|')])('instantOf refuses %j', (text) => expect(instantOf(text)).toBeUndefined());
});

const formats = new Map<string, Intl.DateTimeFormat>();

/** The slow oracle: the date that Intl shows in the zone, without any memory of windows. */
function dateIn(timeZone: string, at: number): string {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    formats.set(timeZone, format);
  }
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
}

/** The zones whose clocks do the oddest things. */
const ODD =
  'America/St_Johns America/Sao_Paulo Asia/Beirut Africa/Cairo Pacific/Apia Africa/Casablanca Asia/Gaza America/Havana Australia/Lord_Howe'.split(
    ' ',
  );
const EVERY = [...Intl.supportedValuesOf('timeZone'), 'UTC', 'Etc/GMT+12', 'Etc/GMT-14', 'Asia/Kolkata'];
const zone = fc.oneof(fc.constantFrom(...EVERY), fc.constantFrom(...ODD));

/** Any millisecond from 1970 to 2050; half of them near a local midnight, where mistakes live. */
const anywhere = fc.integer({ min: 0, max: 2_524_608_000_000 });
const instant = fc.oneof(
  anywhere,
  fc.tuple(anywhere, fc.integer({ min: -56, max: 56 }), fc.integer({ min: -2, max: 2 })).map(([at, quarters, off]) => {
    return Math.max(0, at - (at % (24 * HOUR_MS)) + (quarters * HOUR_MS) / 4 + off);
  }),
);

/** How far, in thousandths, from the instant to its reset the oracle looks for something later. */
const between = fc.integer({ min: 0, max: 1_000 });

function agreesWithOracle(timeZone: string, at: number, thousandths: number): void {
  const { daily, monthly } = windowsAt(timeZone, at);
  expect(daily.window).toBe(dateIn(timeZone, at));
  expect(monthly.window).toBe(daily.window.slice(0, 7));
  expect(oldestWindows(at + LATE_MS).daily <= daily.window).toBe(true);
  for (const { window, resetsAt } of [daily, monthly]) {
    const idAt = (when: number) => dateIn(timeZone, when).slice(0, window.length);
    expect(resetsAt).toBeGreaterThan(at);
    expect(idAt(resetsAt - 1)).toBe(window);
    expect(idAt(resetsAt) > window).toBe(true);
    // Nothing later has begun in between; after a clock that went back it may be the window before, never the one after.
    expect(idAt(at + Math.floor(((resetsAt - 1 - at) * thousandths) / 1_000)) <= window).toBe(true);
  }
}

describe('windowsAt against Intl', () => {
  it('names the date that Intl shows, and resets at the first instant of the next', () => {
    fc.assert(fc.property(zone, instant, between, agreesWithOracle), { numRuns: 1_000 });
  });

  it('answers the same in any order: the days it keeps change the cost alone', () => {
    // A few zones, and instants within twelve days around a clock change, so that the same days are kept, dropped and asked for again.
    const around = fc.constantFrom(...['2009-11-01', '2010-11-07', '2018-11-04', '2011-12-30', '2022-03-27', '2026-10-25'].map(Date.parse));
    const offset = fc.oneof(fc.integer({ min: -6 * 24 * 3_600, max: 6 * 24 * 3_600 }), fc.integer({ min: 0, max: 6 * 3_600 }));
    const asked = fc.tuple(fc.constantFrom(...ODD, 'Europe/Berlin', 'UTC'), offset, between);
    fc.assert(
      fc.property(around, fc.array(asked, { minLength: 40, maxLength: 60, size: 'max' }), (start, questions) => {
        for (const [timeZone, seconds, thousandths] of questions) agreesWithOracle(timeZone, start + seconds * 1_000, thousandths);
      }),
      { numRuns: 50 },
    );
  });
});
