import { setTimeout as pause } from 'node:timers/promises';
import { type Admin, type Kafka, type Message, Partitioners, type Producer, type RecordMetadata, type Transaction } from 'kafkajs';
import type { Settings } from '../settings';
import { type Checkpoint, checkpointText, type Partitions } from '../sink/checkpoint';
import { Halt } from '../sink/halt';
import { type Outgoing, type OutgoingMessage, SinkSession, SinkUnavailable } from '../sink/message-sink';
import { checkAnswers, type Meant } from './answers';
import { bounded } from './bounded';
import { inWordsOfThePort, isConcurrentTransactions } from './errors';
import { type PartitionOf, partitionsOf } from './partitions';

/** The coordinator winds a transaction up within milliseconds; kafkajs' own pause would be 300. */
const WINDING_UP_FIRST_MS = 4;
const WINDING_UP_MAX_MS = 100;
const WINDING_UP_TRIES_MAX = 60;
/** How often the partitions are counted while events flow. */
const PARTITIONS_CHECK_MS = 60_000;
/** Kafka waits so much less for its replicas than we for its answer, so that its own refusal reaches us. */
const REPLICAS_SHARE = 0.8;

interface SentMessage extends Message {
  partition: number;
}

/** One epoch of the transactional producer. After the first error it is thrown away: kafkajs could lose events if it went on. */
export class KafkaSession extends SinkSession {
  checkpoint: Checkpoint | undefined;
  private counted: Partitions | undefined;
  private countedAt = 0;
  private eventPartition: PartitionOf = () => 0;
  private balancePartition: PartitionOf = () => 0;
  private readonly producer: Producer;
  private readonly admin: Admin;
  private sentBefore = false;

  constructor(
    kafka: Kafka,
    private readonly settings: Settings,
  ) {
    super();
    this.admin = kafka.admin();
    // No retries and no `idempotent`: kafkajs' retry of a send that reaches several brokers loses and doubles messages.
    this.producer = kafka.producer({
      transactionalId: `ledger-publisher-${settings.publisherId}`,
      maxInFlightRequests: 1,
      transactionTimeout: settings.transactionTimeoutMs,
      allowAutoTopicCreation: false,
      // Never asked, as every message names its partition; kafkajs warns of its default otherwise.
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { retries: 0 },
    });
  }

  get partitions(): Partitions {
    if (!this.counted) throw new Error('the session is not connected');
    return this.counted;
  }

  async connect(): Promise<void> {
    await this.admin.connect();
    this.counted = await this.countPartitions();
    this.eventPartition = partitionsOf(this.counted.events);
    this.balancePartition = partitionsOf(this.counted.balances);
    await this.producer.connect();
  }

  /** Fences the predecessor and commits a record on the checkpoint topic. @returns its offset */
  async raiseBarrier(): Promise<bigint> {
    const { publisherId, instance } = this.settings;
    const transaction = await this.producer.transaction();
    const value = JSON.stringify({ instance, at: new Date().toISOString() });
    const [answer] = await this.sendFirst(transaction, { key: `session:${publisherId}`, value, partition: 0 });
    await transaction.commit();
    if (answer?.baseOffset === undefined) throw new SinkUnavailable('Kafka did not say where it wrote the barrier');
    return BigInt(answer.baseOffset);
  }

  async isUntouched(): Promise<boolean> {
    try {
      const partitions = await this.admin.fetchTopicOffsets(this.settings.kafka.topics.events);
      return partitions.every(({ high }) => high === '0');
    } catch (error) {
      throw inWordsOfThePort(error, 'looking whether there are events');
    }
  }

  async publish(outgoing: Outgoing, checkpoint: Checkpoint): Promise<void> {
    const began = performance.now();
    try {
      if (began - this.countedAt > PARTITIONS_CHECK_MS) await this.checkPartitions();
      await this.transact(outgoing, checkpoint);
    } catch (error) {
      // Kafka itself ends a transaction that takes too long, and then answers as if somebody had taken over.
      if (performance.now() - began > this.settings.transactionTimeoutMs)
        throw new SinkUnavailable('a transaction took longer than TRANSACTION_TIMEOUT_SECONDS', { cause: error });
      throw inWordsOfThePort(error, 'publishing');
    }
  }

  async close(): Promise<void> {
    await bounded(Promise.allSettled([this.producer.disconnect(), this.admin.disconnect()]));
  }

  private async transact({ events, balances }: Outgoing, checkpoint: Checkpoint): Promise<void> {
    const { topics } = this.settings.kafka;
    const { publisherId, instance } = this.settings;
    const transaction = await this.producer.transaction();
    await this.sendFirst(transaction, { key: `pos:${publisherId}`, value: checkpointText(checkpoint, instance), partition: 0 });
    if (events.length + balances.length > 0) {
      const meant: Meant[] = [
        { topic: topics.events, messages: withPartitions(events, this.eventPartition) },
        { topic: topics.balances, messages: withPartitions(balances, this.balancePartition) },
      ].filter(({ messages }) => messages.length > 0);
      const answers = await transaction.sendBatch({ topicMessages: meant, timeout: this.replicasMs });
      checkAnswers(meant, answers, this.sentBefore);
      this.sentBefore = true;
    }
    await transaction.commit();
  }

  /**
   * The first record of a transaction, alone: while the coordinator still winds the transaction before up, it refuses to add a
   * partition to this one, and nothing has been written yet that a retry could double.
   */
  private async sendFirst(transaction: Transaction, message: SentMessage): Promise<RecordMetadata[]> {
    const topic = this.settings.kafka.topics.checkpoint;
    let waitMs = WINDING_UP_FIRST_MS;
    for (let tries = 1; ; tries++) {
      try {
        const answers = await transaction.send({ topic, messages: [message], timeout: this.replicasMs });
        checkAnswers([{ topic, messages: [message] }], answers, true);
        return answers;
      } catch (error) {
        if (!isConcurrentTransactions(error) || tries === WINDING_UP_TRIES_MAX) throw error;
      }
      await pause(waitMs);
      waitMs = Math.min(2 * waitMs, WINDING_UP_MAX_MS);
    }
  }

  private get replicasMs(): number {
    return Math.floor(this.settings.requestTimeoutMs * REPLICAS_SHARE);
  }

  private async checkPartitions(): Promise<void> {
    const now = await this.countPartitions();
    const { events, balances } = this.partitions;
    if (now.events === events && now.balances === balances) return;
    throw new Halt(
      'PARTITIONS_CHANGED',
      `The events and balances topics had ${events} and ${balances} partitions, and have ${now.events} and ${now.balances} now.`,
    );
  }

  private async countPartitions(): Promise<Partitions> {
    const { events, balances, checkpoint } = this.settings.kafka.topics;
    const { topics } = await this.admin.fetchTopicMetadata({ topics: [events, balances, checkpoint] });
    const count = (name: string): number => topics.find((topic) => topic.name === name)?.partitions.length ?? 0;
    if (count(checkpoint) !== 1)
      throw new Halt('TOPIC_UNFIT', `The topic ${checkpoint} must have one partition, and has ${count(checkpoint)}.`);
    this.countedAt = performance.now();
    return { events: count(events), balances: count(balances) };
  }
}

const withPartitions = (messages: readonly OutgoingMessage[], partitionOf: PartitionOf): SentMessage[] =>
  messages.map(({ key, value, headers }) => ({ key, value, headers, partition: partitionOf(key) }));
