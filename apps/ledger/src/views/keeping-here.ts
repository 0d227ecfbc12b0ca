import { setImmediate as othersFirst } from 'node:timers/promises';
import type { EventStore, StoredEvent } from '@ledger/event-store';
import type { OpenViews } from './filling';
import type { Folding } from './folding';
import type { HowFar } from './how-far';

/** Nothing else runs while a batch is folded in. */
export const BATCH_MAX = 1_000;

/** The file while it is open. */
export type Current = OpenViews & { folding: Folding };

/** The views in the thread that answers. It sees what is folded before it is committed. */
export interface KeptHere {
  store: EventStore;
  far: HowFar;
  current: () => Current;
}

/** Keeps the views up with any store, until it is aborted or the store is closed. `progress` is called after each batch. */
export async function keepHere(kept: KeptHere, signal: AbortSignal, progress: () => void): Promise<void> {
  const { store, far } = kept;
  for await (const batch of store.follow(far.position, { batchMax: BATCH_MAX, signal })) {
    far.mark ??= await store.mark();
    if (signal.aborted) return;
    take(kept, batch);
    progress();
    if (!far.caughtUp) await othersFirst();
  }
}

function take({ far, current }: KeptHere, batch: readonly StoredEvent[]): void {
  const last = batch.at(-1);
  if (last === undefined || last.position <= far.position) return;
  const { folding, views } = current();
  const behind = !far.caughtUp;
  folding.apply(batch, far.mark ?? '', behind);
  far.goOnTo(last.position, views.takeProgressed());
  if (behind && far.caughtUp) folding.commit(far.mark ?? '');
}
