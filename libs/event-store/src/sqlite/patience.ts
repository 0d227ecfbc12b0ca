import { setTimeout as pause } from 'node:timers/promises';
import { OutcomeUnknown } from '../event-store';

/** How long SQLite itself may wait for a lock. It blocks the event loop meanwhile, so the rest of the waiting is ours. */
export const LOCK_BLOCKS_MS = 5;
const PAUSE_MIN_MS = 2;
const PAUSE_MAX_MS = 20;

/** The code of an error of SQLite. By its shape: jest gives each test file other classes than the driver has, Object included. */
export function sqliteCode(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
}

/** Another connection holds the lock; nothing has happened. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== undefined && (code.startsWith('SQLITE_BUSY') || code === 'SQLITE_PROTOCOL');
}

/** An error after which the connection itself is not to be trusted any more. */
export function leavesDoubt(error: unknown): boolean {
  if (error instanceof OutcomeUnknown) return true;
  const code = sqliteCode(error);
  return code !== undefined && !isBusy(error) && code !== 'SQLITE_FULL' && !code.startsWith('SQLITE_CONSTRAINT');
}

/** Waits a little longer with each try, and never as long as a neighbour who began at the same moment. */
export async function backOff(tries: number): Promise<void> {
  const longest = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** Math.min(tries, 10));
  await pause(longest * (0.5 + Math.random() / 2));
}

/** One sentence about an error that is not ours. */
export const reasonOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
