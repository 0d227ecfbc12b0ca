import { type ContractMessage, eventMessage, readEvent, skippedMessage } from '@ledger/event-contract';
import type { StoredEvent } from '@ledger/event-store';
import { Effects, type LedgerEvent, LedgerConsumer, RevisionGap, type SkippedEvent } from '@ledger/ledger-consumer';
import type { Kafka, Producer } from 'kafkajs';
import { KafkaBroker } from '../kafka-broker/broker';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { clientOf } from './support/kafka-under-test';

/** Effects in memory; tells whoever waits when something was kept. */
class Notes extends Effects<undefined> {
  readonly revisions = new Map<string, number>();
  readonly events: string[] = [];
  readonly skips: SkippedEvent[] = [];
  failures = 0;
  private readonly waiting = new Set<() => void>();

  async inTransaction(work: (transaction: undefined) => Promise<void>): Promise<void> {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('the database is away');
    }
    await work(undefined);
    for (const look of this.waiting) look();
  }
  lastRevision(_: undefined, wallet: string): number | undefined {
    return this.revisions.get(wallet);
  }
  keepRevision(_: undefined, wallet: string, revision: number): void {
    this.revisions.set(wallet, revision);
  }
  apply(_: undefined, { wallet, revision }: LedgerEvent): void {
    this.events.push(`${wallet.id} ${revision}`);
  }
  skipped(_: undefined, event: SkippedEvent): void {
    this.skips.push(event);
  }
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }
}

const storedAt = (user: string, revision: number): StoredEvent => ({
  id: `${user}-${revision}`,
  type: 'LimitReached',
  data: JSON.stringify({ at: '2026-11-23T09:05:00.000Z', organisationId: 'acme', meter: 'usage' }),
  metadata: '{"schema":"1"}',
  stream: `userWallet-${user}`,
  revision,
  position: BigInt(revision),
});
const messageOf = (user: string, revision: number): ContractMessage => eventMessage(readEvent(storedAt(user, revision)));
const revisionsOf = (user: string, count: number): string[] => Array.from({ length: count }, (_, revision) => `${user} ${revision}`);

