import type { BalanceRecord } from '@ledger/event-contract';

/**
 * What is left of a balance in a month such as `2026-11` (of the platform's zone): free tokens lapse when their month ends, and no
 * message says so. The allowance of the new month is not in it: that comes with the wallet's first event of the month.
 */
export const balanceIn = (month: string, { balance, free }: BalanceRecord): number =>
  free !== undefined && free.month < month ? balance - free.tokens : balance;
