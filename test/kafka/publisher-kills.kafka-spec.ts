import { KafkaBroker } from '../kafka-broker/broker';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { Choices } from '../support/choices';
import { seedOf } from '../support/ledger-under-test';
import { accountOf, EXACT } from './support/exactly-once';
import { GrowingStore } from './support/growing-store';
import { clientOf } from './support/kafka-under-test';
import { makeTopics, PublisherUnderTest } from './support/publisher-under-test';
import { underFire } from './support/under-fire';

/** KAFKA_EVENTS, KAFKA_KILLS and KAFKA_BROKER_KILLS make it as long as one likes; the figures of docs/operations/kafka.md are of 50000, 110 and 12. */
const EVENTS = Number(process.env.KAFKA_EVENTS ?? 3_000);
const KILLS = Number(process.env.KAFKA_KILLS ?? 8);
const BROKER_KILLS = Number(process.env.KAFKA_BROKER_KILLS ?? 2);
const MAX_MS = 120_000 + KILLS * 15_000 + EVENTS * 10;

describeWithKafka('a publisher that is killed', () => {
  let broker: KafkaBroker;
  let growing: GrowingStore;

  beforeAll(async () => {
    broker = await KafkaBroker.start();
    growing = await GrowingStore.of(EVENTS);
    await makeTopics(broker.bootstrap);
  }, 300_000);

  afterAll(async () => {
    await growing.remove();
    await broker.stop();
  }, 60_000);

  it(
    'loses, doubles and disorders nothing, while brokers are killed too and a second publisher competes',
    async () => {
      const choices = new Choices(seedOf('KAFKA_SEED'));
      const settings = {
        KAFKA_BROKERS: broker.bootstrap,
        EVENT_STORE_URL: growing.url,
        START_FROM: 'beginning',
        HEARTBEAT_SECONDS: '1',
        STANDBY_SECONDS: '2',
      };
      await growing.grow(1);
      const burnt = await underFire(growing, broker, settings, choices, { kills: KILLS, brokerKills: BROKER_KILLS, rivals: 0.3 });
      const last = await PublisherUnderTest.start(settings);
      await last.caughtUp(120_000);
      await last.stop();
      const account = await accountOf(clientOf(broker.bootstrap), growing.store);
      process.stdout.write(`${JSON.stringify({ ...account, ...burnt })}\n`);
      expect(account).toEqual({ events: expect.any(Number), ...EXACT });
      expect(account.events).toBeGreaterThanOrEqual(EVENTS);
      expect(burnt.kills).toBeGreaterThanOrEqual(KILLS);
    },
    MAX_MS,
  );
});
