import type { EventStore, StoredEvent } from '@ledger/event-store';
import { SqliteReadModel } from '../../apps/ledger/src/views/sqlite-read-model';
import { Choices } from '../support/choices';

const BATCH_MAX = 400;
/** How far a batch reaches back into what was given before. */
const BACK_MAX = 300;

/**
 * The store, but whoever follows it gets batches of chance sizes, each event twice or more: a batch begins with events of the one
 * before, and comes a second time behind itself.
 */
export function doubled(store: EventStore, choices: Choices): EventStore {
  const follow = async function* (after: bigint, { signal }: { batchMax: number; signal: AbortSignal }) {
    let before: StoredEvent[] = [];
    for await (const page of store.follow(after, { batchMax: BATCH_MAX, signal })) {
      for (let from = 0; from < page.length;) {
        const batch = page.slice(from, (from += choices.from(1, choices.chance(30) ? 3 : BATCH_MAX)));
        yield [...before.slice(-choices.from(0, BACK_MAX)), ...batch, ...batch];
        before = batch;
      }
    }
  };
  return Object.create(store, { follow: { value: follow } }) as EventStore;
}

/** Builds a read model in this file from a store that doubles everything, to the store's head. @throws when it does not get there */
export async function readDoubled(store: EventStore, path: string, choices: Choices, waitMs: number): Promise<void> {
  const readModel = new SqliteReadModel(doubled(store, choices), path);
  await readModel.start();
  try {
    if (!(await readModel.reached(await store.headPosition(), waitMs)))
      throw new Error(`a read model that reads everything twice stands at ${readModel.position} after ${waitMs / 1000} s`);
  } finally {
    await readModel.stop();
  }
}
