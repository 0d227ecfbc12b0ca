import type { EventStore } from '@ledger/event-store';
import { metadataOf } from '@ledger/wallet';
import type { Head } from '../verify/audited';

const PAGE = 10_000;

/** The heads of all streams as they were at a position, sorted by name; hashes are those that are stored, unchecked. */
export async function headsAt(store: EventStore, position: bigint): Promise<Head[]> {
  const heads = new Map<string, Head>();
  let after = -1n;
  while (after < position) {
    const page = await store.readAll(after, PAGE);
    if (page.length === 0) break;
    for (const event of page) {
      if (event.position > position) break;
      heads.set(event.stream, { stream: event.stream, revision: event.revision, hash: metadataOf(event).hash ?? '' });
    }
    after = page.at(-1)!.position;
  }
  return [...heads.values()].sort((a, b) => (a.stream < b.stream ? -1 : 1));
}
