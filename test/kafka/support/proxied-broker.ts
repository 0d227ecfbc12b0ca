import { Kafka, logLevel } from 'kafkajs';
import type { KafkaSink } from '../../../apps/publisher/src/kafka/kafka-sink';
import { KafkaBroker } from '../../kafka-broker/broker';
import { committedIn } from './committed';
import { pass, KafkaProxy } from './kafka-proxy';
import { clientOf } from './kafka-under-test';
import { makeTopicSet, settingsFor, type TopicSet } from './named-topics';
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

  /** The publisher's side to Kafka, behind the proxies, with topics of its own. `more` are other settings of it; see `makeTopicSet`. */
  async sink(name: string, more: Record<string, string> = {}, replicas?: readonly number[][], leads?: number): Promise<NamedSink> {
    const topics = await makeTopicSet(this.direct, name, this.proxies.length, replicas, leads);
    // In hazards nothing but the fault itself may be new to a topic.
    await committedIn(this.direct, topics.events);
    const env = { KAFKA_BROKERS: this.bootstrap, ...settingsFor(name), REQUEST_TIMEOUT_SECONDS: '5', ...more };
    return { sink: () => sinkOf(env), topics, transactionalId: `ledger-publisher-${name}` };
  }

  /** The values that a reader with read_committed sees. */
  async values(topic: string): Promise<(string | null)[]> {
    return (await committedIn(this.direct, topic)).map(({ value }) => value);
  }

  /** Where a reader with read_committed ends now, in the only partition. */
  async readable(topic: string): Promise<number> {
    const admin = this.direct.admin();
    await admin.connect();
    const [partition] = await admin.fetchTopicOffsets(topic);
    await admin.disconnect();
    return Number(partition?.high);
  }

  /** Where the log ends now, committed or not, in the only partition. */
  async written(topic: string): Promise<number> {
    const producer = this.direct.producer();
    await producer.connect();
    const [answer] = await producer.send({ topic, messages: [{ key: 'end-of-test', value: '', partition: 0 }] });
    await producer.disconnect();
    return Number(answer?.baseOffset);
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
  topics: TopicSet;
  transactionalId: string;
}
