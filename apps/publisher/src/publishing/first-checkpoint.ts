import { type EventStore, NO_POSITION } from '@ledger/event-store';
import type { Settings } from '../settings';
import type { Checkpoint } from '../sink/checkpoint';
import { Halt } from '../sink/halt';
import type { SinkSession } from '../sink/message-sink';

/**
 * The checkpoint of a publisher that has none yet. It is committed before the first event, so that a topic with events, even with
 * some that were never committed, always has a checkpoint beside it; one without has lost it.
 * @throws Halt when events were published, or nobody has said where to begin
 */
export async function firstCheckpoint(session: SinkSession, store: EventStore, settings: Settings): Promise<Checkpoint> {
  const { topics } = settings.kafka;
  const { startFrom, publisherId } = settings;
  if (!(await session.isUntouched()))
    throw new Halt(
      'CHECKPOINT_MISSING',
      `There are events in ${topics.events}, and ${topics.checkpoint} holds no checkpoint of the publisher "${publisherId}": ` +
        'publishing again would double them. Restore the checkpoint, or rebuild into new topics.',
    );
  if (startFrom === undefined)
    throw new Halt(
      'START_FROM_MISSING',
      'This publisher has never published: set START_FROM=beginning to publish every event of the store, or START_FROM to the ' +
        'position of the last event that is not to be published.',
    );
  const head = await store.headPosition();
  if (startFrom > head && startFrom !== NO_POSITION)
    throw new Halt('STORE_BEHIND', `START_FROM is ${startFrom}, and the event store ends at position ${head}.`);
  const mark = await store.mark();
  const checkpoint: Checkpoint = { position: startFrom, last: undefined, mark, count: 0, partitions: session.partitions };
  await session.publish({ events: [], balances: [] }, checkpoint);
  return checkpoint;
}
