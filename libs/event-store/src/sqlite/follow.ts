import { setTimeout as pause } from 'node:timers/promises';
import { StoreClosed, StoreUnavailable, type StoredEvent, UnusableStore } from '../event-store';
import type { Changes } from './changes';
import { isDamage } from './fault';

/** Pause of a follower while the store is away. */
const AWAY_MS = 250;

/**
 * Reads page after page on demand, so a slow consumer holds one page in memory; sleeps at the end of the store.
 * @throws UnusableStore when it comes to a damaged page
 */
export async function* follow(
  readAll: (after: bigint) => Promise<StoredEvent[]>,
  changes: Changes,
  after: bigint,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent[], void, undefined> {
  for (let position = after; !signal.aborted;) {
    const seen = changes.now();
    const page = await pageOf(readAll(position));
    if (page === 'closed') return;
    const last = page === 'away' ? undefined : page.at(-1);
    if (signal.aborted) return;
    if (page === 'away') await pause(AWAY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    else if (last === undefined) await changes.after(seen, signal);
    else {
      yield page;
      position = last.position;
    }
  }
}

async function pageOf(read: Promise<StoredEvent[]>): Promise<StoredEvent[] | 'away' | 'closed'> {
  try {
    return await read;
  } catch (error) {
    // Were it waited for, nobody would ever hear why nothing comes.
    if (error instanceof UnusableStore && isDamage(error)) throw error;
    if (error instanceof StoreUnavailable) return 'away';
    if (error instanceof StoreClosed) return 'closed';
    throw error;
  }
}
