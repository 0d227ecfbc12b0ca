import { type EventStore, openEventStore } from '@ledger/event-store';
import { ServerUnderTest } from '../eventstoredb/server-under-test';
import { KafkaBroker } from '../kafka-broker/broker';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { accountOf, EXACT } from './support/exactly-once';
import { clientOf, FilledStore } from './support/kafka-under-test';
import { PublisherInProcess } from './support/publisher-in-process';
import { makeTopics } from './support/publisher-under-test';

const EVENTS = 2_500;
const TOGETHER = 50;

describeWithKafka('the publisher of an EventStoreDB', () => {
  let broker: KafkaBroker;
  let server: ServerUnderTest;
  let target: EventStore;
  let filled: FilledStore;
  let source: EventStore;

  beforeAll(async () => {
    [broker, server] = await Promise.all([KafkaBroker.start(), ServerUnderTest.start()]);
    ({ filled, store: source } = await FilledStore.of(EVENTS));
    target = await openEventStore(server.url());
    await makeTopics(broker.bootstrap);
  }, 300_000);

  afterAll(async () => {
    await source.close();
    await target.close();
    filled.remove();
    await Promise.all([broker.stop(), server.stop()]);
  }, 60_000);

  /** Takes over the events up to a position, in their order within each stream. */
  async function copy(after: bigint, count: number): Promise<bigint> {
    const events = await source.readAll(after, count);
    for (let from = 0; from < events.length; from += TOGETHER) {
      const last = new Map<string, Promise<unknown>>();
      for (const event of events.slice(from, from + TOGETHER)) {
        const before = last.get(event.stream) ?? Promise.resolve();
        last.set(event.stream, before.then(() => target.append(event.stream, event.revision - 1, [event]))); // prettier-ignore
      }
      await Promise.all(last.values());
    }
    return events.at(-1)!.position;
  }

  it('publishes all of it once and in order, past events that are not the ledger’s and through the server’s restart', async () => {
    const settings = { KAFKA_BROKERS: broker.bootstrap, EVENT_STORE_URL: server.url(), START_FROM: 'beginning' };
    let after = await copy(-1n, EVENTS / 2);
    const first = await PublisherInProcess.start(settings);
    await first.caughtUp();
    await server.foreignEvent();
    await server.kill();
    await server.restart();
    after = await copy(after, EVENTS / 4);
    await first.caughtUp();
    await first.stop();
    await copy(after, EVENTS);
    const second = await PublisherInProcess.start({ ...settings, START_FROM: '' });
    await second.caughtUp();
    await second.stop();
    expect(await accountOf(clientOf(broker.bootstrap), target)).toEqual({ events: expect.any(Number), ...EXACT });
  }, 240_000);
});
