import { setTimeout as pause } from 'node:timers/promises';
import { Sqlite } from '@ledger/sqlite';
import type { Witness } from './witness';
import type { Door } from './ledger-under-test';

const FREEZES_MAX = 2_000;
/** A frozen process is let go after so long at the latest, when the other one cannot answer for its lock. */
const FROZEN_MS_MAX = 400;

/** True while another process holds the store's write lock. */
export function isLocked(file: string): boolean {
  const database = new Sqlite(file, { timeout: 0, fileMustExist: true });
  try {
    database.exec('begin immediate');
    database.exec('rollback');
    return false;
  } catch (error) {
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) return true;
    throw error;
  } finally {
    database.close();
  }
}

/**
 * Freezes a process that is under load again and again until it is frozen with the store's write lock in its hand; nobody
 * else may write meanwhile. It stays frozen. @throws when that does not come about
 */
export async function freezeInTheMiddleOfWriting(door: Door, file: string): Promise<void> {
  for (let freeze = 0; freeze < FREEZES_MAX; freeze++) {
    door.service.signal('SIGSTOP');
    // A second look: the signal takes effect between two instructions, and a commit may just have ended.
    if (isLocked(file) && isLocked(file) && (await stays(file))) return;
    door.service.signal('SIGCONT');
    await pause(freeze % 7);
  }
  throw new Error(`${FREEZES_MAX} freezes did not find ${door.name} writing`);
}

/** The process may get the signal a moment later than we think; its lock must outlast many looks. */
async function stays(file: string): Promise<boolean> {
  for (let look = 0; look < 10; look++) {
    await pause(2);
    if (!isLocked(file)) return false;
  }
  return true;
}

/** Freezes a process until so many more answers have come, from anybody, or it has been long enough. */
export async function freezeFor(door: Door, witness: Witness, answers: number): Promise<void> {
  door.service.signal('SIGSTOP');
  let timer: NodeJS.Timeout | undefined;
  const longEnough = new Promise<void>((done) => (timer = setTimeout(done, FROZEN_MS_MAX)));
  await Promise.race([witness.answered(witness.answers + answers), longEnough]);
  clearTimeout(timer);
  door.service.signal('SIGCONT');
}
