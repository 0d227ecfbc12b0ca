import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { KafkaJSError, type EachBatchPayload, type Kafka } from 'kafkajs';
import { BadSetting } from '../environment';
import { bounded } from '../kafka/bounded';
import { newKafka } from '../kafka/client';
import { inWordsOfThePort, isMissingTopic } from '../kafka/errors';
import { readKafkaSettings } from '../kafka-settings';
import { quietTimers } from '../quiet-timers';
import { lineOf } from './tail-lines';
import { BadTailOption, readTailOptions, type TailOptions, USAGE } from './tail-options';

/** `npm run tail`: prints the events topic as a person, or with --json a program, reads it. It keeps no position. */

const ASKED_WRONGLY = 2;

async function main(): Promise<number> {
  quietTimers();
  const options = readTailOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const settings = readKafkaSettings(process.env);
  const kafka = newKafka(settings, 'ledger-tail');
  // A group of its own, which goes when this ends: kafkajs reads by groups alone.
  const groupId = `ledger-tail-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: 500 });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic: settings.topics.events, fromBeginning: options.fromBeginning });
    await new Promise<void>((resolve, reject) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
      // Whoever reads our output may have had enough, as head has.
      process.stdout.on('error', () => resolve());
      consumer.on(consumer.events.CRASH, ({ payload }) => (payload.restart ? undefined : reject(payload.error)));
      const printing = new Printing(options, resolve);
      consumer.run({ autoCommit: false, eachBatch: (payload) => printing.take(payload) }).catch(reject);
    });
    return 0;
  } catch (error) {
    if (!isMissingTopic(error)) throw error;
    console.error(`Kafka has no topic ${settings.topics.events}: "npm run topics" makes it, EVENTS_TOPIC names another.`);
    return 1;
  } finally {
    await bounded(consumer.disconnect());
    await bounded(forget(kafka, groupId));
  }
}

/** Prints batches until it has printed enough. */
class Printing {
  private printed = 0;

  constructor(
    private readonly options: TailOptions,
    private readonly enough: () => void,
  ) {}

  async take(payload: EachBatchPayload): Promise<void> {
    for (const message of payload.batch.messages) {
      if (this.printed >= this.options.max) return;
      const line = lineOf(message, this.options);
      if (line === undefined) continue;
      this.printed += 1;
      if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
    }
    if (this.printed >= this.options.max) this.enough();
    else await payload.heartbeat();
  }
}

async function forget(kafka: Kafka, groupId: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteGroups([groupId]).finally(() => admin.disconnect());
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    const told = error instanceof KafkaJSError ? inWordsOfThePort(error, 'reading the events') : error;
    console.error(told instanceof Error ? told.message : told);
    if (error instanceof BadTailOption) console.error(USAGE);
    process.exit(error instanceof BadTailOption || error instanceof BadSetting ? ASKED_WRONGLY : 1);
  },
);
