const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$/;
const DATE_LENGTH = '2026-11-23'.length;

/** Of the last instant that was asked for: the next one is mostly of the same day. */
let date = 'none yet';
let dateMs = Number.NaN;

/**
 * The epoch milliseconds of an instant as facts carry it: what `Date.parse` answers, at a fraction of its cost while the day stays the
 * same. Any other text is left to `Date.parse`.
 */
export function epochMsOf(at: string): number {
  if (!INSTANT.test(at)) return Date.parse(at);
  if (!at.startsWith(date)) {
    date = at.slice(0, DATE_LENGTH);
    dateMs = Date.parse(`${date}T00:00:00.000Z`);
  }
  const seconds = (twoDigits(at, 11) * 60 + twoDigits(at, 14)) * 60 + twoDigits(at, 17);
  return dateMs + seconds * 1_000 + twoDigits(at, 20) * 10 + at.charCodeAt(22) - ZERO;
}

const ZERO = 48;
const twoDigits = (text: string, from: number): number => (text.charCodeAt(from) - ZERO) * 10 + text.charCodeAt(from + 1) - ZERO;
