import type { AccrueStorage, ChargeBill } from '../commands';
import type { Charge, WalletEvent } from '../events';
import type { Body } from './log';
import { bucketsOf, organisationOf, windowsByIntl } from './oracle';

/** The rules of bills a second time, as slow and simple as those of testing/oracle.ts: all is counted again from the events. */

const PICO = 10n ** 12n;
const LATE_MS = 72 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

export interface BillGiven {
  /** False when an organisation has no wallet. */
  exists: boolean;
  events: readonly WalletEvent[];
  zone: string;
  at: number;
  /** In the order in which they are drawn. */
  funds: readonly Charge[];
}

/** An organisation as a bill finds it. */
export function organisationGiven(events: readonly WalletEvent[], at: number): BillGiven {
  const { opened, zone, available } = organisationOf(events);
  return { exists: opened, events, zone, at, funds: [{ source: 'purchased', tokens: available }] };
}

/** A user as a bill finds it. */
export function userGiven(
  events: readonly WalletEvent[],
  at: number,
  settings: { platformTimeZone: string; freeTokensPerMonth: number },
): BillGiven {
  const { free, purchased } = bucketsOf(events, { at, ...settings });
  const funds: Charge[] = [
    { source: 'free', tokens: free },
    { source: 'purchased', tokens: purchased },
  ];
  return { exists: true, events, zone: settings.platformTimeZone, at, funds };
}

/** Billed and not yet paid, and storage that was accrued and never charged, as the events tell it. */
export function billingOf(events: readonly WalletEvent[]) {
  let owed = 0;
  let pico = 0n;
  let storageDeclined = false;
  for (const { type, data } of events) {
    if (type === 'TokensPurchased') owed -= data.owedPaid;
    if (type === 'BillCharged' || type === 'StorageAccrued') owed += data.owedTokens;
    if (type !== 'StorageAccrued') continue;
    // 3.99 tokens a month for each 10^9 bytes, a thirtieth of it a day.
    pico += (BigInt(Math.max(0, data.bytes - 10 ** 9)) * 399n * PICO) / (100n * 30n * 10n ** 9n);
    pico -= BigInt(data.chargedTokens + data.owedTokens) * PICO;
    storageDeclined = data.declined;
  }
  return { owed, pico, storageDeclined };
}

/** What a bill must come to: a refusal, or these events in their order, with at least these fields. */
export interface BillVerdict {
  code?: string;
  events: { type: WalletEvent['type']; data: object }[];
}

const no = (code: string): BillVerdict => ({ code, events: [] });

export function hostingVerdict({ month, campuses, courses, onShortfall }: Body<ChargeBill>, given: BillGiven): BillVerdict {
  if (!given.exists) return no('ORGANISATION_NOT_FOUND');
  if (month > windowsByIntl(given.zone, given.at).monthly) return no('VALIDATION_FAILED');
  if (given.events.some(({ type, data }) => type === 'BillCharged' && data.month === month)) return no('BILL_EXISTS');
  let places = 0;
  campuses.forEach((members, index) => (places += index >= 1 ? members : 0));
  courses.forEach((members, index) => (places += index >= 3 ? members : 0));
  const tokens = 10 * places;
  const { charged, missing } = drawn(given, tokens);
  const said = { kind: 'hosting', month, tokens };
  if (missing === 0 || onShortfall === 'owe') {
    const owed = billingOf(given.events).owed + missing;
    return { events: [{ type: 'BillCharged', data: { ...said, chargedTokens: tokens - missing, owedTokens: missing, charged, owed } }] };
  }
  if (wasDeclined(given.events, 'hosting', month)) return no('INSUFFICIENT_TOKENS');
  return { events: [{ type: 'BillDeclined', data: { ...said, missing } }] };
}

export function storageVerdict(body: Body<AccrueStorage>, given: BillGiven): BillVerdict {
  const { day, bytes } = body;
  if (!given.exists) return no('ORGANISATION_NOT_FOUND');
  if (!isCalendarDay(day)) return no('VALIDATION_FAILED');
  if (day > windowsByIntl(given.zone, given.at).daily) return no('VALIDATION_FAILED');
  // It ended more than 72 h ago when the millisecond before that was a later day already.
  if (day < windowsByIntl(given.zone, given.at - LATE_MS - 1).daily) return no('TOO_OLD');
  if (given.events.some(({ type, data }) => type === 'StorageAccrued' && data.day === day)) return no('BILL_EXISTS');

  const before = billingOf(given.events);
  const pico = before.pico + (BigInt(Math.max(0, bytes - 10 ** 9)) * 399n * PICO) / (100n * 30n * 10n ** 9n);
  const tokens = Number(pico / PICO);
  const taken = drawn(given, tokens);
  const month = day.slice(0, 7);
  const declined = taken.missing > 0 && body.onShortfall === 'decline';
  const [charged, owedTokens] = declined ? [[], 0] : [taken.charged, taken.missing];
  const chargedTokens = declined ? 0 : tokens - taken.missing;
  const data = { day, bytes, declined, charged, chargedTokens, owedTokens, owed: before.owed + owedTokens };
  const events: BillVerdict['events'] = [{ type: 'StorageAccrued', data }];
  if (declined && !wasDeclined(given.events, 'storage', month))
    events.push({ type: 'BillDeclined', data: { kind: 'storage', month, tokens, missing: taken.missing } });
  return { events };
}

function drawn({ funds }: BillGiven, tokens: number): { charged: Charge[]; missing: number } {
  let missing = tokens;
  const charged: Charge[] = [];
  for (const { source, tokens: held } of funds) {
    const taken = Math.min(held, missing);
    missing -= taken;
    if (taken > 0) charged.push({ source, tokens: taken });
  }
  return { charged, missing };
}

const wasDeclined = (events: readonly WalletEvent[], kind: 'hosting' | 'storage', month: string): boolean =>
  events.some(({ type, data }) => type === 'BillDeclined' && data.kind === kind && data.month === month);

/** Days that do not exist roll over into the next month, so their text does not come back. */
const isCalendarDay = (day: string): boolean =>
  new Date(Date.parse(`${day.slice(0, 8)}01T00:00:00Z`) + (Number(day.slice(8)) - 1) * DAY_MS).toISOString().startsWith(day);

/** The months and days that events billed, accrued or declined: none of them may come twice. */
export const billNames = (events: readonly WalletEvent[]): string[] =>
  events.flatMap(({ type, data }) => {
    if (type === 'BillCharged') return [`charged ${data.month}`];
    if (type === 'StorageAccrued') return [`accrued ${data.day}`];
    return type === 'BillDeclined' ? [`declined ${data.kind} ${data.month}`] : [];
  });

export const isBill = ({ type }: WalletEvent): boolean => type === 'BillCharged' || type === 'BillDeclined' || type === 'StorageAccrued';
/** What a wallet writes beside a bill, before it. */
export const precedesBill = ({ type }: WalletEvent): boolean => type === 'UserWalletOpened' || type === 'FreeAllowanceGranted';

/** A month or day, so many before (or, below zero, after) that of the instant in the zone. */
export function monthBack({ zone, at }: BillGiven, back: number): string {
  const [year = '', month = ''] = windowsByIntl(zone, at).monthly.split('-');
  return new Date(Date.UTC(Number(year), Number(month) - 1 - back)).toISOString().slice(0, 7);
}
export const dayBack = ({ zone, at }: BillGiven, back: number): string =>
  new Date(Date.parse(`${windowsByIntl(zone, at).daily}T00:00:00Z`) - back * DAY_MS).toISOString().slice(0, 10);
