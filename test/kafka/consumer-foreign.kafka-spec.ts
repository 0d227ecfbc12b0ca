import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { eventMessage, readEvent } from '@ledger/event-contract';
import { SqliteEventStore, type StoredEvent } from '@ledger/event-store';
import { KafkaBroker } from '../kafka-broker/broker';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { everyEvent } from '../billing/school';
import { clientOf } from './support/kafka-under-test';
import { makeTopics, PublisherUnderTest } from './support/publisher-under-test';

/**
 * The events of a whole demo, read by a client that is not kafkajs and checked by a validator that is not ajv. `TRACE` names a trace
 * of real conversations for the demo.
 */

const run = promisify(execFile);
const DEMO = resolve(__dirname, '../../dist/apps/demo/src/main.js');
const SCHEMAS = resolve(__dirname, '../../docs/events/schemas');
const PACKAGES = ['confluent-kafka==2.16.1', 'jsonschema==4.26.0'];
const OUTPUT_MAX = 10_000_000;

interface Report {
  events: number;
  wallets: number;
  balances: number;
  types: Record<string, number>;
  faults: number;
  first: string[];
}

/** The interpreter of a virtual environment of our own, thrown away afterwards; undefined, and the reason said, where none can be. */
function pythonWith(packages: readonly string[], folder: string): string | undefined {
  try {
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'pipe' });
    execFileSync(join(folder, 'bin', 'pip'), ['install', '-q', '--disable-pip-version-check', ...packages], { stdio: 'pipe' });
    return join(folder, 'bin', 'python');
  } catch (error) {
    const missing = `The foreign client needs python3 with venv and pip, and ${packages.join(' and ')}: ${(error as Error).message.split('\n')[0]}`;
    if (process.env.CI_REQUIRED) throw new Error(missing, { cause: error });
    process.stdout.write(`skipped: a foreign client. ${missing}\n`);
    return undefined;
  }
}

describeWithKafka('a foreign client', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-foreign-'));
  let python: string | undefined;
  let broker: KafkaBroker;
  let store: SqliteEventStore | undefined;

  beforeAll(async () => {
    python = pythonWith(PACKAGES, join(folder, 'venv'));
    if (python !== undefined) broker = await KafkaBroker.start();
  }, 300_000);

  afterAll(async () => {
    await store?.close();
    await (broker as KafkaBroker | undefined)?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function read(...options: string[]): Promise<Report> {
    const script = join(__dirname, 'foreign-client.py');
    const args = [script, '--brokers', broker.bootstrap, '--schemas', SCHEMAS, ...options];
    const { stdout } = await run(python!, args, { maxBuffer: OUTPUT_MAX }).catch((error: unknown) => error as { stdout: string });
    return JSON.parse(stdout) as Report;
  }

  it('reads all events and headers of the demo, in order, and its validator accepts every message', async () => {
    if (python === undefined) return;
    const data = join(folder, 'data');
    const trace = process.env.TRACE === undefined ? [] : ['--trace', process.env.TRACE];
    await run(process.execPath, [DEMO, '--data', data, '--json', ...trace], { maxBuffer: OUTPUT_MAX });
    await makeTopics(broker.bootstrap);
    const url = `sqlite:${join(data, 'events.db')}`;
    const publisher = await PublisherUnderTest.start({ KAFKA_BROKERS: broker.bootstrap, EVENT_STORE_URL: url, START_FROM: 'beginning' });
    await publisher.caughtUp().finally(() => publisher.stop());

    store = await SqliteEventStore.open(join(data, 'events.db'));
    const events = await everyEvent(store);
    const report = await read();
    expect(report).toMatchObject({ faults: 0, first: [], events: events.length, types: countedTypes(events) });
    expect(report.wallets).toBe(new Set(events.map(({ stream }) => stream)).size);
    process.stdout.write(
      `foreign client: ${report.events} events of ${Object.keys(report.types).length} types, ${report.balances} balances, no fault\n`,
    );
  }, 400_000);

  it('would have found a message that is not what the contract says', async () => {
    if (python === undefined) return;
    const wrong: StoredEvent = {
      id: '0d4e9a0c-2a53-5b0e-9a6f-0e6f2d1f7c55',
      type: 'TimeZoneSet',
      data: '{"at":"2026-11-23T09:05:00.000Z","timeZone":"+01:00"}',
      metadata: '{"schema":"1"}',
      stream: 'organisationWallet-wrong',
      revision: 1,
      position: 1n,
    };
    const kafka = clientOf(broker.bootstrap);
    const [admin, producer] = [kafka.admin(), kafka.producer()];
    await Promise.all([admin.connect(), producer.connect()]);
    const topics = ['events', 'balances'].map((topic) => ({ topic, numPartitions: 1, replicationFactor: 1 }));
    await admin.createTopics({ waitForLeaders: true, topics });
    await producer.send({ topic: 'events', messages: [eventMessage(readEvent(wrong))] });
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    const { faults, first } = await read('--events', 'events', '--balances', 'balances');
    expect(faults).toBe(2);
    expect(first.join('\n')).toMatch(/timeZone: '\+01:00' does not match/);
    expect(first.join('\n')).toMatch(/revision 1 after -1/);
  }, 120_000);
});

function countedTypes(events: readonly StoredEvent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of events) counts[`ledger.${type}.v1`] = (counts[`ledger.${type}.v1`] ?? 0) + 1;
  return counts;
}
