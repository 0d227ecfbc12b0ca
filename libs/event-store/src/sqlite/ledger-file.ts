import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Database, Sqlite, type Statement } from '@ledger/sqlite';
import { type StreamHead, UnusableStore } from '../event-store';
import { unusable } from './fault';
import { LOCK_BLOCKS_MS } from './patience';
import { Reading } from './reading';
import { checkSchema, createSchema } from './schema';
import { Writing } from './writing';

const CACHE_KIB = 64 * 1024;
/** Whoever only reads goes through the file once, or has no hurry. */
const READER_CACHE_KIB = 8 * 1024;
/** 16 MiB: a checkpoint stops the event loop for about 10 ms. At ten times that it was 150 ms and the rate was no better. */
const CHECKPOINT_PAGES = 2_000;
/** A log that grew because a reader held it back is cut to this at the next chance. */
const LOG_BYTES_MAX = 256 * 1024 * 1024;

/** One connection to the file with everything prepared on it. */
export class LedgerFile {
  readonly reading: Reading;
  readonly writing: Writing;
  private readonly version: Statement<[], number>;

  private constructor(private readonly db: Database) {
    this.reading = new Reading(db);
    this.writing = new Writing(db, this.reading);
    this.version = db.prepare<[], number>('pragma data_version').pluck();
  }

  /** @throws UnusableStore; errors of SQLite are thrown as they are */
  static openOrCreate(path: string): LedgerFile {
    try {
      createPrivately(path);
    } catch (error) {
      throw unusable(path, error) ?? error;
    }
    return LedgerFile.connect(path, createSchema);
  }

  /** The file must be there: were it created again after its disk went away, an empty ledger would take the place of the full. */
  static open(path: string): LedgerFile {
    return LedgerFile.connect(path);
  }

  /**
   * For whoever must not change anything, such as an auditor. A log that somebody's crash has left is read through and left alone.
   * Where there is none the file is opened for writing all the same, for only such a connection removes its empty log when it
   * closes; SQLite itself then refuses to write.
   */
  static openReadOnly(path: string): LedgerFile {
    const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
    const readonly = log !== undefined && log.size > 0;
    return LedgerFile.connect(path, (db) => void db.pragma('query_only = on'), readonly, READER_CACHE_KIB);
  }

  private static connect(path: string, prepare?: (db: Database) => void, readonly = false, cacheKib = CACHE_KIB): LedgerFile {
    const db = new Sqlite(path, { timeout: LOCK_BLOCKS_MS, fileMustExist: true, readonly });
    try {
      prepare?.(db);
      checkSchema(db, path);
      useLog(db, path);
      db.pragma('synchronous = full');
      // On macOS fsync alone does not reach the disk; elsewhere this changes nothing.
      db.pragma('fullfsync = on');
      db.pragma(`cache_size = -${cacheKib}`);
      db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      db.pragma(`journal_size_limit = ${LOG_BYTES_MAX}`);
      return new LedgerFile(db);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** True in the middle of a transaction that could be neither committed nor rolled back. */
  get stuck(): boolean {
    return this.db.inTransaction;
  }

  /** Changes whenever another connection, of this or of another process, has committed. */
  dataVersion(): number {
    return this.version.get()!;
  }

  /** The heads of streams by a look at the file that is made by this call: half the price of a query, for it touches no page. */
  headsOf(streams: readonly string[]): StreamHead[] {
    const version = this.dataVersion();
    return streams.map((stream) => this.writing.headOf(stream, version));
  }

  /** Leaves the log empty when nobody else is using it. */
  close(): void {
    try {
      if (!this.db.readonly && this.db.pragma('query_only', { simple: true }) === 0) this.db.pragma('wal_checkpoint(truncate)');
    } catch {
      // Nothing is lost: whoever opens the file next does it.
    }
    this.db.close();
  }
}

/**
 * Only the owner may read a ledger; SQLite gives its log the same mode. A file that exists is never opened here: closing it
 * again would drop the locks that another handle of this process holds on it (POSIX locks belong to the process).
 */
function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Write-ahead logging: readers never wait for writers. SQLite answers with the old mode where it cannot (network disks). */
function useLog(db: Database, path: string): void {
  if (db.pragma('journal_mode = wal', { simple: true }) !== 'wal') {
    throw new UnusableStore(`${path} lies on a file system without shared memory, which SQLite needs for its write-ahead log`);
  }
}
