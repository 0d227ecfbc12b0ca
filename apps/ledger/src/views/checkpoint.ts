import { createHash } from 'node:crypto';
import { type EventStore, type StoredEvent } from '@ledger/event-store';
import type { Metadata } from '@ledger/wallet';
import type { Database, Statement } from '@ledger/sqlite';
import { Views } from './views';

/** How far the views have read, and of which store; written in the transaction of the rows that it speaks of. */
export interface Checkpoint {
  schema: string;
  /** Names the store: the id of its first event. */
  mark: string;
  position: bigint;
  /** Where the last event is, and its hash: a store that went back has another event there, or none. */
  stream: string;
  revision: number;
  hash: string;
}

/** Raise it when a fold changes while the tables stay the same. */
const FOLDS = 1;
/** Files of any other schema are discarded. A change of a table changes it by itself. */
export const VIEWS_SCHEMA = `${FOLDS}-${createHash('sha256')
  .update(Views.tables + Views.indexes)
  .digest('hex')
  .slice(0, 16)}`;

const TABLE = `
  create table checkpoint (
    id integer primary key check (id = 1),
    schema text not null,
    mark text not null,
    position text not null,
    stream text not null,
    revision integer not null,
    hash text not null
  ) strict;`;

export class Checkpoints {
  private readonly write: Statement<[string, string, string, string, number, string]>;
  private readonly read: Statement<[], Omit<Checkpoint, 'position'> & { position: string }>;

  constructor(db: Database) {
    this.write = db.prepare('insert or replace into checkpoint values (1, ?, ?, ?, ?, ?, ?)');
    this.read = db.prepare('select * from checkpoint');
  }

  /** Makes the tables of an empty file, all or none. */
  static create(db: Database): void {
    db.transaction(() => db.exec(TABLE + Views.tables + Views.indexes).pragma(`user_version = ${versionNumber()}`))();
  }

  /** Makes the tables of a file that is to be filled from nothing: it has no version until it is whole. */
  static begin(db: Database): void {
    db.exec(TABLE + Views.tables);
  }

  save(mark: string, { position, stream, revision, metadata }: StoredEvent): void {
    // A position of 64 bits is text, since JavaScript's numbers end at 2^53.
    this.write.run(VIEWS_SCHEMA, mark, String(position), stream, revision, hashOf(metadata));
  }

  last(): Checkpoint | undefined {
    const row = this.read.get();
    return row && { ...row, position: BigInt(row.position) };
  }
}

/** A file's `user_version`, which is there before the first event is; 0 is an empty file. */
export const versionNumber = (): number => 1 + ((parseInt(VIEWS_SCHEMA.slice(-7), 16) + FOLDS) % 0x7ffffffe);

/** Why a file cannot go on with this store, as the rest of a sentence; undefined when it can. */
export async function contradiction(checkpoint: Checkpoint, store: EventStore): Promise<string | undefined> {
  if (checkpoint.schema !== VIEWS_SCHEMA) return `its schema is ${checkpoint.schema}, not ${VIEWS_SCHEMA}`;
  const mark = await store.mark();
  if (mark !== checkpoint.mark) return `it was built from the store ${checkpoint.mark}, and this one is ${mark ?? 'empty'}`;
  const head = await store.headPosition();
  if (head < checkpoint.position) return `the store went back to position ${head}, and it had read ${checkpoint.position}`;
  const { stream, revision, hash, position } = checkpoint;
  const [last] = await store.readStream(stream, revision, 1);
  const same = last?.revision === revision && last.position === position && hashOf(last.metadata) === hash;
  return same ? undefined : `the store has another event at position ${position} than the one it had read`;
}

const hashOf = (metadata: string): string => (JSON.parse(metadata) as Metadata).hash ?? '';
