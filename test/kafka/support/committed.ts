import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Admin, EachBatchPayload, Kafka } from 'kafkajs';

/** A message as a reader with read_committed gets it. */
export interface ReadMessage {
  partition: number;
  offset: string;
  key: string;
  value: string | null;
  headers: Record<string, string>;
}

const END = 'end-of-test';
const READ_MAX_MS = 300_000;
const UNKNOWN_TRIES_MAX = 100;
const UNKNOWN_PAUSE_MS = 100;

/**
 * Everything that is committed in a topic, in the order of each partition. To know where a partition ends, a message of the test's
 * own is written behind everything and read up to; it is not in the answer.
 */
export async function committedIn(kafka: Kafka, topic: string): Promise<ReadMessage[]> {
  const run = randomUUID();
  const partitions = await writeEnds(kafka, topic, run);
  const consumer = kafka.consumer({ groupId: `test-${run}`, maxWaitTimeInMs: 100 });
  const found: ReadMessage[] = [];
  const ended = new Set<number>();
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`${topic} was not read within ${READ_MAX_MS} ms`)), READ_MAX_MS);
      const eachBatch = async ({ batch: { partition, messages } }: EachBatchPayload): Promise<void> => {
        for (const { key, value, offset, headers = {} } of messages) {
          if (key?.toString() === END) {
            if (value?.toString() === run) ended.add(partition);
            continue;
          }
          const texts = Object.entries(headers).map(([name, text]) => [name, String(text)] as const);
          found.push({ partition, offset, key: String(key), value: value?.toString() ?? null, headers: Object.fromEntries(texts) });
        }
        if (ended.size < partitions) return;
        clearTimeout(timer);
        done();
      };
      consumer.run({ autoCommit: false, eachBatch }).catch(fail);
    });
  } finally {
    await consumer.disconnect();
  }
  return found;
}

async function writeEnds(kafka: Kafka, topic: string, run: string): Promise<number> {
  const admin = kafka.admin();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  try {
    await admin.connect();
    const count = await partitionsOf(admin, topic);
    await producer.connect();
    const messages = Array.from({ length: count }, (_, partition) => ({ key: END, value: run, partition }));
    await producer.send({ topic, messages });
    return count;
  } finally {
    await producer.disconnect();
    await admin.disconnect();
  }
}

/** A topic that was just made again may be unknown for a moment. */
async function partitionsOf(admin: Admin, topic: string): Promise<number> {
  for (let tries = 1; ; tries++)
    try {
      return (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]!.partitions.length;
    } catch (error) {
      if (tries === UNKNOWN_TRIES_MAX) throw error;
      await pause(UNKNOWN_PAUSE_MS);
    }
}
