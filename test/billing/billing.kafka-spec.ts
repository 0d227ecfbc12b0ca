import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteEventStore, type StoredEvent } from '@ledger/event-store';
import { choose } from '../../apps/demo/src/random';
import { KafkaBroker } from '../kafka-broker/broker';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { makeTopics, PublisherUnderTest } from '../kafka/support/publisher-under-test';
import { BillingUnderTest } from './billing-under-test';
import { MonthTotals } from './month-totals';
import { everyEvent, liveThrough, totalsOf } from './school';

const KILLS = Number(process.env.BILLING_KILLS ?? 20);
const USAGES = Number(process.env.BILLING_USAGES ?? 6_000);
const SEED = Number(process.env.BILLING_SEED ?? Date.now() % 2 ** 31);
/** Small, so that there are transactions enough to be killed in. */
const BATCH_MAX = 20;
/** A broker normally wants six seconds at least; the group waits so long for a member that was killed. */
const SESSION_MS = 2_000;

describeWithKafka('the billing example', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-billing-'));
  const database = join(folder, 'billing.db');
  let broker: KafkaBroker;
  let store: SqliteEventStore;
  let events: StoredEvent[];
  let publisher: PublisherUnderTest | undefined;

  beforeAll(async () => {
    process.stdout.write(`billing: BILLING_SEED=${SEED}\n`);
    broker = await KafkaBroker.start({ settings: { 'group.min.session.timeout.ms': '500' } });
    store = await SqliteEventStore.open(join(folder, 'events.db'));
    await liveThrough(store, USAGES, SEED);
    events = await everyEvent(store);
    await makeTopics(broker.bootstrap);
  }, 300_000);

  afterAll(async () => {
    await publisher?.stop();
    await store.close();
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it(`ends with the totals of the event store, to the token, though it is killed ${KILLS} times while it consumes`, async () => {
    const settings = { KAFKA_BROKERS: broker.bootstrap, EVENT_STORE_URL: `sqlite:${join(folder, 'events.db')}`, START_FROM: 'beginning' };
    publisher = await PublisherUnderTest.start(settings);
    const start = (incarnation: number): BillingUnderTest =>
      BillingUnderTest.start(broker.bootstrap, {
        database,
        // Now and then the group is another one: the hint where it had read to is lost, and everything comes again.
        group: `billing-${Math.floor(incarnation / 2)}`,
        'session-timeout-ms': String(SESSION_MS),
        'batch-max': String(BATCH_MAX),
      });
    let seen = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const billing = start(kill);
      const lives = choose(SEED, kill, 30);
      await billing.until(() => billing.transactions >= lives);
      await billing.kill();
      expect(billing.said).toBe('');
      seen += billing.seen;
    }
    const left = events.length - appliedIn(database);
    // It was killed while it had work to do, every time.
    expect(left).toBeGreaterThan(0);

    const last = start(KILLS);
    await last.until(() => appliedIn(database) >= events.length);
    expect(await last.stop()).toBe(0);

    const totals = new MonthTotals(database);
    expect(totals.totals()).toEqual(totalsOf(events));
    expect(totals.revisions()).toEqual(lastRevisions(events));
    totals.close();
    expect(seen + last.seen).toBeGreaterThan(0);
    const tokens = totalsOf(events).reduce((sum, total) => sum + total.tokens, 0);
    process.stdout.write(
      `billing: ${events.length} events, ${KILLS} kills, ${seen + last.seen} messages seen again, ${left} left after the last kill; ` +
        `${totalsOf(events).length} totals, ${tokens} tokens, all equal\n`,
    );
  }, 600_000);
});

/** How many events are in the database, by its own revisions. */
function appliedIn(database: string): number {
  const totals = new MonthTotals(database);
  const count = [...totals.revisions().values()].reduce((sum, revision) => sum + revision + 1, 0);
  totals.close();
  return count;
}

function lastRevisions(events: readonly StoredEvent[]): Map<string, number> {
  return new Map(events.map(({ stream, revision }) => [stream.replace('Wallet-', ':'), revision]));
}
