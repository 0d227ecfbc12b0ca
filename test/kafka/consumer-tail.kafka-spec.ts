import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { EVENT_SCHEMAS, eventMessage, readEvent, TOPICS } from '@ledger/event-contract';
import type { StoredEvent } from '@ledger/event-store';
import type { Kafka, Producer } from 'kafkajs';
import { KafkaBroker } from '../kafka-broker/broker';
import { describeWithKafka } from '../kafka-broker/describe-with-kafka';
import { isAlive, ofThisTest } from '../support/children';
import { clientOf } from './support/kafka-under-test';
import { makeTopics } from './support/publisher-under-test';

const BUILT = resolve(__dirname, '../../dist/apps/publisher/src/cli/tail.js');

interface Tail {
  child: ChildProcess;
  lines: string[];
  said: () => string;
  /** Resolves with the lines once there are so many. */
  until: (count: number) => Promise<string[]>;
  ended: Promise<number | null>;
}

function tail(brokers: string, args: string[], env: NodeJS.ProcessEnv = {}): Tail {
  const child = ofThisTest(spawn(process.execPath, [BUILT, ...args], { env: { ...process.env, KAFKA_BROKERS: brokers, ...env } }));
  const lines: string[] = [];
  let [rest, errors] = ['', ''];
  let look = (): void => undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    look();
  });
  const ended = new Promise<number | null>((done) =>
    child.once('close', (code) => {
      look();
      done(code);
    }),
  );
  const until = (count: number): Promise<string[]> =>
    new Promise((done) => {
      look = () => (lines.length >= count || !isAlive(child) ? done(lines) : undefined);
      look();
    });
  return { child, lines, said: () => errors, until, ended };
}

describeWithKafka('npm run tail', () => {
  let broker: KafkaBroker;
  let kafka: Kafka;
  let producer: Producer;
  const types = EVENT_SCHEMAS.map(({ schema }) => String(schema['title']).replace(/,.*/, ''));
  const example = (index: number): unknown => (EVENT_SCHEMAS[index]!.schema['examples'] as unknown[])[0];
  const events = types.map((type, revision): StoredEvent => {
    const data = JSON.stringify(example(revision));
    return { id: `id-${revision}`, type, data, metadata: '{"schema":"1"}', stream: 'userWallet-u1', revision, position: BigInt(revision) };
  });
  const send = (some: readonly StoredEvent[]) =>
    producer.send({ topic: TOPICS.events.name, messages: some.map((event) => eventMessage(readEvent(event))) });

  beforeAll(async () => {
    broker = await KafkaBroker.start();
    kafka = clientOf(broker.bootstrap);
    await makeTopics(broker.bootstrap);
    producer = kafka.producer();
    await producer.connect();
    await send(events);
  }, 300_000);

  afterAll(async () => {
    await producer.disconnect();
    await broker.stop();
  });

  it('prints everything from the beginning, one JSON object a line, and ends at --max with status 0', async () => {
    const { ended, lines, said } = tail(broker.bootstrap, ['--from-beginning', '--json', '--max', String(events.length)]);
    expect({ status: await ended, said: said() }).toEqual({ status: 0, said: '' });
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(types);
    expect(JSON.parse(lines[3]!)).toMatchObject({ wallet: 'user:u1', revision: 3, position: '3', data: example(3) });
  }, 60_000);

  it('leaves no group behind', async () => {
    const admin = kafka.admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    await admin.disconnect();
    expect(groups.filter(({ groupId }) => groupId.startsWith('ledger-tail-'))).toEqual([]);
  }, 60_000);

  it('prints as a person reads, only the wallet that was asked for, also what comes later, and ends on Ctrl-C', async () => {
    const other = events.slice(0, 1).map((event) => ({ ...event, stream: 'userWallet-u2' }));
    await send(other);
    const { child, until, ended } = tail(broker.bootstrap, ['--from-beginning', '--wallet', 'user:u2']);
    expect(await until(1)).toEqual([
      expect.stringMatching(/^2026-11-23T09:05:00\.000Z {2}user:u2 +received 40 tokens from acme; 60 left$/),
    ]);
    await send(events.slice(1, 2).map((event) => ({ ...event, stream: 'userWallet-u2' })));
    expect(await until(2)).toHaveLength(2);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  }, 60_000);

  it('says in one sentence what is wrong: the topic, the broker, an option', async () => {
    const noTopic = tail(broker.bootstrap, [], { EVENTS_TOPIC: 'nowhere' });
    expect(await noTopic.ended).toBe(1);
    expect(noTopic.said()).toBe('Kafka has no topic nowhere: "npm run topics" makes it, EVENTS_TOPIC names another.\n');
    const noBroker = tail('127.0.0.1:1', []);
    expect(await noBroker.ended).toBe(1);
    expect(noBroker.said().trim().split('\n')).toHaveLength(1);
    const noOption = tail(broker.bootstrap, ['--max', 'ten']);
    expect(await noOption.ended).toBe(2);
    expect(noOption.said()).toMatch(/^--max must be a whole number from 1 on, and is "ten"\.\nUsage: /);
  }, 60_000);
});
