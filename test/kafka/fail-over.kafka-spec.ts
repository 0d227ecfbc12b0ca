import { KafkaBroker } from '../kafka-broker/broker';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { Choices } from '../support/choices';
import { seedOf } from '../support/ledger-under-test';
import { accountOf, EXACT } from './support/exactly-once';
import { GrowingStore } from './support/growing-store';
import { clientOf } from './support/kafka-under-test';
import { makeTopics, PublisherUnderTest } from './support/publisher-under-test';

/** KAFKA_EVENTS and KAFKA_ROUNDS make it as long as one likes. */
const EVENTS = Number(process.env.KAFKA_EVENTS ?? 2_000);
const ROUNDS = Number(process.env.KAFKA_ROUNDS ?? 3);
const MAX_MS = 180_000 + ROUNDS * 60_000;

describeWithKafka('a cluster of three', () => {
  let broker: KafkaBroker;
  let growing: GrowingStore;

  beforeAll(async () => {
    broker = await KafkaBroker.start({ brokers: 3 });
    growing = await GrowingStore.of(EVENTS);
    await makeTopics(broker.bootstrap, []);
  }, 300_000);

  afterAll(async () => {
    await growing.remove();
    await broker.stop();
  }, 120_000);

  it(
    'loses brokers one after the other while events are published, and no event',
    async () => {
      const choices = new Choices(seedOf('KAFKA_SEED'));
      await growing.grow(100);
      const settings = { KAFKA_BROKERS: broker.bootstrap, EVENT_STORE_URL: growing.url, START_FROM: 'beginning', BATCH_EVENTS_MAX: '20' };
      const publisher = await PublisherUnderTest.start(settings);
      await publisher.caughtUp();
      for (let round = 0; round < ROUNDS; round++) {
        // Node 1 is also the controller: without it leaders do not move, and the publisher waits for its return.
        const id = 1 + ((round + choices.below(2)) % 3);
        const written = growing.grow(Math.ceil(growing.left / (ROUNDS - round)));
        await broker.kill(id);
        await written;
        if (id !== 1) await publisher.caughtUp(120_000);
        await broker.restart(id);
        await publisher.caughtUp(120_000);
      }
      expect(await publisher.stop()).toBe(0);
      expect(growing.left).toBe(0);
      const account = await accountOf(clientOf(broker.bootstrap), growing.store);
      process.stdout.write(`${JSON.stringify(account)}\n`);
      expect(account).toEqual({ events: expect.any(Number), ...EXACT });
    },
    MAX_MS,
  );
});
