import { chmodSync, closeSync, openSync } from 'node:fs';
import { type Database, Sqlite } from '@ledger/sqlite';
import { Checkpoints } from './checkpoint';
import { UniqueLog } from './unique-log';
import { Views } from './views';

/** About 64 MiB of pages; a file beyond it is read through the operating system's cache. */
export const CACHE_KIB = 65_536;
/** Twice SQLite's default: measured, a tenth less work for the same rows. It counts for new files only. */
export const PAGE_BYTES = 8_192;
/** Holds the entries that are unique for ever, in the order of their events, while the file is being filled. */
export const LOG_SUFFIX = '-entries';

/** One opened file: its views and their checkpoint on one connection. */
export interface OpenViews {
  db: Database;
  views: Views;
  checkpoints: Checkpoints;
}

/**
 * An empty file, to be filled from nothing and then made whole. Nobody can use it before, so it keeps no log, waits for no disk and
 * orders nothing: what is left of it by a crash has no version, and is discarded.
 */
export function emptyFile(path: string): OpenViews {
  touch(path);
  touch(path + LOG_SUFFIX);
  const db = new Sqlite(path);
  try {
    db.pragma(`page_size = ${PAGE_BYTES}`);
    db.prepare('attach database ? as log').run(path + LOG_SUFFIX);
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

/** Makes the file, if it is missing, and makes it readable by its owner only: balances are nobody else's business. */
export function touch(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}
