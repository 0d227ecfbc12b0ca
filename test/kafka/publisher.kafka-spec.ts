import type { SqliteEventStore } from '@ledger/event-store';
import { KafkaBroker } from '../kafka-broker/broker';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { accountOf, EXACT } from './support/exactly-once';
import { clientOf, FilledStore } from './support/kafka-under-test';
import { makeTopics, PublisherUnderTest } from './support/publisher-under-test';

describeWithKafka('the publisher', () => {
  let broker: KafkaBroker;
  let filled: FilledStore;
  let store: SqliteEventStore;
  const settings = (more: NodeJS.ProcessEnv = {}) => ({
    KAFKA_BROKERS: broker.bootstrap,
    EVENT_STORE_URL: filled.url,
    START_FROM: 'beginning',
    ...more,
  });

  beforeAll(async () => {
    broker = await KafkaBroker.start();
    ({ filled, store } = await FilledStore.of(3_000));
    await makeTopics(broker.bootstrap);
  }, 300_000);

  afterAll(async () => {
    await store.close();
    await broker.stop();
    filled.remove();
  });

  it('publishes every event of a store once, in the order of each wallet, with the balances after it', async () => {
    const publisher = await PublisherUnderTest.start(settings());
    await publisher.caughtUp();
    expect(await publisher.stop()).toBe(0);
    expect(await accountOf(clientOf(broker.bootstrap), store)).toEqual({ events: expect.any(Number), ...EXACT });
  }, 120_000);
});
