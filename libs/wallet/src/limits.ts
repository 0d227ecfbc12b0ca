import { isoInstant, oldestWindows, windowsAt } from './calendar';
import type { DefaultLimits, LimitOverride, Meter, Period, PeriodLimits, WindowId } from './events';

/** Limits and the counters they are held against. A window is a calendar day or month, named by its id. */

export const PERIODS: readonly Period[] = ['daily', 'monthly'];
export const METERS: readonly Meter[] = ['usage', 'allocation'];

export const UNLIMITED: DefaultLimits = { usage: { daily: null, monthly: null }, allocation: { daily: null, monthly: null } };

export interface EffectiveLimit {
  /** Null is unlimited. */
  limit: number | null;
  source: 'member' | 'default';
}

/** Member over default, field by field, at the moment of the decision. */
export function effectiveLimit(defaults: DefaultLimits, override: LimitOverride | undefined, meter: Meter, period: Period): EffectiveLimit {
  const own = override?.[meter]?.[period];
  return own === undefined ? { limit: defaults[meter][period], source: 'default' } : { limit: own, source: 'member' };
}

/** The default after a change; a field left out keeps what it was. */
export function changedDefaults(defaults: DefaultLimits, change: LimitOverride): DefaultLimits {
  const merged = (meter: Meter): PeriodLimits => ({
    daily: change[meter]?.daily === undefined ? defaults[meter].daily : change[meter].daily,
    monthly: change[meter]?.monthly === undefined ? defaults[meter].monthly : change[meter].monthly,
  });
  return { usage: merged('usage'), allocation: merged('allocation') };
}

/** An override as it is stored: only the fields that were given. */
export function overrideOf(body: LimitOverride): LimitOverride {
  const override: LimitOverride = {};
  for (const meter of METERS) {
    const given = PERIODS.filter((period) => body[meter]?.[period] !== undefined);
    if (given.length > 0) override[meter] = Object.fromEntries(given.map((period) => [period, body[meter]?.[period] ?? null]));
  }
  return override;
}

export const sameOverride = (a: LimitOverride | undefined, b: LimitOverride | undefined): boolean =>
  METERS.every((meter) => PERIODS.every((period) => a?.[meter]?.[period] === b?.[meter]?.[period]));

/** What was used, by window id. */
export type Counters = Map<WindowId, number>;

/** One limit at one instant. */
export interface LimitNow extends EffectiveLimit {
  period: Period;
  window: WindowId;
  used: number;
  /** Never below 0; Infinity when unlimited. */
  remaining: number;
  /** Epoch ms of the first instant of the next window. */
  resetsAt: number;
}

export function limitsAt(
  limits: Record<Period, EffectiveLimit>,
  counters: Pick<Counters, 'get'>,
  timeZone: string,
  at: number,
): LimitNow[] {
  const windows = windowsAt(timeZone, at);
  return PERIODS.map((period) => {
    const { window, resetsAt } = windows[period];
    const used = counters.get(window) ?? 0;
    const { limit, source } = limits[period];
    const remaining = limit === null ? Infinity : Math.max(0, limit - used);
    return { period, window, used, limit, source, remaining, resetsAt };
  });
}

/** The facts of a limit that said no, as LIMIT_EXCEEDED names them. `requested` is what was still to be drawn or moved. */
export interface ExceededLimit {
  organisationId: string;
  userId: string;
  meter: Meter;
  period: Period;
  source: 'member' | 'default';
  limit: number;
  used: number;
  remaining: number;
  requested: number;
  window: WindowId;
  resetsAt: string;
}

export function exceeded(organisationId: string, userId: string, meter: Meter, now: LimitNow, requested: number): ExceededLimit {
  const { period, source, limit, used, remaining, window, resetsAt } = now;
  return {
    organisationId,
    userId,
    meter,
    period,
    source,
    limit: limit ?? 0,
    used,
    remaining,
    requested,
    window,
    resetsAt: isoInstant(resetsAt),
  };
}

/** Drops what no zone could still name at `at`; decided by event time alone, so that every replay drops the same. */
export function prune(counters: Map<WindowId, unknown>, at: number): void {
  const oldest = oldestWindows(at);
  for (const window of counters.keys()) {
    if (isBefore(window, oldest)) counters.delete(window);
  }
}

/** A day's id is longer than a month's. */
export const isBefore = (window: WindowId, oldest: { daily: WindowId; monthly: WindowId }): boolean =>
  window < (window.length > 7 ? oldest.daily : oldest.monthly);
