import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { EachMessagePayload, Kafka } from 'kafkajs';
import { percentile } from '../../apps/demo/src/percentile';
import { table } from '../../apps/demo/src/table';
import { KafkaBroker } from '../kafka-broker/broker';
import { missingForKafka } from '../kafka-broker/distribution';
import { accountOf, EVENTS, EXACT } from '../kafka/support/exactly-once';
import { GrowingStore } from '../kafka/support/growing-store';
import { clientOf } from '../kafka/support/kafka-under-test';
import { makeTopics, PublisherUnderTest } from '../kafka/support/publisher-under-test';

/**
 * What publishing costs: `npm run bench:kafka`. A real broker, the publisher and this process share the machine; every figure is of
 * the whole way from the store to a reader with read_committed, and at the end the topics are counted against the store.
 */

const USAGE = 'npm run bench:kafka [-- --events 100000] [--rate 1000] [--seconds 20] [--brokers 1|3] [--json]';
const TICK_MS = 5;
const WAIT_MS = 30 * 60_000;
const MEMORY_EVERY_MS = 100;

interface Options {
  events: number;
  rate: number;
  seconds: number;
  brokers: 1 | 3;
}

interface Figures {
  events: number;
  perSecond: number;
  cpuMicrosPerEvent: number;
  memoryMaxMb: number;
  live: number;
  lagP50Ms: number;
  lagP99Ms: number;
  lagMaxMs: number;
  /** Of this process: when it could not write at the rate, the lag says less. */
  writtenPerSecond: number;
}

async function bench(options: Options): Promise<Figures> {
  const { events, rate, seconds, brokers } = options;
  const growing = await GrowingStore.of(events + rate * seconds);
  const broker = await KafkaBroker.start({ brokers });
  try {
    await makeTopics(broker.bootstrap, ['--replication', String(brokers)]);
    await growing.grow(events);
    const settings = { KAFKA_BROKERS: broker.bootstrap, EVENT_STORE_URL: growing.url, START_FROM: 'beginning', LOG_LEVEL: 'info' };
    const publisher = await PublisherUnderTest.start(settings);
    const caughtUp = await catchUp(publisher, events);
    const live = await liveLag(clientOf(broker.bootstrap), growing, rate);
    await publisher.caughtUp(WAIT_MS);
    const memoryMaxMb = memoryMax(publisher.pid);
    await publisher.stop();
    const account = await accountOf(clientOf(broker.bootstrap), growing.store);
    if (Object.entries(EXACT).some(([name, count]) => account[name as keyof typeof EXACT] !== count))
      throw new Error(`the topics do not hold the store once: ${JSON.stringify(account)}`);
    return { events, ...caughtUp, ...live, memoryMaxMb };
  } finally {
    await broker.stop();
    await growing.remove();
  }
}

/** From the first committed event to the last, without the start of the process. */
async function catchUp(publisher: PublisherUnderTest, events: number): Promise<Pick<Figures, 'perSecond' | 'cpuMicrosPerEvent'>> {
  let first: { at: number; count: number; cpu: number } | undefined;
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await pause(MEMORY_EVERY_MS)) {
    const count = (await publisher.metric('ledger_publisher_published')) ?? 0;
    const now = { at: performance.now(), count, cpu: cpuSeconds(publisher.pid) };
    if (count > 0) first ??= now;
    if (count < events || !first) continue;
    const published = count - first.count;
    return { perSecond: (published * 1000) / (now.at - first.at), cpuMicrosPerEvent: ((now.cpu - first.cpu) * 1e6) / published };
  }
  throw new Error('the publisher did not catch up');
}

