/**
 * Calendar days and months in IANA time zones, and the instants that facts carry. Source: design.md, section 2 (limits, free allowance).
 *
 * All instants are milliseconds since 1970-01-01T00:00Z, whole numbers; nothing here reads a clock. The memory kept between calls is
 * bounded and only makes an answer cheaper, never another.
 */
// Not the one of Node, where it has one: all instances of a ledger must name windows alike, whichever Node they run on.
import { Temporal } from 'temporal-polyfill/implementation';
import type { Period, WindowId, WindowIds } from './events';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How far back `occurredAt` of a usage may lie, in milliseconds: 72 hours. */
export const LATE_MS = 72 * HOUR_MS;
/** How far ahead of our clock `occurredAt` of a usage may lie, in milliseconds: 60 seconds. */
export const AHEAD_MS = 60_000;

/** One day or month of one zone. */
export interface Window {
  /** `2026-11-23` or `2026-11`; ids of one period sort as text in the order of the calendar. */
  window: WindowId;
  /** First instant of the next day or month in that zone, in epoch milliseconds. */
  resetsAt: number;
}

/** The day and the month of one instant; frozen, since the cache hands the same object to many callers. */
export type Windows = Readonly<Record<Period, Readonly<Window>>>;

/** A stretch of time, `from` inclusive and `until` exclusive, throughout which the zone gives the same answer. */
interface Stretch {
  from: number;
  until: number;
  windows: Windows;
}

/** Late usages reach at most five days of a zone (72 h back, 60 s ahead); a day with a clock change may be two stretches. */
const STRETCHES_PER_ZONE_MAX = 8;
/** About 600 names exist, so this never evicts in practice; it is there so that memory has a number. */
const ZONES_MAX = 1_024;
const MIDNIGHT = new Temporal.PlainTime();
const stretchesByZone = new Map<string, Stretch[]>();

/** Every IANA name begins with a letter; offsets such as `+01:00` do not. The longest name today has 32 characters. */
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;

/**
 * Whether the text is the name of an IANA time zone that this runtime knows: `UTC`, `Europe/Berlin`, `Etc/GMT+12`, and links such as
 * `Asia/Calcutta`. Refused are offsets (`+01:00`: they have no rules), abbreviations that only ICU knows (`PST`, `IST`: they mean
 * several places) and any other spelling of a name (`europe/berlin`), so that one zone is stored, compared and shown in one way.
 */
export function isTimeZone(text: string): boolean {
  if (!ZONE_NAME.test(text)) return false;
  try {
    return new Temporal.ZonedDateTime(0n, text).timeZoneId === text;
  } catch {
    return false;
  }
}

/**
 * The day and the month of an instant in a zone, each with the first instant after `at` at which the next one begins.
 *
 * A day begins at its first instant, which a clock change may put after midnight (America/Sao_Paulo, 2018-11-04, 01:00); a day that
 * the zone skipped (Pacific/Apia, 2011-12-30) is nobody's window. Where a clock went back over midnight (America/St_Johns,
 * 2010-11-07, 00:01 to 23:01), the earlier day goes on under its old id, then the later one.
 *
 * Throws a RangeError when the zone is unknown (check with `isTimeZone`), `at` is no whole number or lies outside the years 1..9998.
 */
export function windowsAt(timeZone: string, at: number): Windows {
  if (!Number.isInteger(at)) throw new RangeError(`The instant ${at} is no whole number of milliseconds.`);
  const known = stretchesByZone.get(timeZone);
  if (known !== undefined) {
    for (const stretch of known) if (at >= stretch.from && at < stretch.until) return stretch.windows;
  }
  const stretch = stretchAt(timeZone, at);
  remember(timeZone, known, stretch);
  return stretch.windows;
}

/** The month of an instant in a zone; throws as `windowsAt` does. */
export function monthAt(timeZone: string, at: number): Readonly<Window> {
  return windowsAt(timeZone, at).monthly;
}

function remember(timeZone: string, known: Stretch[] | undefined, stretch: Stretch): void {
  if (known === undefined) {
    if (stretchesByZone.size >= ZONES_MAX) for (const oldest of stretchesByZone.keys()) if (stretchesByZone.delete(oldest)) break;
    stretchesByZone.set(timeZone, [stretch]);
    return;
  }
  if (known.length >= STRETCHES_PER_ZONE_MAX) known.shift();
  known.push(stretch);
}

function stretchAt(timeZone: string, at: number): Stretch {
  const now = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
  if (now.year < 1 || now.year > 9_998) throw new RangeError(`The instant ${at} lies outside the years that windows are named for.`);
  const day = now.toPlainDate();
  const tomorrow = firstInstantAfter(at, day.add({ days: 1 }), timeZone);
  const nextMonth = firstInstantAfter(at, day.with({ day: 1 }).add({ months: 1 }), timeZone);
  const id = day.toString();
  const windows = Object.freeze({
    daily: Object.freeze({ window: id, resetsAt: tomorrow }),
    monthly: Object.freeze({ window: id.slice(0, 7), resetsAt: nextMonth }),
  });
  return { ...withinOneOffset(now, tomorrow), windows };
}

