import { setTimeout as pause } from 'node:timers/promises';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { committedIn } from './support/committed';
import { pass, PRODUCE } from './support/kafka-proxy';
import { makeTopicSet, settingsFor } from './support/named-topics';
import { ProxiedBroker } from './support/proxied-broker';
import { PublisherUnderTest } from './support/publisher-under-test';
import { SmallStore } from './support/small-store';

const LOOK_MS = 100;

describeWithKafka('a publisher that stands still in the middle of a transaction', () => {
  let kafka: ProxiedBroker;

  beforeAll(async () => {
    kafka = await ProxiedBroker.start();
  }, 300_000);
  afterAll(() => kafka.stop(), 60_000);

  it('finds that Kafka has ended it meanwhile, and publishes all of it again at once instead of standing by', async () => {
    const topics = await makeTopicSet(kafka.direct, 'stall', 1);
    const store = await SmallStore.of('u1', 3);
    const publisher = await PublisherUnderTest.start({
      KAFKA_BROKERS: kafka.bootstrap,
      EVENT_STORE_URL: store.url,
      START_FROM: 'beginning',
      ...settingsFor('stall'),
      ...{ REQUEST_TIMEOUT_SECONDS: '2', TRANSACTION_TIMEOUT_SECONDS: '3' },
    });
    try {
      await publisher.caughtUp();
      const before = await kafka.readable(topics.checkpoint);
      /** The events reach the broker when their transaction, of which the checkpoint is all so far, was ended by Kafka itself. */
      const frozen = async (): Promise<void> => {
        publisher.signal('SIGSTOP');
        while ((await kafka.readable(topics.checkpoint)) === before) await pause(LOOK_MS);
        publisher.signal('SIGCONT');
      };
      let produced = 0;
      kafka.proxy.fate = (apiKey) => (apiKey === PRODUCE && ++produced === 2 ? { kind: 'behind', first: frozen() } : pass);
      await store.grant();
      await publisher.says('a transaction took longer than TRANSACTION_TIMEOUT_SECONDS');
      await publisher.caughtUp();
      expect(publisher.said).not.toContain('standing by');
      expect((await committedIn(kafka.direct, topics.events)).map(({ headers }) => headers['ce_streamrevision'])).toEqual(
        [0, 1, 2, 3, 4].map(String),
      );
    } finally {
      publisher.signal('SIGCONT');
      await publisher.kill();
      await store.remove();
    }
  }, 120_000);
});
