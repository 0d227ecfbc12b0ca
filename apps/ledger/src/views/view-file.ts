import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Database, Sqlite } from '@ledger/sqlite';
import { Checkpoints, versionNumber } from './checkpoint';
import { emptyFile, LOG_SUFFIX, type OpenViews, PAGE_BYTES, touch } from './filling';
import { finishFile, joinFile, sortEntries } from './finishing';
import { Views } from './views';

/** How long another process may take to let go of the file when it is being replaced by this one. */
const LOCK_MS = 500;
/** About 32 MiB of pages. Half of what filling has: the rows that are busy are in memory beside it. */
const LIVE_CACHE_KIB = 32_768;
/** Pages of the log (64 MiB) that are gathered before they are moved into the file, which waits for the disk: one page is in it many times. */
const LOG_PAGES = 8_000;
/** Of a file for the other part of the users, while two threads fill one read model. */
const OTHER_SUFFIX = '-other';
/** What stands beside a file while it is being filled. */
const BESIDE = [LOG_SUFFIX, OTHER_SUFFIX, OTHER_SUFFIX + LOG_SUFFIX];

/** The read model's file is held by another process, or by another part of this one. */
export class ReadModelInUse extends Error {
  constructor(path: string, options?: { cause?: unknown }) {
    super(`The read model ${path} is in use by another process: give each process a READ_MODEL_PATH of its own.`, options);
    this.name = 'ReadModelInUse';
  }
}

/** Before the start, after the stop, and for the moment in which a file that does not match is replaced. */
export class ReadModelClosed extends Error {
  constructor(path: string) {
    super(`The read model ${path} is not open.`);
    this.name = 'ReadModelClosed';
  }
}

/**
 * The read model's file, held by one process. The lock is SQLite's on a file beside it (`.lock`), which the operating system
 * lets go of when the process ends, however it ends; so the file itself may be replaced while the lock is held.
 */
export class ViewFile {
  private readonly lock: Database;
  /** Of the file that a second thread fills, before `finish` joins the two. */
  readonly otherPath: string;

  /** @throws ReadModelInUse */
  constructor(readonly path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const lockPath = `${path}.lock`;
    this.otherPath = path + OTHER_SUFFIX;
    touch(lockPath);
    this.lock = new Sqlite(lockPath, { timeout: LOCK_MS });
    try {
      // Never committed: the transaction is the lock, and it writes nothing.
      this.lock.exec('begin exclusive');
    } catch (error) {
      this.lock.close();
      throw isBusy(error) ? new ReadModelInUse(path, { cause: error }) : error;
    }
  }

  /** Opens the file, or creates it. @throws an error that `isDamage` knows, when there is something else in it */
  open(): OpenViews {
    touch(this.path);
    return openViews(this.path);
  }

  /** An empty file in the place of this one, to be filled from nothing and then made whole by `finish`. */
  begin(): OpenViews {
    this.discard();
    return emptyFile(this.path);
  }

  /**
   * Makes a filled file whole, beside this thread, and opens it. Its connection was closed before. With `other` the file at `otherPath`
   * is joined to it, when that is done.
   */
  async finish(other?: Promise<unknown>): Promise<OpenViews> {
    // Whatever fails, no thread is left at work on a file that is begun again.
    for (const done of await Promise.allSettled([sortEntries(this.path), other])) if (done.status === 'rejected') throw done.reason;
    if (other !== undefined) await joinFile(this.path, this.otherPath);
    await finishFile(this.path);
    this.remove(BESIDE);
    return this.open();
  }

  /** Removes the file, so that the next `open` begins with an empty one. */
  discard(): void {
    this.remove(['', '-wal', '-shm', '-journal', ...BESIDE]);
  }

  private remove(suffixes: readonly string[]): void {
    for (const suffix of suffixes) rmSync(this.path + suffix, { force: true });
  }

  release(): void {
    this.lock.close();
  }
}

/** Opens a file that is there, or gives an empty one its tables. @throws as `ViewFile.open` */
export function openViews(path: string): OpenViews {
  const db = new Sqlite(path);
  try {
    db.pragma(`page_size = ${PAGE_BYTES}`);
    // Not locked for this process alone: the lock beside it keeps other writers out, and a check may look in while it runs.
    db.pragma('journal_mode = WAL');
    // Safe against the end of the process; against the end of the machine it may lose the last batches, which are read again.
    db.pragma('synchronous = NORMAL');
    db.pragma(`cache_size = -${LIVE_CACHE_KIB}`);
    db.pragma(`wal_autocheckpoint = ${LOG_PAGES}`);
    const version = db.pragma('user_version', { simple: true });
    if (version === 0) create(db);
    else if (version !== versionNumber()) throw new OtherSchema(`its schema version is ${String(version)}, not ${versionNumber()}`);
    return { db, views: new Views(db), checkpoints: new Checkpoints(db) };
  } catch (error) {
    db.close();
    // A statement that does not fit the tables.
    throw codeOf(error) === 'SQLITE_ERROR' ? new OtherSchema((error as Error).message) : error;
  }
}

/** The file was made by another version of the ledger. */
class OtherSchema extends Error {}

function create(db: Database): void {
  // Tables without our version are somebody else's, and would stand in the way of ours.
  if (db.prepare('select 1 from sqlite_schema').get() !== undefined)
    throw new OtherSchema('it was never finished (it has no schema version)');
  Checkpoints.create(db);
}

/** True when the file can only be thrown away: it is damaged, is no read model, or is one of another version. */
export function isDamage(error: unknown): boolean {
  if (error instanceof OtherSchema) return true;
  return /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ)/.test(codeOf(error));
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));

const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error));

/** Not by `instanceof`: the addon throws the class of whoever loaded it first in this process, and Jest loads it once per file. */
const codeOf = (error: unknown): string => {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
};
