import { Kafka, logLevel } from 'kafkajs';
import { readTopicOptions, wantedTopics } from '../../../apps/publisher/src/cli/topics-plan';
import type { KafkaSink } from '../../../apps/publisher/src/kafka/kafka-sink';
import { KafkaBroker } from '../../kafka-broker/broker';
import { committedIn } from './committed';
import { pass, KafkaProxy } from './kafka-proxy';
import { clientOf } from './kafka-under-test';
import { sinkOf } from './sink-under-test';

/** A broker, or three, with a breakable network in front of each. */
export class ProxiedBroker {
  /** A client behind the proxies, with the settings that kafkajs comes with. */
  readonly behind: Kafka;
  /** A client with its own way to the brokers. */
  readonly direct: Kafka;

  private constructor(
    readonly broker: KafkaBroker,
    readonly proxies: readonly KafkaProxy[],
  ) {
    this.behind = clientOf(this.bootstrap);
    this.direct = clientOf(broker.bootstrap);
  }

  static async start(brokers: 1 | 3 = 1): Promise<ProxiedBroker> {
    const proxies = await Promise.all(Array.from({ length: brokers }, () => KafkaProxy.listen()));
    const broker = await KafkaBroker.start({ brokers, proxies: proxies.map(({ port }) => port) });
    proxies.forEach((proxy, index) => (proxy.target = broker.inner[index]!));
    return new ProxiedBroker(broker, proxies);
  }

  get bootstrap(): string {
    return this.proxies.map(({ port }) => `127.0.0.1:${port}`).join(',');
  }

  /** A client behind the proxies that waits so long for an answer. */
  patient(requestTimeout: number): Kafka {
    return new Kafka({ brokers: this.bootstrap.split(','), requestTimeout, logLevel: logLevel.NOTHING });
  }

  /** The only one, of a cluster of one. */
  get proxy(): KafkaProxy {
    return this.proxies[0]!;
  }

  /** The publisher's side to Kafka, behind the proxies, with topics of its own. `more` are other settings of it. */
  async sink(name: string, more: Record<string, string> = {}, replicas?: readonly number[][]): Promise<NamedSink> {
    const topics = { events: `${name}.events`, balances: `${name}.balances`, checkpoint: `${name}.checkpoint` };
    const copies = String(this.proxies.length);
    const admin = this.direct.admin();
    await admin.connect();
    const wanted = wantedTopics(topics, readTopicOptions(['--replication', copies, '--partitions', '2'], {}));
    await admin.createTopics({
      waitForLeaders: true,
      topics: wanted.map(({ name: topic, partitions, copies: replicationFactor, config }) => ({
        topic,
        configEntries: Object.entries(config).map(([entry, value]) => ({ name: entry, value })),
        ...(replicas && partitions > 1
          ? { replicaAssignment: replicas.map((nodes, partition) => ({ partition, replicas: [...nodes] })) }
          : { numPartitions: partitions, replicationFactor }),
      })),
    });
    await admin.disconnect();
    const env = {
      KAFKA_BROKERS: this.bootstrap,
      PUBLISHER_ID: name,
      EVENTS_TOPIC: topics.events,
      BALANCES_TOPIC: topics.balances,
      CHECKPOINT_TOPIC: topics.checkpoint,
      REQUEST_TIMEOUT_SECONDS: '5',
      ...more,
    };
    return { sink: () => sinkOf(env), topics, transactionalId: `ledger-publisher-${name}` };
  }

  /** The values that a reader with read_committed sees. */
  async values(topic: string): Promise<(string | null)[]> {
    return (await committedIn(this.direct, topic)).map(({ value }) => value);
  }

  mend(): void {
    for (const proxy of this.proxies) proxy.fate = () => pass;
  }

  async stop(): Promise<void> {
    for (const proxy of this.proxies) proxy.close();
    await this.broker.stop();
  }
}

export interface NamedSink {
  /** A new instance of the publisher, as after a restart. */
  sink: () => KafkaSink;
  topics: { events: string; balances: string; checkpoint: string };
  transactionalId: string;
}
