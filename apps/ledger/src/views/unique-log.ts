import type { Database, Statement } from '@ledger/sqlite';
import { type Kind, UniqueEntries } from './unique-entries';

/**
 * Stands in for the entries that are unique for ever while a file is filled from nothing: they are only written down, one after the
 * other, and put in their order once, at the end. Nobody asks for one before.
 */
export class UniqueLog extends UniqueEntries {
  private readonly append: Statement<[string, Kind, string, number, string | null]>;

  constructor(db: Database) {
    super(db);
    this.append = db.prepare('insert into log.entries values (?, ?, ?, ?, ?)');
  }

  static create(db: Database): void {
    db.exec('create table log.entries (stream text, kind text, entry text, revision integer, content_hash text) strict');
  }

  /** Moves the log into its table. A digest of 64 letters becomes 32 bytes, as in `UniqueEntries`. */
  static readonly sort = `
    insert or ignore into unique_entries
    select stream, kind, entry, revision,
      iif(length(content_hash) = 64 and lower(hex(unhex(content_hash))) = content_hash, unhex(content_hash), content_hash)
    from log.entries order by stream, kind, entry, revision`;

  protected override add(stream: string, kind: Kind, entry: string, revision: number, contentHash: string | null): void {
    this.append.run(stream, kind, entry, revision, contentHash);
  }
}
