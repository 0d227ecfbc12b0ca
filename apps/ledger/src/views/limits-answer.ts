import { effectiveLimit, isoInstant, type LimitOverride, type Meter, METERS, type Period, PERIODS, type Windows } from '@ledger/wallet';
import type { DefaultLimits } from '@ledger/wallet';
import type { LimitsAnswer, WindowAnswer } from './answers';

/** A member's limits as an answer: the number in force, where it comes from, and what is used of it in the window of now. */

/** What is used of a meter in a window. */
export type UsedIn = (meter: Meter, window: string) => number;

export function meterAnswer(
  meter: Meter,
  defaults: DefaultLimits,
  override: LimitOverride | undefined,
  windows: Windows,
  usedIn: UsedIn,
): Record<Period, WindowAnswer> {
  const answer = (period: Period): WindowAnswer => {
    const { limit, source } = effectiveLimit(defaults, override, meter, period);
    const { window, resetsAt } = windows[period];
    const used = usedIn(meter, window);
    // A limit lowered below what is used leaves nothing, not less than nothing.
    const remaining = limit === null ? null : Math.max(0, limit - used);
    return { limit, source, used, remaining, window, resetsAt: isoInstant(resetsAt) };
  };
  return { daily: answer('daily'), monthly: answer('monthly') };
}

export function limitsAnswer(defaults: DefaultLimits, override: LimitOverride | undefined, windows: Windows, usedIn: UsedIn): LimitsAnswer {
  const meters = METERS.map((meter) => [meter, meterAnswer(meter, defaults, override, windows, usedIn)] as const);
  return Object.fromEntries(meters) as LimitsAnswer;
}

/** What limits and status let through of `tokens` now. */
export const usableOf = (tokens: number, frozen: boolean, usage: Record<Period, WindowAnswer>): number =>
  frozen ? 0 : Math.min(tokens, ...PERIODS.map((period) => usage[period].remaining ?? tokens));
