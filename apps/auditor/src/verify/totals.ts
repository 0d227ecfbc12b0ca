/** Where all tokens are, by the amounts of the events. BigInt: totals of a platform may pass 2^53. */
export interface Totals {
  purchased: bigint;
  granted: bigint;
  /** Held by organisations and by users, and allocated but not received yet. */
  organisations: bigint;
  users: bigint;
  inTransit: bigint;
  /** By usages less reversals, and by bills and debts that were paid. */
  usage: bigint;
  bills: bigint;
  lapsed: bigint;
}

export const TOTALS = ['purchased', 'granted', 'organisations', 'users', 'inTransit', 'usage', 'bills', 'lapsed'] as const;

export const noTotals = (): Totals => ({
  purchased: 0n,
  granted: 0n,
  organisations: 0n,
  users: 0n,
  inTransit: 0n,
  usage: 0n,
  bills: 0n,
  lapsed: 0n,
});

export function addTotals(into: Totals, more: Totals): void {
  for (const name of TOTALS) into[name] += more[name];
}

export const issued = ({ purchased, granted }: Totals): bigint => purchased + granted;
export const accounted = ({ organisations, users, inTransit, usage, bills, lapsed }: Totals): bigint =>
  organisations + users + inTransit + usage + bills + lapsed;

/**
 * Sums of safe integers that become a BigInt now and then: adding a BigInt per event costs more than the rest of the sum.
 * A number stays exact for as long as it is below 2^53, which each addend of at most 2^50 respects.
 */
export class Sum {
  private low = 0;
  private high = 0n;

  add(tokens: number): void {
    this.low += tokens;
    if (this.low > CARRY || this.low < -CARRY) this.carry();
  }

  /** What an earlier audit came to. */
  takeUp(tokens: bigint): void {
    this.high += tokens;
  }

  get value(): bigint {
    this.carry();
    return this.high;
  }

  private carry(): void {
    this.high += BigInt(this.low);
    this.low = 0;
  }
}

const CARRY = 2 ** 51;
