import type { Kafka } from 'kafkajs';
import { untilLed } from '../../../apps/publisher/src/cli/topics-comparison';
import { readTopicOptions, wantedTopics } from '../../../apps/publisher/src/cli/topics-plan';
import { committedIn } from './committed';

export interface TopicSet {
  events: string;
  balances: string;
  checkpoint: string;
}

export const topicsNamed = (name: string): TopicSet => ({
  events: `${name}.events`,
  balances: `${name}.balances`,
  checkpoint: `${name}.checkpoint`,
});

/** The settings with which a publisher uses topics of its own. */
export const settingsFor = (name: string): Record<string, string> => {
  const { events, balances, checkpoint } = topicsNamed(name);
  return { PUBLISHER_ID: name, EVENTS_TOPIC: events, BALANCES_TOPIC: balances, CHECKPOINT_TOPIC: checkpoint };
};

/**
 * Topics as `npm run topics` makes them, but of two partitions, on the brokers that are named for each (the first one leads). The
 * checkpoint's is led by `leads`.
 */
export async function makeTopicSet(
  kafka: Kafka,
  name: string,
  copies: number,
  replicas?: readonly number[][],
  leads?: number,
): Promise<TopicSet> {
  const topics = topicsNamed(name);
  const admin = kafka.admin();
  await admin.connect();
  const wanted = wantedTopics(topics, readTopicOptions(['--replication', String(copies), '--partitions', '2'], {}));
  await admin.createTopics({
    waitForLeaders: false,
    topics: wanted.map(({ name: topic, partitions, config }) => ({
      topic,
      configEntries: Object.entries(config).map(([entry, value]) => ({ name: entry, value })),
      ...(leads && partitions === 1
        ? { replicaAssignment: [{ partition: 0, replicas: [leads, ...[1, 2, 3].filter((id) => id !== leads)] }] }
        : replicas && partitions > 1
          ? { replicaAssignment: replicas.map((nodes, partition) => ({ partition, replicas: [...nodes] })) }
          : { numPartitions: partitions, replicationFactor: copies }),
    })),
  });
  await untilLed(admin, Object.values(topics));
  await admin.disconnect();
  // A new topic's broker may not know yet that it leads it; whoever tries until it does makes that no matter of the test.
  await committedIn(kafka, topics.checkpoint);
  return topics;
}
