/**
 * What the client library does to a program that uses it as its documentation shows, and that the adapter does not do it. The
 * naive programs run as processes of their own (`naive/`), against the same server and the same fault as the adapter.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { NO_POSITION, NO_STREAM, OutcomeUnknown, StoreUnavailable, type EventStore } from '../../libs/event-store/src/event-store';
import { EventStoreDbEventStore } from '../../libs/event-store/src/eventstoredb/event-store-db-event-store';
import { newEvent, newEvents } from '../../libs/event-store/src/testing/contract-parts';
import { NaiveProgram } from './naive-program';
import { describeOnTestServer } from './real-server';
import { ServerUnderTest } from './server-under-test';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** A naive program waits for seconds before it says that it hangs. */
jest.setTimeout(60_000);
/** Between two attempts; without it a test would take the processor from the server it waits for. */
const RETRY_MS = 10;

describeOnTestServer('a defect of the client library', () => {
  let server: ServerUnderTest;
  let store: EventStore;
  let stream: string;

  beforeAll(async () => {
    server = await ServerUnderTest.start();
  });
  afterAll(() => server?.stop());

  beforeEach(() => {
    stream = `userWallet-defect-${randomUUID()}`;
    store = EventStoreDbEventStore.open(server.url());
  });
  afterEach(async () => {
    await server?.clearFaults();
    await store?.close();
  });

  const settings = () => ({ url: server.url(), stream });
  const stored = async (): Promise<number> => (await store.headOf(stream)).revision + 1;

  /** Follows this test's stream until `count` of its events were handled; each is handled before the next is asked for. */
  async function handled(after: bigint, count: number): Promise<{ revisions: number[]; position: bigint }> {
    const revisions: number[] = [];
    let position = after;
    const end = new AbortController();
    for await (const batch of store.follow(after, { batchMax: 3, signal: end.signal })) {
      for (const event of batch.filter((one) => one.stream === stream)) {
        if (revisions.length === count) break;
        revisions.push(event.revision);
        position = event.position;
      }
      if (revisions.length === count) end.abort();
    }
    return { revisions, position };
  }

  it('1: a checkpoint runs ahead of the events that were handled, so a crash loses some; the adapter has no position but the last one handled', async () => {
    await store.append(stream, NO_STREAM, newEvents(60));
    const naive = await NaiveProgram.run('checkpointAhead', { ...settings(), events: 60 });
    const lost = upTo(60).filter((revision) => !naive.handled.includes(revision));
    expect(lost.length).toBeGreaterThan(0);

    const before = await handled(NO_POSITION, 10);
    const after = await handled(before.position, 50);
    expect([...before.revisions, ...after.revisions]).toEqual(upTo(60));
  });

  it('2: a checkpoint that cannot be stored stops the subscription for ever and without an error; the adapter gives the error to whoever follows', async () => {
    await store.append(stream, NO_STREAM, newEvents(100));
    const naive = await NaiveProgram.run('checkpointRejects', { ...settings(), events: 100 });
    expect(naive).toMatchObject({ hangs: true, unhandled: ['Error: the database is away'] });
    expect(naive.handled.length).toBeLessThan(100);

    const failing = async () => {
      for await (const batch of store.follow(NO_POSITION, { batchMax: 3, signal: new AbortController().signal }))
        throw new Error(`the database is away, ${batch.length} events were not handled`);
    };
    // How many events the first batch holds depends on what the first packet of the server brought.
    await expect(failing()).rejects.toThrow(/^the database is away, [123] events were not handled$/);
    expect((await handled(NO_POSITION, 100)).revisions).toEqual(upTo(100));
  });

  it('3: data that JSON cannot hold leaves an append that never settles; the adapter takes text and stores its bytes', async () => {
    const naive = await NaiveProgram.run('unserialisable', settings());
    expect(naive.hangs).toBe(true);
    expect(naive.unhandled).toEqual([expect.stringContaining('BigInt')]);

    const data = '{"tokens":12345678901234567890,"n":1.0,"text":"\\ud800 é"}';
    await store.append(stream, 0, [{ ...newEvent(), data }]);
    expect((await store.readStream(stream, 1, 1))[0]?.data).toBe(data);
  });

  it('4: leaving a read leaves its call open, and after 99 of them nothing is answered; the adapter ends each of its calls', async () => {
    const naive = await NaiveProgram.run('leakedReads', settings());
    expect(naive.handled).toHaveLength(99);
    expect(naive).toMatchObject({ hangs: true, outcomes: ['a second client hangs'] });

    for (let time = 0; time < 150; time += 1) {
      await store.readStream(stream, 0, 1);
      for await (const batch of store.follow(NO_POSITION, { batchMax: 1, signal: new AbortController().signal })) {
        expect(batch).toHaveLength(1);
        break;
      }
    }
    expect(await stored()).toBe(20);
    // Only the one call with all appends may be left.
    expect((await server.state()).openCalls).toBeLessThanOrEqual(1);
  });

  it('5: an error of one connection fails the appends of another, whose reply is then an error that nobody can catch; the adapter keeps them apart', async () => {
    const doomed = await ServerUnderTest.start();
    try {
      const naive = NaiveProgram.start('foreignError', { url: doomed.url(), otherUrl: server.url(), stream });
      await naive.says('ready');
      await server.faults({ slow: { ms: 1_000, on: ['append'] } });
      naive.goOn();
      await naive.says('under way');
      await doomed.kill();
      // The append that was told to have failed is there.
      while ((await stored()) < 2) await pause(RETRY_MS);
      naive.goOn();
      const report = await naive.report();
      expect(report.outcomes).toEqual([expect.stringContaining('unavailable')]);
      expect(report.unhandled).toEqual([expect.stringContaining('TypeError')]);

      await doomed.restart();
      const other = EventStoreDbEventStore.open(doomed.url());
      await other.append(stream, NO_STREAM, [newEvent()]);
      const append = store.append(stream, 1, [newEvent()]);
      await doomed.kill();
      expect(await append).toMatchObject({ revision: 2 });
      await other.close();
    } finally {
      await doomed.stop();
    }
  });

  it('6: an append without an answer waits for ever, whatever its deadline; the adapter says that the outcome is unknown, and the repeat finds out', async () => {
    const naive = NaiveProgram.start('noReply', settings());
    await naive.says('ready');
    await server.faults({ loseReplies: { how: 'silence', next: 1 } });
    naive.goOn();
    const report = await naive.report();
    expect(report).toMatchObject({ hangs: true, outcomes: ['written at 2'] });

    const events = newEvents(2);
    await server.faults({ loseReplies: { how: 'silence', next: 1 } });
    await expect(store.append(stream, 2, events)).rejects.toThrow(OutcomeUnknown);
    expect(await store.append(stream, 2, events)).toMatchObject({ revision: 4 });
    expect(await stored()).toBe(5);
  });

  it('7: a host that accepts the connection and says nothing hangs reads and the first append; the adapter gives up and says why', async () => {
    const frozen = await ServerUnderTest.start();
    try {
      frozen.freeze();
      const naive = await NaiveProgram.run('frozenHost', { url: frozen.url(), stream });
      expect(naive).toMatchObject({ hangs: true, outcomes: ['the append hangs'] });

      const patient = EventStoreDbEventStore.open(frozen.url());
      await expect(patient.headOf(stream)).rejects.toThrow(StoreUnavailable);
      await expect(patient.append(stream, NO_STREAM, [newEvent()])).rejects.toThrow(StoreUnavailable);
      frozen.thaw();
      await eventually(() => patient.append(stream, NO_STREAM, [newEvent()]));
      await patient.close();
    } finally {
      await frozen.stop();
    }
  });

  it('8: a first question that fails once fails every append after it; the adapter asks again', async () => {
    await server.faults({ fail: { code: 'INTERNAL', on: ['features'], next: 1 } });
    const naive = await NaiveProgram.run('cachedFailure', settings());
    expect(naive.outcomes).toEqual(new Array(5).fill(expect.stringContaining('INTERNAL')));

    await server.faults({ fail: { code: 'INTERNAL', on: ['features'], next: 1 } });
    await expect(store.append(stream, NO_STREAM, [newEvent()])).rejects.toThrow(StoreUnavailable);
    expect(await eventually(() => store.append(stream, NO_STREAM, [newEvent()]))).toMatchObject({ revision: 0 });
  });
});

/** Repeats what the store is too unwell for, as the mailbox does; the adapter itself keeps the attempts apart in time. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof StoreUnavailable || error instanceof OutcomeUnknown)) throw error;
      await pause(RETRY_MS);
    }
  }
}
