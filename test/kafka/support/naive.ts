import { type Kafka, type Producer } from 'kafkajs';

/** The producer as the documentation of kafkajs shows it for transactions. */
export const documentedProducer = (kafka: Kafka, transactionalId: string): Producer =>
  kafka.producer({ transactionalId, maxInFlightRequests: 1, idempotent: true, allowAutoTopicCreation: false });

export interface Sent {
  topic: string;
  partition: number;
  value: string;
}

/** One transaction as documented: send, commit, and on an error abort. @returns whether the commit was confirmed */
export async function documentedTransaction(producer: Producer, sent: readonly Sent[]): Promise<boolean> {
  const transaction = await producer.transaction();
  try {
    const topics = [...new Set(sent.map(({ topic }) => topic))];
    const topicMessages = topics.map((topic) => ({
      topic,
      messages: sent.filter((one) => one.topic === topic).map(({ partition, value }) => ({ key: 'k', value, partition })),
    }));
    await transaction.sendBatch({ topicMessages });
    await transaction.commit();
    return true;
  } catch (error) {
    if (process.env.KAFKA_TELL) process.stdout.write(`${String((error as Error).stack)}\n`);
    await transaction.abort();
    return false;
  }
}
