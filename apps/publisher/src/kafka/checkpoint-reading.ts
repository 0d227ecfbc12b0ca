import { randomUUID } from 'node:crypto';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { type Checkpoint, checkpointOf } from '../sink/checkpoint';
import { SinkUnavailable } from '../sink/message-sink';
import { bounded } from './bounded';

/** The last checkpoint stands in one of the last records; only after many take-overs in a row it does not. */
const TAIL_RECORDS = 1_000n;
/** A group of one is formed within three seconds on a cluster with default settings. */
const READ_MAX_MS = 60_000;

export interface CheckpointPlace {
  topic: string;
  publisherId: string;
  /** Offset of a record that this process has committed: what stands before it is all there is to know. */
  barrier: bigint;
}

/** The last committed checkpoint before the barrier; undefined when there is none. */
export async function readCheckpoint(kafka: Kafka, place: CheckpointPlace): Promise<Checkpoint | undefined> {
  const tail = place.barrier - TAIL_RECORDS;
  const found = tail > 0n ? await lastText(kafka, place, tail) : undefined;
  const text = found ?? (await lastText(kafka, place, 0n));
  return text === undefined ? undefined : checkpointOf(text);
}

/** kafkajs reads by groups alone: this one is thrown away, and commits no offsets. */
async function lastText(kafka: Kafka, { topic, publisherId, barrier }: CheckpointPlace, from: bigint): Promise<string | undefined> {
  const groupId = `ledger-publisher-${publisherId}-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: 100 });
  let last: string | undefined;
  const take = ({ batch }: EachBatchPayload): boolean => {
    for (const { key, value, offset } of batch.messages) {
      if (key?.toString() === `pos:${publisherId}` && BigInt(offset) < barrier) last = value?.toString();
      if (BigInt(offset) >= barrier) return true;
    }
    return false;
  };
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await reading(consumer, topic, from, take);
    return last;
  } finally {
    await bounded(consumer.disconnect());
  }
}

/** Resolves when a batch says that it was enough. */
function reading(consumer: Consumer, topic: string, from: bigint, take: (payload: EachBatchPayload) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new SinkUnavailable(`the checkpoint was not read within ${READ_MAX_MS / 1000} s`));
    const timer = setTimeout(late, READ_MAX_MS);
    const over = (settle: () => void) => (): void => {
      clearTimeout(timer);
      settle();
    };
    consumer.on(consumer.events.CRASH, ({ payload }) => over(() => reject(payload.error))());
    const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
      if (take(payload)) over(resolve)();
    };
    consumer.run({ autoCommit: false, eachBatch }).catch((error: Error) => over(() => reject(error))());
    if (from > 0n) consumer.seek({ topic, partition: 0, offset: String(from) });
  });
}
