import { type Admin, KafkaJSError } from 'kafkajs';
import { BadSetting } from '../environment';
import { newKafka } from '../kafka/client';
import { inWordsOfThePort } from '../kafka/errors';
import { readKafkaSettings } from '../kafka-settings';
import { quietTimers } from '../quiet-timers';
import { differences, findTopics, untilLed } from './topics-comparison';
import { BadOption, readTopicOptions, type TopicOptions, type WantedTopic, wantedTopics } from './topics-plan';

/**
 * `npm run topics`: makes the topics of the publisher that are missing, and says how those that exist differ from what they should
 * be; it changes no topic. Ends with status 1 when one differs or, with --check, is missing.
 */

const CREATE_MS = 30_000;

async function main(): Promise<number> {
  quietTimers();
  const settings = readKafkaSettings(process.env);
  const options = readTopicOptions(process.argv.slice(2), process.env);
  const admin = newKafka(settings, 'ledger-topics').admin();
  try {
    await admin.connect();
    return await settle(admin, wantedTopics(settings.topics, options), options);
  } finally {
    await admin.disconnect();
  }
}

async function settle(admin: Admin, wanted: readonly WantedTopic[], { copies, checkOnly }: TopicOptions): Promise<number> {
  const found = await findTopics(
    admin,
    wanted.map(({ name }) => name),
  );
  const missing = wanted.filter(({ name }) => !found.has(name));
  if (missing.length > 0 && !checkOnly) {
    await refuseTooManyCopies(admin, copies);
    await make(admin, missing);
  }
  let wrong = 0;
  const width = Math.max(...wanted.map(({ name }) => name.length));
  for (const topic of wanted) {
    const is = found.get(topic.name);
    const differ = is ? differences(topic, is) : [];
    if (differ.length > 0 || (!is && checkOnly)) wrong += 1;
    console.log(`${topic.name.padEnd(width)}  ${is ? verdict(differ) : checkOnly ? 'is missing' : madeAs(topic)}`);
  }
  return wrong === 0 ? 0 : 1;
}

const verdict = (differ: readonly string[]): string => (differ.length === 0 ? 'is as it should be' : `differs: ${differ.join('; ')}`);
const madeAs = ({ partitions, copies, config }: WantedTopic): string =>
  `made: ${counted(partitions, 'partition', 's')}, ${counted(copies, 'cop', 'ies', 'y')}, at least ${config['min.insync.replicas']} in sync, ${config['cleanup.policy']}`;
const counted = (count: number, stem: string, many: string, one = ''): string => `${count} ${stem}${count === 1 ? one : many}`;

async function refuseTooManyCopies(admin: Admin, copies: number): Promise<void> {
  const { brokers } = await admin.describeCluster();
  if (brokers.length >= copies) return;
  throw new BadOption(
    `The cluster has ${brokers.length === 1 ? 'one broker' : `${brokers.length} brokers`}, and ${copies} copies of each message are wanted. ` +
      `With fewer copies a lost broker is lost events: for trying things out give --replication ${brokers.length}.`,
  );
}

async function make(admin: Admin, missing: readonly WantedTopic[]): Promise<void> {
  await admin.createTopics({
    // Its own waiting fails when a broker has not heard of the topic yet.
    waitForLeaders: false,
    timeout: CREATE_MS,
    topics: missing.map(({ name, partitions, copies, config }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor: copies,
      configEntries: Object.entries(config).map(([entry, value]) => ({ name: entry, value })),
    })),
  });
  await untilLed(
    admin,
    missing.map(({ name }) => name),
  );
}

main().then(
  (status) => (process.exitCode = status),
  (error: unknown) => {
    const known = error instanceof BadSetting || error instanceof BadOption;
    const told = !known && error instanceof KafkaJSError ? inWordsOfThePort(error, 'making topics') : error;
    console.error(told instanceof Error ? told.message : told);
    process.exitCode = 1;
  },
);
