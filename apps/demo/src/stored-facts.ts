import { resolve } from 'node:path';
import { NO_POSITION, openEventStore } from '@ledger/event-store';
import type { WalletEvent } from '@ledger/wallet';
import { Sqlite } from '@ledger/sqlite';
import type { StoredFact } from './recompute';

/** Every stored event in the order of the store, read from the file itself: neither the service nor its adapter is asked. */
export function* storedFacts(folder: string): Generator<StoredFact> {
  const database = new Sqlite(resolve(folder, 'events.db'), { readonly: true, fileMustExist: true });
  try {
    const rows = database
      .prepare<[], [stream: string, revision: number, type: string, data: string]>(
        'select stream, revision, type, data from ledger order by position',
      )
      .raw();
    for (const [stream, revision, type, data] of rows.iterate())
      yield { stream, revision, event: { type, data: JSON.parse(data) as unknown } as WalletEvent };
  } finally {
    database.close();
  }
}

const PAGE = 5_000;

/** The same of a store that only its port can read. */
export async function* storedFactsOf(url: string): AsyncGenerator<StoredFact> {
  const store = await openEventStore(url);
  try {
    for (let after = NO_POSITION; ;) {
      const page = await store.readAll(after, PAGE);
      for (const { stream, revision, type, data } of page)
        yield { stream, revision, event: { type, data: JSON.parse(data) as unknown } as WalletEvent };
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.position;
    }
  } finally {
    await store.close();
  }
}