/** Writes at the rate until all is written, and takes the time of each event from before its append to its reading. */
async function liveLag(
  kafka: Kafka,
  growing: GrowingStore,
  rate: number,
): Promise<Pick<Figures, 'live' | 'lagP50Ms' | 'lagP99Ms' | 'lagMaxMs' | 'writtenPerSecond'>> {
  const written = new Map<string, number>();
  const lags: number[] = [];
  const wanted = growing.left;
  const consumer = kafka.consumer({ groupId: `bench-${process.pid}`, maxWaitTimeInMs: 500 });
  await consumer.connect();
  await consumer.subscribe({ topic: EVENTS, fromBeginning: false });
  const joined = new Promise((done) => consumer.on(consumer.events.FETCH, done));
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message }: EachMessagePayload) => {
      const began = written.get(String(message.headers?.['ce_id']));
      if (began !== undefined) lags.push(performance.now() - began);
    },
  });
  await joined;
  const began = performance.now();
  const appends: Promise<void>[] = [];
  while (growing.left > 0) {
    const due = Math.floor(((performance.now() - began) * rate) / 1000) - (wanted - growing.left);
    if (due > 0) {
      const now = performance.now();
      for (const { id } of growing.coming(due)) written.set(id, now);
      appends.push(growing.grow(due));
    }
    await pause(TICK_MS);
  }
  await Promise.all(appends);
  const writtenPerSecond = (wanted * 1000) / (performance.now() - began);
  for (const end = Date.now() + WAIT_MS; lags.length < wanted; await pause(TICK_MS))
    if (Date.now() > end) throw new Error(`${wanted - lags.length} events were not read`);
  await consumer.disconnect();
  const lagMaxMs = percentile(lags, 100);
  return { live: wanted, lagP50Ms: percentile(lags, 50), lagP99Ms: percentile(lags, 99), lagMaxMs, writtenPerSecond };
}

/** Peak resident memory, as Linux keeps it. */
const memoryMax = (pid: number): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** User and system time; Linux counts it in hundredths of a second. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function printed({ brokers, rate }: Options, figures: Figures): string {
  const one = (value: number): string => String(Math.round(value * 10) / 10);
  const whole = (value: number): string => Math.round(value).toLocaleString('en');
  const rows = [
    [`catching up, ${whole(figures.events)} events`, `${whole(figures.perSecond)} events/s`, '15,000'],
    ['processor time of the publisher', `${one(figures.cpuMicrosPerEvent)} us/event`, ''],
    [`lag at ${rate}/s (written ${whole(figures.writtenPerSecond)}/s), p50`, `${one(figures.lagP50Ms)} ms`, ''],
    ['the same, p99', `${one(figures.lagP99Ms)} ms`, '100 ms'],
    ['the same, longest', `${one(figures.lagMaxMs)} ms`, ''],
    ['peak memory of the publisher', `${whole(figures.memoryMaxMb)} MiB`, ''],
  ];
  const end =
    'Lag is from before the append to a reader with read_committed. Every event was read once and in order, every balance agreed.';
  return `${brokers} broker(s), publisher and generator on this machine:\n\n${table(['what', 'figure', 'goal'], rows)}\n\n${end}`;
}

/** `args` as of the command line. */
export async function kafka(args: readonly string[]): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { events: text, rate: text, seconds: text, brokers: text, json: { type: 'boolean' } },
  });
  const whole = (name: 'events' | 'rate' | 'seconds' | 'brokers', fallback: number): number => {
    const value = values[name] ?? String(fallback);
    if (!/^[1-9]\d{0,6}$/.test(value)) throw new Error(`--${name} must be a whole number from 1 to 9999999. Usage: ${USAGE}`);
    return Number(value);
  };
  const brokers = whole('brokers', 1);
  if (brokers !== 1 && brokers !== 3) throw new Error(`--brokers must be 1 or 3. Usage: ${USAGE}`);
  const missing = missingForKafka();
  if (missing) throw new Error(missing);
  const options = { events: whole('events', 100_000), rate: whole('rate', 1_000), seconds: whole('seconds', 20), brokers } as const;
  const figures = await bench(options);
  console.log(values.json ? JSON.stringify({ options, figures }, null, 2) : printed(options, figures));
}

if (require.main === module)
  kafka(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