describeWithKafka('the consumer library', () => {
  let broker: KafkaBroker;
  let kafka: Kafka;
  let producer: Producer;
  let topics = 0;
  let notes: Notes;
  const running: LedgerConsumer<undefined>[] = [];
  const failed: unknown[] = [];

  beforeAll(async () => {
    broker = await KafkaBroker.start({ settings: { 'group.min.session.timeout.ms': '500' } });
    kafka = clientOf(broker.bootstrap);
    producer = kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
  }, 300_000);

  beforeEach(() => (notes = new Notes()));

  afterEach(async () => {
    for (const consumer of running.splice(0)) await consumer.stop();
  });

  afterAll(async () => {
    await producer.disconnect();
    await broker.stop();
  });

  const newTopic = async (): Promise<string> => {
    const admin = kafka.admin();
    await admin.connect();
    const topic = `events-${(topics += 1)}`;
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 3, replicationFactor: 1 }] });
    await admin.disconnect();
    return topic;
  };
  const consumerOf = async (topic: string, groupId: string, effects = notes): Promise<LedgerConsumer<undefined>> => {
    const consumer = new LedgerConsumer(kafka, {
      groupId,
      topic,
      effects,
      sessionTimeoutMs: 6_000,
      batchMax: 7,
      onFailed: (error) => failed.push(error),
    });
    running.push(consumer);
    await consumer.start();
    return consumer;
  };

  it('applies every event once and in order per wallet, and goes on after a stop where it was', async () => {
    const topic = await newTopic();
    const users = ['u1', 'u2', 'u3', 'u4', 'u5'];
    const send = (from: number, to: number) =>
      producer.send({
        topic,
        messages: users.flatMap((user) => Array.from({ length: to - from }, (_, index) => messageOf(user, from + index))),
      });
    await send(0, 20);
    const first = await consumerOf(topic, 'goes-on');
    await notes.until(() => notes.events.length >= 100);
    await first.stop();
    await first.ended;
    await send(20, 30);
    await consumerOf(topic, 'goes-on');
    await notes.until(() => notes.events.length >= 150);
    for (const user of users) expect(notes.events.filter((event) => event.startsWith(`${user} `))).toEqual(revisionsOf(user, 30));
  }, 60_000);

  it('skips what it has, when another group begins from the beginning', async () => {
    const topic = await newTopic();
    await producer.send({ topic, messages: [messageOf('u1', 0), messageOf('u1', 1)] });
    await (await consumerOf(topic, 'group-a')).stop();
    await consumerOf(topic, 'group-b');
    await notes.until(() => notes.events.length >= 2);
    await producer.send({ topic, messages: [messageOf('u1', 1), messageOf('u1', 2)] });
    await notes.until(() => notes.revisions.get('user:u1') === 2);
    expect(notes.events).toEqual(revisionsOf('u1', 3));
  }, 60_000);

  it('sees nothing of a transaction that is open or was aborted', async () => {
    const topic = await newTopic();
    const transactional = kafka.producer({ transactionalId: 'test', maxInFlightRequests: 1 });
    await transactional.connect();
    const aborted = await transactional.transaction();
    await aborted.send({ topic, messages: [0, 1].map((revision) => ({ ...messageOf('u1', revision), partition: 0 })) });
    await aborted.abort();
    const open = await transactional.transaction();
    await open.send({ topic, messages: [{ ...messageOf('u1', 0), partition: 0 }] });
    await consumerOf(topic, 'committed');
    await producer.send({ topic, messages: [{ ...messageOf('u2', 0), partition: 1 }] });
    await notes.until(() => notes.events.length >= 1);
    expect(notes.events).toEqual(['u2 0']);
    await open.commit();
    await notes.until(() => notes.events.length >= 2);
    await transactional.disconnect();
    // Had the aborted pair been seen, the wallet would be at revision 1.
    expect(notes.revisions.get('user:u1')).toBe(0);
    expect(notes.events).toEqual(['u2 0', 'u1 0']);
  }, 60_000);

  it('tries again what its effects throw, longer than its client would, and then goes on', async () => {
    const topic = await newTopic();
    notes.failures = 30;
    await producer.send({ topic, messages: [messageOf('u1', 0), messageOf('u1', 1)] });
    await consumerOf(topic, 'tries-again');
    await notes.until(() => notes.events.length >= 2);
    // A busy broker may give it other reasons to try again.
    expect(failed.filter((error) => (error as Error).message === 'the database is away')).toHaveLength(30);
    expect(notes.events).toEqual(revisionsOf('u1', 2));
  }, 120_000);

  it('ends when the effects have a mistake in them, and says which', async () => {
    const topic = await newTopic();
    notes.apply = () => {
      throw new TypeError('service is not a function');
    };
    await producer.send({ topic, messages: [messageOf('u1', 0)] });
    const consumer = await consumerOf(topic, 'mistake');
    await expect(consumer.ended).rejects.toThrow('service is not a function');
    expect(notes.revisions.size).toBe(0);
  }, 60_000);

  it('stops at a gap with an error that names wallet, expected and found, and applies nothing behind it', async () => {
    const topic = await newTopic();
    await producer.send({ topic, messages: [messageOf('u1', 0)] });
    const consumer = await consumerOf(topic, 'gap');
    // Looked at from now on: it may end before the producer hears that its messages were taken.
    const ended = consumer.ended.catch((thrown: unknown) => thrown);
    await notes.until(() => notes.events.length >= 1);
    await producer.send({ topic, messages: [messageOf('u1', 2), messageOf('u1', 3)] });
    const error = await ended;
    expect(error).toBeInstanceOf(RevisionGap);
    expect(error).toMatchObject({ wallet: 'user:u1', expected: 1, found: 2 });
    expect(notes.events).toEqual(['u1 0']);
  }, 60_000);

  it('lets a skipped event pass and hands it over', async () => {
    const topic = await newTopic();
    await producer.send({ topic, messages: [messageOf('u1', 0), skippedMessage(storedAt('u1', 1), 'too large'), messageOf('u1', 2)] });
    await consumerOf(topic, 'skipped');
    await notes.until(() => notes.revisions.get('user:u1') === 2);
    expect(notes.skips).toMatchObject([{ revision: 1, skipped: { type: 'LimitReached', reason: 'too large' } }]);
    expect(notes.events).toEqual(['u1 0', 'u1 2']);
  }, 60_000);

  it('names a topic that is not there when it starts', async () => {
    const consumer = new LedgerConsumer(kafka, { groupId: 'nowhere', topic: 'nowhere', effects: notes });
    await expect(consumer.start()).rejects.toThrow(/does not host this topic/);
    await consumer.stop();
  }, 60_000);
});
