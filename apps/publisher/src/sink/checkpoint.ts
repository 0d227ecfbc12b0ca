import { NO_POSITION } from '@ledger/event-store';
import { Halt } from './halt';

/** How far everything is published. It is written in the same transaction as the messages that it speaks of. */
export interface Checkpoint {
  /** Position of the last event published, or where the publisher was told to begin. */
  readonly position: bigint;
  /** The last event published; undefined before the first. */
  readonly last: { readonly eventId: string; readonly stream: string; readonly revision: number } | undefined;
  /** Names the store: the id of its first event. Undefined while it was empty. */
  readonly mark: string | undefined;
  /** Events published so far. */
  readonly count: number;
  /** Partitions of the topics when the first event went out. They must never change: a wallet's order hangs on them. */
  readonly partitions: Partitions;
}

export interface Partitions {
  readonly events: number;
  readonly balances: number;
}

const VERSION = 1;

export const checkpointText = ({ position, last, mark, count, partitions }: Checkpoint, instance: string): string =>
  JSON.stringify({ v: VERSION, position: String(position), ...last, mark, count, partitions, instance });

/** @throws Halt when it is not what this version writes */
export function checkpointOf(text: string): Checkpoint {
  let read: Record<string, unknown>;
  try {
    read = JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new Halt('CHECKPOINT_UNREADABLE', 'The checkpoint in Kafka is not JSON: something else writes to the checkpoint topic.');
  }
  const { v, position, eventId, stream, revision, mark, count, partitions } = read;
  if (v !== VERSION)
    throw new Halt(
      'CHECKPOINT_UNREADABLE',
      `The checkpoint in Kafka is of version ${String(v)}, and this publisher reads ${VERSION}: run the version that wrote it, or a later one.`,
    );
  const began = eventId !== undefined;
  const whole =
    typeof position === 'string' &&
    /^(-1|\d{1,20})$/.test(position) &&
    isCount(count) &&
    isPartitions(partitions) &&
    (mark === undefined || typeof mark === 'string') &&
    (!began || (typeof eventId === 'string' && typeof stream === 'string' && isCount(revision) && BigInt(position) > NO_POSITION));
  if (!whole) throw new Halt('CHECKPOINT_UNREADABLE', 'The checkpoint in Kafka lacks a field, or has one of a wrong type.');
  return {
    position: BigInt(position),
    last: began ? { eventId: eventId, stream: stream as string, revision: revision as number } : undefined,
    mark,
    count,
    partitions,
  };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isPartitions = (value: unknown): value is Partitions => {
  const { events, balances } = (value ?? {}) as Partial<Partitions>;
  return isCount(events) && isCount(balances) && events > 0 && balances > 0;
};
