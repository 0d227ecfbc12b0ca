import { type Fixed, type Kind, kindOf, WORD } from './texts';

/**
 * A look along the bytes of a text, from left to right, for the quick ways: each step says whether what it wants stands there, and then
 * moves behind it. Only ASCII is ever wanted.
 */
export class Glance {
  at = 0;
  bytes: Buffer = Buffer.alloc(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  /** Texts that came before, one in each place: a new one takes the place of an old one, so that there are never more. */
  private readonly names: string[] = Array.from({ length: NAMES }, () => '');
  /** The last day that was looked at, and its month: the next one is mostly the same. */
  lastDay = '';
  lastMonth = '';
  /** Of the last decimal. */
  units = 0;
  decimals = 0;
  private year = -1;
  private monthOfYear = -1;
  private dayOfMonth = -1;
  private dayMs = Number.NaN;

  /** Of other bytes. */
  open(bytes: Buffer): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** A fixed text. Eight bytes at a time: fixed texts are most of an event. */
  is({ words, last, length }: Fixed): boolean {
    const { view, at } = this;
    const end = at + length;
    if (end > view.byteLength || view.getFloat64(end - WORD) !== last) return false;
    for (let word = 0; word < words.length; word += 1) if (view.getFloat64(at + word * WORD) !== words[word]) return false;
    this.at = end;
    return true;
  }

  /** A whole number as canonical JSON writes it, of at most so many digits; -1 when there is none. */
  whole(digitsMax: number): number {
    const { bytes, at } = this;
    const first = bytes[at]! - ZERO;
    if (!(first >= 0 && first <= 9)) return -1;
    let value = first;
    let end = at + 1;
    if (first > 0) {
      for (; ; end += 1) {
        const digit = bytes[end]! - ZERO;
        if (!(digit >= 0 && digit <= 9)) break;
        value = value * 10 + digit;
      }
      if (end - at > digitsMax) return -1;
    }
    this.at = end;
    return value;
  }

  /** The same, of one or more. */
  some(digitsMax: number): number {
    return this.bytes[this.at] === ZERO ? -1 : this.whole(digitsMax);
  }

  /** A decimal such as `0.0125`, of digits and, behind a point, decimals. It is `units` / 10^`decimals`. */
  decimal(digitsMax: number, decimalsMax: number): boolean {
    this.units = 0;
    this.decimals = 0;
    const digits = this.moreDigits();
    if (digits === 0 || digits > digitsMax) return false;
    if (!this.byte(POINT)) return true;
    this.decimals = this.moreDigits();
    return this.decimals > 0 && this.decimals <= decimalsMax;
  }

  /** Takes digits into `units`; answers how many. */
  private moreDigits(): number {
    const { bytes, at } = this;
    let { units } = this;
    let end = at;
    for (; DIGIT[bytes[end]!] === 1; end += 1) units = units * 10 + bytes[end]! - ZERO;
    this.units = units;
    this.at = end;
    return end - at;
  }

  byte(wanted: number): boolean {
    if (this.bytes[this.at] !== wanted) return false;
    this.at += 1;
    return true;
  }

  true(): boolean {
    return this.short(TRUE, 4);
  }
  false(): boolean {
    return this.bytes[this.at + 4] === LETTER_E && this.short(FALS, 5);
  }
  null(): boolean {
    return this.short(NULL, 4);
  }

  private short(wanted: number, length: number): boolean {
    if (this.at + length > this.view.byteLength || this.view.getInt32(this.at) !== wanted) return false;
    this.at += length;
    return true;
  }

  /** A month such as `2026-11`. */
  month(): boolean {
    const { at } = this;
    if (this.digits(at, 4) < 0 || this.bytes[at + 4] !== DASH) return false;
    const month = this.digits(at + 5, 2);
    if (month < 1 || month > 12) return false;
    this.at = at + MONTH;
    return true;
  }

  /** A day that the calendar has, such as `2026-11-23`. */
  day(): boolean {
    const { bytes, at } = this;
    const year = this.digits(at, 4);
    const month = this.digits(at + 5, 2);
    const day = this.digits(at + 8, 2);
    if (year < 0 || month < 1 || month > 12 || day < 1 || bytes[at + 4] !== DASH || bytes[at + 7] !== DASH) return false;
    if (year !== this.year || month !== this.monthOfYear || day !== this.dayOfMonth) {
      const date = bytes.toString('latin1', at, at + DAY);
      const ms = Date.parse(`${date}T00:00:00.000Z`);
      if (Number.isNaN(ms) || new Date(ms).getUTCDate() !== day) return false;
      [this.year, this.monthOfYear, this.dayOfMonth, this.dayMs] = [year, month, day, ms];
      this.lastDay = date;
      this.lastMonth = date.slice(0, MONTH);
    }
    this.at = at + DAY;
    return true;
  }

  /** An instant such as `2026-11-23T09:05:00.000Z`, in epoch ms; NaN when there is none, or when the calendar does not have its day. */
  instant(): number {
    const { bytes, at } = this;
    if (!this.day()) return Number.NaN;
    const [hour, minute, second, ms] = [this.digits(at + 11, 2), this.digits(at + 14, 2), this.digits(at + 17, 2), this.digits(at + 20, 3)];
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || ms < 0) return Number.NaN;
    if (bytes[at + 10] !== T || bytes[at + 13] !== COLON || bytes[at + 16] !== COLON || bytes[at + 19] !== POINT || bytes[at + 23] !== Z)
      return Number.NaN;
    this.at = at + INSTANT;
    return this.dayMs + ((hour * 60 + minute) * 60 + second) * 1_000 + ms;
  }

