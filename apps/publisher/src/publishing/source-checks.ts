import { type EventStore, type StoredEvent } from '@ledger/event-store';
import { LRUCache } from 'lru-cache';
import type { Checkpoint } from '../sink/checkpoint';
import { Halt } from '../sink/halt';

/**
 * That the store is the one which the checkpoint speaks of, and has not gone back: else events that were published would be
 * published again with other content, or others never.
 * @throws Halt
 */
export async function checkStore(checkpoint: Checkpoint, store: EventStore): Promise<void> {
  const { position, last, mark } = checkpoint;
  const head = await store.headPosition();
  const found = await store.mark();
  if (mark !== undefined && found !== undefined && found !== mark)
    throw new Halt('STORE_OTHER', `The checkpoint in Kafka is of the store ${mark}, and EVENT_STORE_URL names the store ${found}.`);
  if (head < position)
    throw new Halt(
      'STORE_BEHIND',
      `The event store ends at position ${head}, and events up to ${position} are published: was it restored from a backup?`,
    );
  if (!last) return;
  const [event] = await store.readStream(last.stream, last.revision, 1);
  if (event?.id !== last.eventId || event.position !== position)
    throw new Halt(
      'STORE_OTHER',
      `The event store does not hold the event ${last.eventId} at position ${position} (revision ${last.revision} of ${last.stream}), ` +
        'which was published last: was it restored from a backup and then written to?',
    );
}

const WALLETS_MAX = 200_000;

/** That the store gives every event once and in order; what it says is checked before it is published. */
export class Continuity {
  private readonly revisions = new LRUCache<string, number>({ max: WALLETS_MAX });

  constructor(private position: bigint) {}

  /** @throws Halt */
  check({ stream, revision, position }: StoredEvent): void {
    const before = this.revisions.get(stream);
    if (position <= this.position || (before !== undefined && revision !== before + 1))
      throw new Halt(
        'STORE_GAP',
        `The event store gave revision ${revision} of ${stream} (position ${position}) after revision ${before ?? 'none seen'} ` +
          `(position ${this.position}): an event is missing or came twice.`,
      );
    this.position = position;
    this.revisions.set(stream, revision);
  }
}