/**
 * The part of a day around `now`, up to `until`, that holds no clock change, since a change may send the clock back over midnight.
 * Changes are searched for only when the offsets of both ends say that there is one: the search costs milliseconds in a zone that has
 * long had none.
 */
function withinOneOffset(now: Temporal.ZonedDateTime, until: number): Pick<Stretch, 'from' | 'until'> {
  const offset = now.offsetNanoseconds;
  const offsetAt = (at: number) => Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(now.timeZoneId).offsetNanoseconds;
  // Midnight by the clock as it runs now; where the clock was changed since, that instant lies before the change.
  const from = now.epochMilliseconds - now.toPlainTime().since(MIDNIGHT).total('milliseconds');
  if (offsetAt(from) === offset && offsetAt(until - 1) === offset) return { from, until };
  // The previous change is searched from one millisecond later, so that a change at this very instant counts as passed.
  const before = now.add({ milliseconds: 1 }).getTimeZoneTransition('previous');
  const after = now.getTimeZoneTransition('next');
  return {
    from: Math.max(from, before?.epochMilliseconds ?? from),
    until: Math.min(until, after?.epochMilliseconds ?? until),
  };
}

/** The first instant of a day; where the clock went back over its midnight, the one of both midnights that is still to come. */
function firstInstantAfter(at: number, day: Temporal.PlainDate, timeZone: string): number {
  const first = day.toZonedDateTime(timeZone).epochMilliseconds;
  if (first > at) return first;
  return day.toPlainDateTime().toZonedDateTime(timeZone, { disambiguation: 'later' }).epochMilliseconds;
}

/** The zone that is furthest behind is Etc/GMT+12, so no zone gives an instant a smaller id. */
const FURTHEST_BEHIND_MS = 12 * HOUR_MS;

let oldestDay = Number.NaN;
let oldest: Readonly<WindowIds> = { daily: '', monthly: '' };

/**
 * The smallest ids that any zone (UTC-12 to UTC+14) could give to an instant 72 hours before `at` or later: counters of windows with
 * smaller ids can never be asked for again and may be pruned. Compare ids of one period as text.
 *
 * Throws a RangeError when `at` is no whole number or lies outside the years 1..9999.
 */
export function oldestWindows(at: number): Readonly<WindowIds> {
  const day = Math.floor((at - LATE_MS - FURTHEST_BEHIND_MS) / DAY_MS);
  if (day !== oldestDay) {
    const daily = dateOf(day);
    oldest = Object.freeze({ daily, monthly: daily.slice(0, 7) });
    oldestDay = day;
  }
  return oldest;
}

let instantDay = Number.NaN;
let instantDate = '';

/**
 * An instant as facts carry it, such as `2026-11-23T09:05:00.000Z`: the text of `Date.prototype.toISOString`, at a fraction of its cost
 * while the day stays the same. Throws a RangeError when `ms` is no whole number or lies outside the years 0..9999.
 */
export function isoInstant(ms: number): string {
  if (!Number.isInteger(ms)) throw new RangeError(`The instant ${ms} is no whole number of milliseconds.`);
  const day = Math.floor(ms / DAY_MS);
  if (day !== instantDay) {
    instantDate = dateOf(day);
    instantDay = day;
  }
  const rest = ms - day * DAY_MS;
  const millisecond = rest % 1_000;
  const seconds = (rest - millisecond) / 1_000;
  const second = seconds % 60;
  const minutes = (seconds - second) / 60;
  const minute = minutes % 60;
  return `${instantDate}T${TWO_DIGITS[(minutes - minute) / 60]}:${TWO_DIGITS[minute]}:${TWO_DIGITS[second]}.${String(millisecond).padStart(3, '0')}Z`;
}

const TWO_DIGITS: readonly string[] = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));

/** The UTC date of a day counted from 1970-01-01. Longer years would no longer sort as text, so they are refused. */
function dateOf(day: number): string {
  const text = new Date(day * DAY_MS).toISOString();
  if (text.length !== 24) throw new RangeError(`The day ${text} lies outside the years 0..9999.`);
  return text.slice(0, 10);
}

/** The form of an instant; whether the calendar has it, `instantOf` says. */
export const INSTANT_PATTERN = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/;

/**
 * The instant, in epoch milliseconds, of an ISO 8601 text in UTC with zero to three digits of a second's fraction, as other services
 * send it in `occurredAt`. Undefined for anything else: offsets, lower case, dates that no calendar has (30 February), 24:00 and leap
 * seconds. Source: api.md, "Manners".
 */
export function instantOf(iso: string): number | undefined {
  if (!INSTANT_PATTERN.test(iso)) return undefined;
  const ms = Date.parse(iso);
  // Date.parse rolls impossible dates over into the next month, so only a text that comes back unchanged is a date.
  return Number.isNaN(ms) || isoInstant(ms).slice(0, 19) !== iso.slice(0, 19) ? undefined : ms;
}

/**
 * The first instant, in epoch milliseconds, after a day such as `2026-11-23` in a zone; undefined when no calendar has that day.
 */
export function dayEndsAt(timeZone: string, day: string): number | undefined {
  try {
    return Temporal.PlainDate.from(day, { overflow: 'reject' }).add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