  /** A UUID of version 7. */
  uuid(): boolean {
    const { bytes, at } = this;
    const variant = bytes[at + 19];
    if (bytes[at + 8] !== DASH || bytes[at + 13] !== DASH || bytes[at + 14] !== SEVEN || bytes[at + 18] !== DASH || bytes[at + 23] !== DASH)
      return false;
    if (variant !== EIGHT && variant !== EIGHT + 1 && variant !== LETTER_A && variant !== LETTER_A + 1) return false;
    if (!this.hex(at, 8) || !this.hex(at + 9, 4) || !this.hex(at + 15, 3) || !this.hex(at + 20, 3) || !this.hex(at + 24, 12)) return false;
    this.at = at + UUID;
    return true;
  }

  /** So many lower-case hexadecimal digits. */
  hex(at: number, count: number): boolean {
    for (let place = at; place < at + count; place += 1) if (HEX[this.bytes[place]!] !== 1) return false;
    return true;
  }

  /** -1 when there are other bytes. */
  private digits(at: number, count: number): number {
    let value = 0;
    for (let place = at; place < at + count; place += 1) {
      const digit = this.bytes[place]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) return -1;
      value = value * 10 + digit;
    }
    return value;
  }

  /** Moves over bytes of a class up to the next quotation mark. Answers how many, -1 when another stands there. */
  run(kind: Kind): number {
    const { bytes, at } = this;
    let end = at;
    while (kind[bytes[end]!] === 1) end += 1;
    if (bytes[end] !== QUOTE) return -1;
    this.at = end;
    return end - at;
  }

  /** Whether the same bytes stand here as from another place on. */
  repeats(from: number, length: number): boolean {
    const { bytes, at } = this;
    for (let place = 0; place < length; place += 1) if (bytes[at + place] !== bytes[from + place]) return false;
    this.at = at + length;
    return true;
  }

  /** What lies between a place and here, as a text of its own. */
  text(from: number): string {
    return this.bytes.toString('latin1', from, this.at);
  }

  /** The same of a text that comes often: one text for all of them. */
  name(from: number): string {
    return this.nameAt(from, this.at - from);
  }

  nameAt(from: number, length: number): string {
    const { bytes, names } = this;
    // What stands before a name is the same for all of its kind, so that the last four bytes tell names apart.
    const place = Math.imul(this.view.getInt32(from + length - 4) ^ length, 0x9e3779b1) >>> NAMES_SHIFT;
    const name = names[place]!;
    if (name.length === length) {
      let same = 0;
      while (same < length && name.charCodeAt(same) === bytes[from + same]) same += 1;
      if (same === length) return name;
    }
    return (names[place] = bytes.toString('latin1', from, from + length));
  }
}

const DIGIT = kindOf(/[0-9]/);
const HEX = kindOf(/[0-9a-f]/);

const NAMES = 2 ** 14;
const NAMES_SHIFT = 18;
export const MONTH = '2026-11'.length;
export const DAY = '2026-11-23'.length;
export const INSTANT = '2026-11-23T09:05:00.000Z'.length;
export const UUID = 36;
const QUOTE = 34;
const DASH = 45;
const POINT = 46;
const ZERO = 48;
const SEVEN = 55;
const EIGHT = 56;
const COLON = 58;
const T = 84;
const Z = 90;
const LETTER_A = 97;
const LETTER_E = 101;
const TRUE = 0x74727565;
const FALS = 0x66616c73;
const NULL = 0x6e756c6c;
