import { KafkaBroker } from '../kafka-broker/broker';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { committedIn } from './support/committed';
import { accountOf, EXACT } from './support/exactly-once';
import { clientOf, FilledStore } from './support/kafka-under-test';
import { makeTopicSet, settingsFor, topicsNamed } from './support/named-topics';
import { PublisherInProcess } from './support/publisher-in-process';
import { makeTopics, PublisherUnderTest } from './support/publisher-under-test';
import { checkpointAt, eventsOf, sinkOf } from './support/sink-under-test';
import { SmallStore } from './support/small-store';

describeWithKafka('the publisher', () => {
  let broker: KafkaBroker;
  const ends: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    broker = await KafkaBroker.start({ settings: { 'log.cleaner.backoff.ms': '200' } });
  }, 300_000);
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  afterAll(() => broker.stop(), 60_000);

  const kafka = () => clientOf(broker.bootstrap);
  const start = async (url: string, more: NodeJS.ProcessEnv = {}): Promise<PublisherUnderTest> => {
    const settings = { KAFKA_BROKERS: broker.bootstrap, EVENT_STORE_URL: url, START_FROM: 'beginning', ...more };
    const publisher = await PublisherUnderTest.start(settings);
    ends.push(() => publisher.kill());
    return publisher;
  };
  const startHere = async (url: string, more: Record<string, string>): Promise<PublisherInProcess> => {
    const publisher = await PublisherInProcess.start({
      KAFKA_BROKERS: broker.bootstrap,
      EVENT_STORE_URL: url,
      START_FROM: 'beginning',
      ...more,
    });
    ends.push(() => publisher.stop());
    return publisher;
  };
  const smallStore = async (name: string): Promise<SmallStore> => {
    const store = await SmallStore.of('u1', 3);
    ends.push(() => store.remove());
    await makeTopicSet(kafka(), name, 1);
    return store;
  };

  it('publishes every event of a store once, in the order of each wallet, with the balances after it', async () => {
    const { filled, store } = await FilledStore.of(3_000);
    ends.push(
      async () => filled.remove(),
      () => store.close(),
    );
    await makeTopics(broker.bootstrap);
    const publisher = await start(filled.url);
    await publisher.caughtUp();
    expect(await publisher.metric('ledger_publisher_published')).toBe(Number(await store.headPosition()));
    expect(await publisher.stop()).toBe(0);
    expect(await accountOf(kafka(), store)).toEqual({ events: expect.any(Number), ...EXACT });
  }, 120_000);

  it('makes topics once, says what differs, and refuses more copies than there are brokers', async () => {
    const names = { EVENTS_TOPIC: 't.events', BALANCES_TOPIC: 't.balances', CHECKPOINT_TOPIC: 't.checkpoint' };
    const make = (...options: string[]) => makeTopics(broker.bootstrap, options, names);
    await expect(make()).rejects.toMatchObject({ stderr: expect.stringContaining('--replication 1') });
    await expect(make('--replication', '1', '--check')).rejects.toMatchObject({ stdout: expect.stringContaining('is missing') });
    expect(await make('--replication', '1')).toMatch(/t\.events +made: 12 partitions/);
    expect(await make('--replication', '1')).not.toContain('differs');
    const differing = make('--replication', '1', '--partitions', '6', '--retention-days', '7');
    await expect(differing).rejects.toMatchObject({ stdout: expect.stringContaining('has 12 partitions, not 6') });
    await expect(differing).rejects.toMatchObject({ stdout: expect.stringContaining('retention.ms is -1, not 604800000') });
  }, 120_000);

  it('says that it lives while there is nothing to publish', async () => {
    const store = await smallStore('quiet');
    const publisher = await startHere(store.url, { ...settingsFor('quiet'), HEARTBEAT_SECONDS: '1' });
    await publisher.caughtUp();
    const sink = sinkOf({ KAFKA_BROKERS: broker.bootstrap, ...settingsFor('quiet') });
    const first = await sink.signOfLife();
    for (let looks = 0; looks < 2_000 && (await sink.signOfLife()) === first; looks++);
    expect(await sink.signOfLife()).not.toBe(first);
    expect(await committedIn(kafka(), topicsNamed('quiet').events)).toHaveLength(4);
  }, 120_000);

  it('stands by when another one takes over, and takes over when that one is silent', async () => {
    const store = await smallStore('two');
    const settings = { ...settingsFor('two'), HEARTBEAT_SECONDS: '1', STANDBY_SECONDS: '3' };
    const first = await startHere(store.url, settings);
    await first.caughtUp();
    const second = await startHere(store.url, settings);
    await second.caughtUp();
    await store.grant();
    const standing = await first.healthy(({ state }) => state === 'standing by');
    expect(standing).toMatchObject({ code: 200, status: 'standing by' });
    await second.stop();
    await store.grant();
    await first.caughtUp();
    expect((await committedIn(kafka(), topicsNamed('two').events)).map(({ headers }) => headers['ce_streamrevision'])).toEqual(
      [0, 1, 2, 3, 4, 5].map(String),
    );
  }, 120_000);

  it('ends when it is told to, also when Kafka does not answer', async () => {
    const store = await smallStore('frozen');
    const publisher = await start(store.url, settingsFor('frozen'));
    await publisher.caughtUp();
    broker.freeze();
    try {
      await store.grant();
      expect(await publisher.stop()).toBe(0);
    } finally {
      broker.goOn();
    }
    const again = await startHere(store.url, settingsFor('frozen'));
    await again.caughtUp();
    expect(await committedIn(kafka(), topicsNamed('frozen').events)).toHaveLength(5);
  }, 120_000);

  it('finds its checkpoint in a topic that was compacted', async () => {
    await makeTopicSet(kafka(), 'compact', 1);
    // Nothing tries again here while the new topic finds its leader.
    await committedIn(kafka(), topicsNamed('compact').events);
    const topic = topicsNamed('compact').checkpoint;
    const admin = kafka().admin();
    await admin.connect();
    const config = { 'cleanup.policy': 'compact', 'segment.ms': '100', 'min.cleanable.dirty.ratio': '0.01', 'delete.retention.ms': '0' };
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] });
    await admin.disconnect();
    const sink = () => sinkOf({ KAFKA_BROKERS: broker.bootstrap, ...settingsFor('compact') });
    let position = 0;
    let readable = Infinity;
    // A predecessor that was killed in the middle; the next take-over aborts what it left.
    const leaveUnfinished = async (checkpointTopic: string): Promise<void> => {
      const producer = kafka().producer({ transactionalId: 'ledger-publisher-compact', maxInFlightRequests: 1 });
      await producer.connect();
      const transaction = await producer.transaction();
      await transaction.send({ topic: checkpointTopic, messages: [{ key: 'pos:compact', value: 'never committed', partition: 0 }] });
      await producer.disconnect();
    };
    for (let rounds = 0; rounds < 60 && readable > position / 2; rounds++) {
      const session = await sink().takeOver();
      if (position > 0) expect(session.checkpoint?.position).toBe(BigInt(position));
      for (let n = 0; n < 5; n++) await session.publish(eventsOf(['k', `E${++position}`]), checkpointAt(position, session));
      await session.close();
      readable = (await committedIn(kafka(), topic)).filter(({ key }) => key.startsWith('pos:')).length;
      await leaveUnfinished(topic);
    }
    expect(readable).toBeLessThanOrEqual(position / 2);
    const session = await sink().takeOver();
    expect(session.checkpoint?.position).toBe(BigInt(position));
    await session.close();
  }, 180_000);
});
