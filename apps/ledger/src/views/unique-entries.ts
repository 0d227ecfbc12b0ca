import type { StoredEvent } from '@ledger/event-store';
import { billEntry, isBill, type WalletEvent, textIn } from '@ledger/wallet';
import type { Database, Statement } from '@ledger/sqlite';
import type { UniqueEntry, UniqueKind } from './read-model';

/** Answers: which event of a wallet took this idempotency key, payment reference or bill. Usages answer for their own ids. */

export type Kind = Exclude<UniqueKind, 'usage'>;

/** An entry that is not written yet, and what its row says. */
interface Fresh {
  kind: Kind;
  entry: string;
  revision: number;
  contentHash: string | null;
}

/** A SHA-256 as its writers spell it; another text is stored as it is. */
const DIGEST = /^[0-9a-f]{64}$/;

export class UniqueEntries {
  /** The wallet's stream comes first, so that the entries of a busy wallet lie together. */
  static readonly tables = `
    create table unique_entries (
      stream text not null,
      kind text not null,
      entry text not null,
      revision integer not null,
      content_hash any,
      primary key (stream, kind, entry)
    ) strict, without rowid;`;
  static readonly joined = 'insert into unique_entries select * from other.unique_entries;';

  /** By stream. Nearly every event adds one, and one by one they would touch pages all over the file. */
  private readonly fresh = new Map<string, Fresh[]>();
  private readonly write: Statement<[string, string, string, number, string | Buffer | null]>;
  private readonly read: Statement<[string, string, string], { revision: number; content_hash: string | Buffer | null }>;

  constructor(db: Database) {
    this.write = db.prepare('insert or ignore into unique_entries values (?, ?, ?, ?, ?)');
    this.read = db.prepare('select revision, content_hash from unique_entries where stream = ? and kind = ? and entry = ?');
  }

  /** What an event makes unique for ever, but for usages. */
  note(event: WalletEvent, { stream, revision, metadata }: StoredEvent): void {
    if (event.type === 'TokensPurchased') this.add(stream, 'payment', event.data.paymentReference, revision, null);
    else if (isBill(event)) this.add(stream, 'bill', billEntry(event), revision, null);
    const key = textIn(metadata, 'key');
    if (key !== undefined) this.add(stream, 'key', key, revision, textIn(metadata, 'contentHash') ?? null);
  }

  find(stream: string, kind: Kind, entry: string): UniqueEntry | undefined {
    const row = this.read.get(stream, kind, entry);
    // What is written is older than what is not, and the first event is the one that counts.
    if (row !== undefined) return entryOf(row.revision, textOf(row.content_hash));
    const fresh = this.fresh.get(stream)?.find((added) => added.entry === entry && added.kind === kind);
    return fresh && entryOf(fresh.revision, fresh.contentHash);
  }

  /** Writes what was added, in the order of the table: then the rows of one page come one after the other. */
  flush(): void {
    for (const stream of [...this.fresh.keys()].sort()) {
      const entries = this.fresh.get(stream)!.sort(inOrder);
      for (const { kind, entry, revision, contentHash } of entries) this.write.run(stream, kind, entry, revision, storedOf(contentHash));
    }
    this.fresh.clear();
  }

  /** Drops what a rolled-back transaction would have written. */
  forget(): void {
    this.fresh.clear();
  }

  protected add(stream: string, kind: Kind, entry: string, revision: number, contentHash: string | null): void {
    const fresh = { kind, entry, revision, contentHash };
    const entries = this.fresh.get(stream);
    if (entries === undefined) this.fresh.set(stream, [fresh]);
    else entries.push(fresh);
  }
}

/** Several events in a row can be the result of one key; the first one names it, and stays before the others. */
function inOrder(a: Fresh, b: Fresh): number {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  return a.entry === b.entry ? a.revision - b.revision : a.entry < b.entry ? -1 : 1;
}

function entryOf(revision: number, contentHash: string | null): UniqueEntry {
  return contentHash === null ? { revision } : { revision, contentHash };
}

/** 32 bytes instead of 64: this table is the largest. */
const storedOf = (contentHash: string | null): string | Buffer | null =>
  contentHash !== null && DIGEST.test(contentHash) ? Buffer.from(contentHash, 'hex') : contentHash;

function textOf(stored: string | Buffer | null): string | null {
  return stored === null || typeof stored === 'string' ? stored : stored.toString('hex');
}
