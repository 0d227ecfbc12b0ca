import type { EventStore } from '@ledger/event-store';
import { eventOf } from '@ledger/wallet';

/**
 * The last revision of a stream whose event happened at or before an instant (epoch ms), or -1. `at` never goes back within
 * a stream, so halving finds it: 20 reads of one event in a stream of a million. `headRevision` is where the stream ends.
 */
export async function lastRevisionAt(store: EventStore, stream: string, headRevision: number, at: number): Promise<number> {
  // Most ask for the present, and the head alone answers them.
  if (headRevision < 0 || (await atOf(store, stream, headRevision)) <= at) return headRevision;
  let before = -1;
  let after = headRevision;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if ((await atOf(store, stream, middle)) <= at) before = middle;
    else after = middle;
  }
  return before;
}

/** Epoch ms of the event of this revision, which must exist. */
export async function atOf(store: EventStore, stream: string, revision: number): Promise<number> {
  const [stored] = await store.readStream(stream, revision, 1);
  if (stored?.revision !== revision) throw new Error(`${stream} lacks revision ${revision}`);
  return Date.parse(eventOf(stored).data.at);
}
