import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { KafkaBroker } from '../kafka-broker/broker';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { accountOf, EXACT } from './support/exactly-once';
import { GrowingStore } from './support/growing-store';
import { clientOf } from './support/kafka-under-test';
import { makeTopics, PublisherUnderTest } from './support/publisher-under-test';

/** KAFKA_DOWN_SECONDS and KAFKA_EVENTS make the outage as long as one likes. */
const DOWN_SECONDS = Number(process.env.KAFKA_DOWN_SECONDS ?? 8);
const EVENTS = Number(process.env.KAFKA_EVENTS ?? 20_000);
/** What the process may grow by, whatever is written meanwhile: a queue of the events of the outage would take more. */
const GROWTH_MIB = 40;

const residentMib = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

describeWithKafka('an outage of Kafka', () => {
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
    'is said, costs no memory however much is written meanwhile, and is made up for without anybody doing anything',
    async () => {
      const settings = { KAFKA_BROKERS: broker.bootstrap, EVENT_STORE_URL: growing.url, START_FROM: 'beginning', LOG_LEVEL: 'info' };
      await growing.grow(EVENTS / 2);
      const publisher = await PublisherUnderTest.start(settings);
      await publisher.caughtUp();

      await broker.kill();
      await growing.grow(1);
      const { code, reason } = await publisher.healthy(({ status, lagSeconds = 0 }) => status === 'not ready' && lagSeconds > 0);
      expect(code).toBe(503);
      expect(reason).toMatch(/Kafka/);
      const before = residentMib(publisher.pid);
      let most = before;
      const slice = Math.ceil(growing.left / DOWN_SECONDS);
      for (const end = Date.now() + DOWN_SECONDS * 1_000; Date.now() < end; await pause(1_000)) {
        await growing.grow(slice);
        most = Math.max(most, residentMib(publisher.pid));
      }
      await growing.grow(growing.left);
      expect(await publisher.metric('ledger_publisher_lag_seconds')).toBeGreaterThan(0);
      process.stdout.write(
        `down ${DOWN_SECONDS} s, ${EVENTS / 2} events written meanwhile: ${Math.round(before)} MiB before, ${Math.round(most)} at most\n`,
      );
      expect(most - before).toBeLessThan(GROWTH_MIB);

      await broker.restart();
      await publisher.caughtUp(120_000);
      expect(await publisher.stop()).toBe(0);
      expect(await accountOf(clientOf(broker.bootstrap), growing.store)).toEqual({ events: expect.any(Number), ...EXACT });
    },
    240_000 + DOWN_SECONDS * 1_000,
  );
});
