import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SqliteEventStore } from '@ledger/event-store';
import { ChildService } from '../../apps/demo/src/child-service';
import { KafkaBroker } from '../kafka-broker/broker';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { accountOf, EXACT } from './support/exactly-once';
import { clientOf } from './support/kafka-under-test';
import { makeTopics, PublisherUnderTest } from './support/publisher-under-test';

const LEDGER = resolve(__dirname, '../../dist/apps/ledger/src');
const COMMANDS = 200;

describeWithKafka('the ledger beside a Kafka that is away', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-outage-'));
  const path = join(folder, 'events.db');
  let broker: KafkaBroker;
  let ledger: ChildService;
  let token: string;

  beforeAll(async () => {
    broker = await KafkaBroker.start();
    await makeTopics(broker.bootstrap);
    ledger = await ChildService.start(folder, { FREE_TOKENS_PER_MONTH: '50' }, LEDGER);
    token = await ledger.token({ role: 'platform' });
  }, 300_000);

  afterAll(async () => {
    await ledger?.stop();
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  /** Purchases of several users, whose free tokens are granted with them. */
  async function command(name: string): Promise<number[]> {
    const buy = async (_: unknown, n: number): Promise<number> => {
      const { status } = await fetch(`${ledger.url}/v1/users/u${n % 20}/purchases`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': `${name}-${n}` },
        body: JSON.stringify({ tokens: 200, paymentReference: `${name}-${n}` }),
      });
      return status;
    };
    return Promise.all(Array.from({ length: COMMANDS }, buy));
  }
  const accepted = Array.from({ length: COMMANDS }, () => 201);

  it('answers commands as before, and all of them are published when Kafka is back', async () => {
    expect(await command('before')).toEqual(accepted);
    const settings = { KAFKA_BROKERS: broker.bootstrap, EVENT_STORE_URL: `sqlite:${path}`, START_FROM: 'beginning' };
    const publisher = await PublisherUnderTest.start(settings);
    await publisher.caughtUp();

    await broker.kill();
    expect(await command('away')).toEqual(accepted);
    await publisher.healthy(({ status }) => status === 'not ready');
    expect(await command('still-away')).toEqual(accepted);
    expect((await fetch(`${ledger.url}/health/ready`)).status).toBe(200);

    await broker.restart();
    await publisher.caughtUp(120_000);
    expect(await publisher.stop()).toBe(0);
    const store = await SqliteEventStore.open(path);
    const account = await accountOf(clientOf(broker.bootstrap), store);
    await store.close();
    expect(account).toEqual({ events: 3 * COMMANDS + 2 * 20, ...EXACT });
  }, 240_000);
});
