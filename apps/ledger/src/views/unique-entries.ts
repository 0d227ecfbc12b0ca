import type { StoredEvent } from '@ledger/event-store';
import { billEntry, isBill, type WalletEvent } from '@ledger/wallet';
import type { Database, Statement } from 'better-sqlite3';
import type { UniqueEntry, UniqueKind } from './read-model';
import { textIn } from './text-in';

/** Answers: which event of a wallet took this idempotency key, payment reference or bill. Usages answer for their own ids. */

type Kind = Exclude<UniqueKind, 'usage'>;

/** An entry that is not written yet, and what its row says. */
interface Fresh {
  kind: Kind;
  entry: string;
  revision: number;
  contentHash: string | undefined;
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

  /** By stream, then by kind and entry. Nearly every event adds one, and one by one they would touch pages all over the file. */
  private readonly fresh = new Map<string, Map<string, Fresh>>();
  private readonly write: Statement<[string, string, string, number, string | Buffer | null]>;
  private readonly read: Statement<[string, string, string], { revision: number; content_hash: string | Buffer | null }>;

  constructor(db: Database) {
    this.write = db.prepare('insert or ignore into unique_entries values (?, ?, ?, ?, ?)');
    this.read = db.prepare('select revision, content_hash from unique_entries where stream = ? and kind = ? and entry = ?');
  }

  /** What an event makes unique for ever, but for usages. */
  note(event: WalletEvent, { stream, revision, metadata }: StoredEvent): void {
    if (event.type === 'TokensPurchased') this.payment(stream, event.data.paymentReference, revision);
    else if (isBill(event)) this.bill(stream, billEntry(event), revision);
    const key = textIn(metadata, 'key');
    if (key !== undefined) this.key(stream, key, revision, textIn(metadata, 'contentHash'));
  }

  private key(stream: string, key: string, revision: number, contentHash: string | undefined): void {
    this.add(stream, { kind: 'key', entry: key, revision, contentHash });
  }

  private payment(stream: string, paymentReference: string, revision: number): void {
    this.add(stream, { kind: 'payment', entry: paymentReference, revision, contentHash: undefined });
  }

  /** `entry` is what `billEntry` makes of the event. */
  private bill(stream: string, entry: string, revision: number): void {
    this.add(stream, { kind: 'bill', entry, revision, contentHash: undefined });
  }

  find(stream: string, kind: Kind, entry: string): UniqueEntry | undefined {
    const row = this.read.get(stream, kind, entry);
    // What is written is older than what is not, and the first event is the one that counts.
    if (row === undefined) return entryOf(this.fresh.get(stream)?.get(`${kind} ${entry}`));
    return entryOf({ revision: row.revision, contentHash: textOf(row.content_hash) });
  }

  /** Writes what was added, in the order of the table: then the rows of one page come one after the other. */
  flush(): void {
    for (const stream of [...this.fresh.keys()].sort()) {
      const entries = this.fresh.get(stream)!;
      for (const name of [...entries.keys()].sort()) {
        const { kind, entry, revision, contentHash } = entries.get(name)!;
        this.write.run(stream, kind, entry, revision, storedOf(contentHash));
      }
    }
    this.fresh.clear();
  }

  /** Drops what a rolled-back transaction would have written. */
  forget(): void {
    this.fresh.clear();
  }

  /** Several events in a row can be the result of one key; the first one names it. */
  private add(stream: string, fresh: Fresh): void {
    let entries = this.fresh.get(stream);
    if (entries === undefined) this.fresh.set(stream, (entries = new Map<string, Fresh>()));
    const name = `${fresh.kind} ${fresh.entry}`;
    if (!entries.has(name)) entries.set(name, fresh);
  }
}

function entryOf(found: Pick<Fresh, 'revision' | 'contentHash'> | undefined): UniqueEntry | undefined {
  if (found === undefined) return undefined;
  const { revision, contentHash } = found;
  return contentHash === undefined ? { revision } : { revision, contentHash };
}

/** 32 bytes instead of 64: this table is the largest. */
function storedOf(contentHash: string | undefined): string | Buffer | null {
  if (contentHash === undefined) return null;
  return DIGEST.test(contentHash) ? Buffer.from(contentHash, 'hex') : contentHash;
}

function textOf(stored: string | Buffer | null): string | undefined {
  if (stored === null) return undefined;
  return typeof stored === 'string' ? stored : stored.toString('hex');
}
