import type { Database, Statement } from 'better-sqlite3';
import type { UniqueEntry } from './read-model';

/** Answers: which event of a wallet took this idempotency key or this payment reference. Usages answer for their own ids. */

export class UniqueEntries {
  /** The wallet's stream comes first, so that the entries of a busy wallet lie together. */
  static readonly tables = `
    create table unique_entries (
      stream text not null,
      kind text not null,
      entry text not null,
      revision integer not null,
      content_hash text,
      primary key (stream, kind, entry)
    ) strict, without rowid;`;

  private readonly write: Statement<[string, string, string, number, string | null]>;
  private readonly read: Statement<[string, string, string], { revision: number; content_hash: string | null }>;

  constructor(db: Database) {
    // Several events in a row can be the result of one key; the first one names it.
    this.write = db.prepare('insert or ignore into unique_entries values (?, ?, ?, ?, ?)');
    this.read = db.prepare('select revision, content_hash from unique_entries where stream = ? and kind = ? and entry = ?');
  }

  key(stream: string, key: string, revision: number, contentHash: string | undefined): void {
    this.write.run(stream, 'key', key, revision, contentHash ?? null);
  }

  payment(stream: string, paymentReference: string, revision: number): void {
    this.write.run(stream, 'payment', paymentReference, revision, null);
  }

  find(stream: string, kind: 'key' | 'payment', entry: string): UniqueEntry | undefined {
    const row = this.read.get(stream, kind, entry);
    if (row === undefined) return undefined;
    return row.content_hash === null ? { revision: row.revision } : { revision: row.revision, contentHash: row.content_hash };
  }
}
