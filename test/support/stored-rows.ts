import { setTimeout as pause } from 'node:timers/promises';
import type { WalletEvent } from '@ledger/wallet';
import { type Database, Sqlite, type Statement } from '@ledger/sqlite';

/** One row of the store's view, as anybody with `sqlite3` would read it: neither the service nor its adapter is asked. */
export interface StoredRow {
  position: number;
  stream: string;
  revision: number;
  id: string;
  type: string;
  /** JSON to the letter, for the chain of hashes. */
  data: string;
  metadata: Record<string, string>;
  event: WalletEvent;
}

type Columns = [position: number, stream: string, revision: number, type: string, data: string, metadata: string, id: string];

/** A reader of a store file that other processes write at the same time. */
export class StoreReader {
  private readonly database: Database;
  private readonly headOfAll: Statement<[], number>;
  private readonly after: Statement<[number], Columns>;

  constructor(file: string) {
    this.database = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 5_000 });
    this.headOfAll = this.database.prepare<[], number>('select position from ledger order by position desc limit 1').pluck();
    this.after = this.database
      .prepare<[number], Columns>(
        'select position, stream, revision, type, data, metadata, id from ledger where position > ? order by position',
      )
      .raw();
  }

  /** Position of the last event; 0 while there is none. */
  head(): number {
    return this.headOfAll.get() ?? 0;
  }

  *rows(after = 0): Generator<StoredRow> {
    for (const [position, stream, revision, type, data, metadata, id] of this.after.iterate(after)) {
      const event = { type, data: JSON.parse(data) as unknown } as WalletEvent;
      yield { position, stream, revision, id, type, data, metadata: JSON.parse(metadata) as Record<string, string>, event };
    }
  }

  close(): void {
    this.database.close();
  }
}

/** Waits until a store has grown by so many events, or, when the writer is done before, for as long as `LOOKS_MAX` looks. */
export async function grownBy(file: string, count: number): Promise<void> {
  const reader = new StoreReader(file);
  try {
    const enough = reader.head() + count;
    for (let look = 0; look < LOOKS_MAX && reader.head() < enough; look++) await pause(2);
  } finally {
    reader.close();
  }
}

const LOOKS_MAX = 4_000;

export function storedRows(file: string): StoredRow[] {
  const reader = new StoreReader(file);
  try {
    return [...reader.rows()];
  } finally {
    reader.close();
  }
}
