import { chmodSync, closeSync, openSync, rmSync } from 'node:fs';
import { Logger } from '@nestjs/common';
import { type Database, Sqlite, type Statement } from '@ledger/sqlite';

/** All snapshots together; the oldest make room. */
export const BYTES_MAX = 512 * 1024 * 1024;
/** A state beyond this is folded anew each time: writing it would hold everybody up. */
export const SNAPSHOT_BYTES_MAX = 32 * 1024 * 1024;
/** Folding so many events again costs some 10 ms. */
export const EVENTS_BETWEEN = 2_000;
/** Raise it when the table changes; a file of another version is replaced. */
const VERSION = 1;
const LOCK_MS = 500;

const TABLE = `
  create table snapshots (
    stream text primary key,
    written integer not null,
    bytes integer not null,
    digest text not null,
    body blob not null
  ) strict;
  create index snapshots_by_age on snapshots (written, bytes);
  pragma user_version = ${VERSION};`;

interface Row {
  digest: string;
  body: Buffer;
}

interface Opened {
  db: Database;
  read: Statement<[string], Row>;
  readBytes: Statement<[string], number>;
  write: Statement<[string, number, number, string, Buffer]>;
  readOldest: Statement<[], { stream: string; bytes: number }>;
  drop: Statement<[string]>;
}

/**
 * The file of one process's snapshots, beside its read model. Nothing in it is needed: what cannot be read is as good as absent,
 * a file that fails is replaced once and then left alone, and no error of it reaches a command.
 */
export class SnapshotFile {
  private readonly log = new Logger('Snapshots');
  private opened: Opened | undefined;
  private failed = false;
  private written = 0;
  private bytes = 0;

  constructor(
    readonly path: string,
    private readonly bytesMax = BYTES_MAX,
    /** A wallet is kept when it has moved on by so many events, or by as many as it has entries. */
    readonly eventsBetween = EVENTS_BETWEEN,
  ) {}

  find(stream: string): Row | undefined {
    return this.attempt(({ read }) => read.get(stream));
  }

  keep(stream: string, body: Buffer, digest: string): void {
    if (body.length > Math.min(SNAPSHOT_BYTES_MAX, this.bytesMax)) return;
    this.attempt((opened) => {
      const before = opened.readBytes.get(stream) ?? 0;
      opened.write.run(stream, (this.written += 1), body.length, digest, body);
      this.bytes += body.length - before;
      while (this.bytes > this.bytesMax) this.dropOldest(opened);
    });
  }

  close(): void {
    this.opened?.db.close();
    this.opened = undefined;
    this.failed = true;
  }

  private dropOldest({ readOldest, drop }: Opened): void {
    const oldest = readOldest.get();
    if (oldest === undefined) {
      this.bytes = 0;
      return;
    }
    drop.run(oldest.stream);
    this.bytes -= oldest.bytes;
  }

  /** Opened at the first use, when the read model holds the lock that makes this folder this process's. */
  private attempt<T>(action: (opened: Opened) => T): T | undefined {
    if (this.failed) return undefined;
    try {
      return action((this.opened ??= this.open()));
    } catch (error) {
      this.log.warn(`Snapshots are not used until the next start, since ${this.path} failed: ${(error as Error).message}.`);
      this.opened?.db.close();
      this.opened = undefined;
      this.failed = true;
      // Whatever it is, the next start begins with an empty file. One that another process holds stays, for it is not ours.
      if (!isBusy(error)) this.discard();
      return undefined;
    }
  }

  private open(): Opened {
    try {
      return this.connect();
    } catch (error) {
      if (isBusy(error)) throw error;
      this.log.warn(`The snapshots in ${this.path} are discarded: ${(error as Error).message}.`);
      this.discard();
      return this.connect();
    }
  }

  private connect(): Opened {
    // States hold balances, which are nobody else's business.
    closeSync(openSync(this.path, 'a', 0o600));
    chmodSync(this.path, 0o600);
    const db = new Sqlite(this.path, { timeout: LOCK_MS });
    try {
      db.pragma('locking_mode = EXCLUSIVE');
      db.pragma('journal_mode = WAL');
      // Every snapshot carries a digest of its own and is compared with the store, so nothing waits for the disk.
      db.pragma('synchronous = OFF');
      const version = db.pragma('user_version', { simple: true });
      if (version === 0 && db.prepare('select 1 from sqlite_schema').get() === undefined) db.transaction(() => db.exec(TABLE))();
      else if (version !== VERSION) throw new Error(`their version is ${String(version)}, not ${VERSION}`);
      const totals = db.prepare<[], { written: number; bytes: number }>(
        'select coalesce(max(written), 0) written, coalesce(sum(bytes), 0) bytes from snapshots',
      );
      ({ written: this.written, bytes: this.bytes } = totals.get()!);
      return {
        db,
        read: db.prepare('select digest, body from snapshots where stream = ?'),
        readBytes: db.prepare<[string], number>('select bytes from snapshots where stream = ?').pluck(),
        write: db.prepare('insert or replace into snapshots values (?, ?, ?, ?, ?)'),
        readOldest: db.prepare('select stream, bytes from snapshots order by written limit 1'),
        drop: db.prepare('delete from snapshots where stream = ?'),
      };
    } catch (error) {
      db.close();
      throw error;
    }
  }

  private discard(): void {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(this.path + suffix, { force: true });
  }
}

/** By its shape, not by its class: Jest loads the driver once for all test files, and its classes belong to the first. */
const isBusy = (error: unknown): boolean => /^SQLITE_(BUSY|LOCKED)/.test((error as { code?: string }).code ?? '');
