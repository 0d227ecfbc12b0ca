import { chmodSync, closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { Checkpoints, versionNumber } from './checkpoint';
import { finishFile } from './finishing';
import { UniqueLog } from './unique-log';
import { Views } from './views';

/** How long another process may take to let go of the file when it is being replaced by this one. */
const LOCK_MS = 500;
/** About 64 MiB of pages; a file beyond it is read through the operating system's cache. */
const CACHE_KIB = 65_536;
/** Twice SQLite's default: measured, a tenth less work for the same rows. It counts for new files only. */
const PAGE_BYTES = 8_192;
/** Pages of the log that are gathered before they are moved into the file. */
const LOG_PAGES = 2_000;
const LOG_SUFFIX = '-entries';

/** One opened file: its views and their checkpoint on one connection. */
export interface OpenViews {
  db: Database;
  views: Views;
  checkpoints: Checkpoints;
}

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
  /** Entries that are unique for ever, in the order of their events, while the file is being filled. */
  private readonly logPath: string;

  /** @throws ReadModelInUse */
  constructor(readonly path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const lockPath = `${path}.lock`;
    this.logPath = path + LOG_SUFFIX;
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
    const db = new Sqlite(this.path);
    try {
      db.pragma(`page_size = ${PAGE_BYTES}`);
      // Not locked for this process alone: the lock beside it keeps other writers out, and a check may look in while it runs.
      db.pragma('journal_mode = WAL');
      // Safe against the end of the process; against the end of the machine it may lose the last batches, which are read again.
      db.pragma('synchronous = NORMAL');
      db.pragma(`cache_size = -${CACHE_KIB}`);
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

  /**
   * An empty file in the place of this one, to be filled from nothing and then made whole by `finish`. Nobody can use it before,
   * so it keeps no log, waits for no disk and orders nothing: what is left of it by a crash has no version, and is discarded.
   */
  begin(): OpenViews {
    this.discard();
    touch(this.path);
    touch(this.logPath);
    const db = new Sqlite(this.path);
    try {
      db.pragma(`page_size = ${PAGE_BYTES}`);
      db.prepare('attach database ? as log').run(this.logPath);
      for (const schema of ['main', 'log']) {
        db.pragma(`${schema}.journal_mode = off`);
        db.pragma(`${schema}.synchronous = off`);
      }
      db.pragma(`cache_size = -${CACHE_KIB}`);
      Checkpoints.begin(db);
      UniqueLog.create(db);
      return { db, views: new Views(db, new UniqueLog(db)), checkpoints: new Checkpoints(db) };
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** Makes a filled file whole, beside this thread, and opens it. Its connection was closed before. */
  async finish(): Promise<OpenViews> {
    await finishFile(this.path, this.logPath, CACHE_KIB);
    rmSync(this.logPath, { force: true });
    return this.open();
  }

  /** Removes the file, so that the next `open` begins with an empty one. */
  discard(): void {
    for (const suffix of ['', '-wal', '-shm', '-journal', LOG_SUFFIX]) rmSync(this.path + suffix, { force: true });
  }

  release(): void {
    this.lock.close();
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

const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error));

/** Not by `instanceof`: the addon throws the class of whoever loaded it first in this process, and Jest loads it once per file. */
const codeOf = (error: unknown): string => {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
};

/** Makes the file, if it is missing, and makes it readable by its owner only: balances are nobody else's business. */
function touch(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}
