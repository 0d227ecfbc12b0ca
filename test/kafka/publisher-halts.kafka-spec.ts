import { KafkaBroker } from '../kafka-broker/broker';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { committedIn } from './support/committed';
import { clientOf } from './support/kafka-under-test';
import { makeTopicSet, settingsFor, topicsNamed } from './support/named-topics';
import { PublisherInProcess } from './support/publisher-in-process';
import { PublisherUnderTest } from './support/publisher-under-test';
import { SmallStore } from './support/small-store';

const HALTED = 3;

describeWithKafka('a publisher that must not go on', () => {
  let broker: KafkaBroker;
  const stores: SmallStore[] = [];
  const publishers: PublisherInProcess[] = [];

  beforeAll(async () => {
    broker = await KafkaBroker.start();
  }, 300_000);
  afterEach(async () => {
    for (const publisher of publishers.splice(0)) await publisher.stop();
    for (const store of stores.splice(0)) await store.remove();
  });
  afterAll(() => broker.stop(), 60_000);

  const kafka = () => clientOf(broker.bootstrap);
  const storeOf = async (userId: string, grants: number): Promise<SmallStore> => {
    const store = await SmallStore.of(userId, grants);
    stores.push(store);
    return store;
  };
  const start = async (name: string, { url }: SmallStore, more: Record<string, string> = {}): Promise<PublisherInProcess> => {
    const settings = { KAFKA_BROKERS: broker.bootstrap, EVENT_STORE_URL: url, START_FROM: 'beginning', ...settingsFor(name), ...more };
    const publisher = await PublisherInProcess.start(settings);
    publishers.push(publisher);
    return publisher;
  };
  /** Publishes all of the store and ends. */
  const published = async (name: string, store: SmallStore): Promise<void> => {
    const publisher = await start(name, store);
    await publisher.caughtUp();
    await publisher.stop();
  };
  const haltOf = async (publisher: PublisherInProcess): Promise<{ halt: string; reason: string }> => {
    const { halt, reason, code } = await publisher.healthy(({ state }) => state === 'halted');
    expect(code).toBe(503);
    // The log is JSON.
    await publisher.says(JSON.stringify(reason).slice(1, -1));
    return { halt: halt!, reason: reason! };
  };
  const events = (name: string) => committedIn(kafka(), topicsNamed(name).events);

  it('waits for topics, naming the command that makes them, and goes on by itself when they are there', async () => {
    const store = await storeOf('u1', 2);
    const publisher = await start('late-topics', store);
    const { reason, code } = await publisher.healthy(({ state }) => state === 'waiting');
    expect(code).toBe(503);
    expect(reason).toContain('npm run topics');
    await makeTopicSet(kafka(), 'late-topics', 1);
    await publisher.caughtUp();
    expect(await events('late-topics')).toHaveLength(3);
  }, 120_000);

  it('halts at its first start when nobody has said where to begin, and ends with status 3', async () => {
    await makeTopicSet(kafka(), 'no-start', 1);
    const store = await storeOf('u1', 2);
    const publisher = await start('no-start', store, { START_FROM: '' });
    const { halt, reason } = await haltOf(publisher);
    expect(halt).toBe('START_FROM_MISSING');
    expect(reason).toContain('START_FROM=beginning');
    const stays = PublisherUnderTest.spawn({ KAFKA_BROKERS: broker.bootstrap, EVENT_STORE_URL: store.url, ...settingsFor('no-start') });
    await stays.says('START_FROM_MISSING');
    expect(await stays.stop()).toBe(HALTED);
    const ends = PublisherUnderTest.spawn({
      ...{ KAFKA_BROKERS: broker.bootstrap, EVENT_STORE_URL: store.url, ON_HALT: 'exit' },
      ...settingsFor('no-start'),
    });
    expect(await ends.ended).toBe(HALTED);
  }, 120_000);

  it('begins after the position of START_FROM', async () => {
    await makeTopicSet(kafka(), 'from-2', 1);
    const store = await storeOf('u1', 4);
    const second = (await store.store.readAll(-1n, 2)).at(-1)!;
    const publisher = await start('from-2', store, { START_FROM: String(second.position) });
    await publisher.caughtUp();
    expect((await events('from-2')).map(({ headers }) => headers['ce_streamrevision'])).toEqual(['2', '3', '4']);
  }, 120_000);

  it('halts when there are events and no checkpoint', async () => {
    await makeTopicSet(kafka(), 'lost-checkpoint', 1);
    const store = await storeOf('u1', 2);
    await published('lost-checkpoint', store);
    const admin = kafka().admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [topicsNamed('lost-checkpoint').checkpoint] });
    await admin.disconnect();
    await makeTopicSet(kafka(), 'lost-checkpoint', 1);
    expect(await haltOf(await start('lost-checkpoint', store))).toMatchObject({ halt: 'CHECKPOINT_MISSING' });
    expect(await events('lost-checkpoint')).toHaveLength(3);
  }, 120_000);

  it('halts when the store has gone back, and when it is another one', async () => {
    await makeTopicSet(kafka(), 'restored', 1);
    await published('restored', await storeOf('u1', 6));
    const behind = await haltOf(await start('restored', await storeOf('u1', 3)));
    expect(behind).toMatchObject({ halt: 'STORE_BEHIND', reason: expect.stringContaining('backup') });
    // Went back, and was written to again, with other events.
    const rewritten = await storeOf('u1', 3);
    for (let n = 0; n < 9; n++) await rewritten.grant(5);
    expect(await haltOf(await start('restored', rewritten))).toMatchObject({ halt: 'STORE_OTHER' });
    const other = await haltOf(await start('restored', await storeOf('u2', 9)));
    expect(other).toMatchObject({ halt: 'STORE_OTHER', reason: expect.stringContaining('EVENT_STORE_URL') });
    expect(await events('restored')).toHaveLength(7);
  }, 180_000);

  it('halts when a topic has grown, and sends no wallet elsewhere', async () => {
    await makeTopicSet(kafka(), 'grown', 1);
    const store = await storeOf('u1', 2);
    await published('grown', store);
    const admin = kafka().admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic: topicsNamed('grown').events, count: 5 }] });
    await admin.disconnect();
    await store.grant();
    expect(await haltOf(await start('grown', store))).toMatchObject({ halt: 'PARTITIONS_CHANGED' });
  }, 120_000);

  it.each([
    ['data that is no JSON', { data: '{' }, 'its data is not JSON'],
    ['data against its schema', { data: '{"at":"2026-11-23T12:00:00.000Z","tokensPerMonth":-1}' }, 'does not keep to its schema'],
    ['a message over MESSAGE_BYTES_MAX', { type: 'Large', data: `{"at":"","x":"${'x'.repeat(5_000)}"}` }, 'MESSAGE_BYTES_MAX'],
  ])(
    'halts at %s after all that is before it, until an operator leaves it out',
    async (what, change: { type?: string; data: string }, said) => {
      const name = `poison-${what.length}`;
      await makeTopicSet(kafka(), name, 1);
      const store = await storeOf('u1', 2);
      const id = await store.bad(change);
      const after = await store.grant();
      const limit = { MESSAGE_BYTES_MAX: '3000' };
      const { halt, reason } = await haltOf(await start(name, store, limit));
      expect(halt).toBe('POISON_EVENT');
      expect(reason).toContain(`SKIP_EVENTS=${id}`);
      expect(reason).toContain(said);
      expect(await events(name)).toHaveLength(3);
      const publisher = await start(name, store, { ...limit, SKIP_EVENTS: id, STANDBY_SECONDS: '60' });
      await publisher.caughtUp();
      const [skipped, last] = (await events(name)).slice(3);
      expect(skipped?.headers).toMatchObject({ ce_type: 'ledger.skipped.v1', ce_id: id, ce_streamrevision: '3' });
      expect(JSON.parse(skipped!.value!)).toEqual({
        type: change.type ?? 'FreeAllowanceSet',
        reason: expect.stringContaining('SKIP_EVENTS'),
      });
      expect(last?.headers).toMatchObject({ ce_id: after, ce_streamrevision: '4' });
    },
    120_000,
  );

  it('finds the event that the topic refuses as too large among those sent with it', async () => {
    await makeTopicSet(kafka(), 'refused', 1);
    const admin = kafka().admin();
    await admin.connect();
    const configEntries = [{ name: 'max.message.bytes', value: '20000' }];
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topicsNamed('refused').events, configEntries }] });
    await admin.disconnect();
    const store = await storeOf('u1', 30);
    const id = await store.bad({ type: 'Large', data: `{"at":"","x":"${'x'.repeat(30_000)}"}` });
    await store.grant();
    const { halt, reason } = await haltOf(await start('refused', store));
    expect({ halt, reason }).toMatchObject({ halt: 'POISON_EVENT', reason: expect.stringContaining(id) });
    expect(await events('refused')).toHaveLength(31);
    await (await start('refused', store, { SKIP_EVENTS: id })).caughtUp();
    expect(await events('refused')).toHaveLength(33);
  }, 120_000);
});
