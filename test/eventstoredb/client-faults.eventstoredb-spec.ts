/** Each fault of the test server: what it does to a program that uses the client library as it comes, and what the adapter makes of it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  NO_POSITION,
  NO_STREAM,
  OutcomeUnknown,
  StoreUnavailable,
  type Appended,
  type EventStore,
  type NewEvent,
} from '../../libs/event-store/src/event-store';
import { EventStoreDbEventStore } from '../../libs/event-store/src/eventstoredb/event-store-db-event-store';
import { readLog } from '../eventstoredb-server/log-file';
import { EXPECTS_TO_HANG_MS, type NaiveName } from './naive/scenario';
import { newEvent } from '../../libs/event-store/src/testing/contract-parts';
import { NaiveProgram } from './naive-program';
import { describeOnTestServer } from './real-server';
import { ServerUnderTest } from './server-under-test';

/** Each test starts processes of its own, and a naive program waits for seconds before it says that it hangs. */
jest.setTimeout(60_000);
/** Between two attempts; without it a test would take the processor from the server it waits for. */
const RETRY_MS = 10;

describeOnTestServer('a fault of the server', () => {
  let server: ServerUnderTest;
  let store: EventStore;
  let stream: string;

  beforeEach(async () => {
    server = await ServerUnderTest.start({ nodes: 2 });
    stream = `userWallet-fault-${randomUUID()}`;
    store = EventStoreDbEventStore.open(server.url());
  });
  afterEach(async () => {
    await store?.close();
    await server?.stop();
  });

  /** A direct connection to the first node. */
  const direct = () => server.url({ nodes: [server.addresses[0]!] });
  /** By the server's own file. */
  const stored = (): string[] =>
    readLog(server.data)
      .filter((event) => event.stream === stream)
      .map(({ id }) => id);

  /** The naive program has appended or read once, then the fault comes, then it goes on. */
  async function naive(name: NaiveName, fault: () => Promise<unknown> | void, more: { patienceMs?: number } = {}) {
    const program = NaiveProgram.start(name, { url: direct(), stream, ...more });
    await program.says('ready');
    await fault();
    program.goOn();
    return program.report();
  }

  /** Repeats the same ids at the same revision for as long as the store does not know or is away, as the mailbox does. */
  async function appended(expectedRevision: number, events: NewEvent[]): Promise<{ result: Appended; troubles: Error[] }> {
    const troubles: Error[] = [];
    for (;;) {
      try {
        return { result: await store.append(stream, expectedRevision, events), troubles };
      } catch (error) {
        if (!(error instanceof OutcomeUnknown || error instanceof StoreUnavailable)) throw error;
        troubles.push(error);
        await pause(RETRY_MS);
      }
    }
  }

  describe('the append is committed and its answer is lost', () => {
    it('a retry at the revision that was read again stores the event twice; the same attempt again does not', async () => {
      const report = await naive('retryWithRevisionReadAgain', () => server.faults({ loseReplies: { how: 'drop', next: 1 } }));
      expect(report.outcomes).toEqual([expect.stringContaining('unavailable'), 'written at 2']);
      const [, once, twice] = stored();
      expect(twice).toBe(once);

      const event = newEvent();
      await server.faults({ loseReplies: { how: 'drop', next: 1 } });
      const { result, troubles } = await appended(2, [event]);
      expect(troubles[0]).toBeInstanceOf(OutcomeUnknown);
      expect(result.revision).toBe(3);
      expect(stored().slice(3)).toEqual([event.id]);
    });

    it('a retry as a new event charges twice, also when the server only says that it timed out; the same attempt again does not', async () => {
      const program = NaiveProgram.start('retryAsNew', { url: direct(), stream });
      await program.says('ready');
      await server.faults({ loseReplies: { how: 'timeout', next: 1 } });
      program.goOn();
      program.goOn();
      expect((await program.report()).outcomes).toEqual([expect.stringContaining('deadline-exceeded'), 'written at 2']);
      expect(stored()).toHaveLength(3);

      await server.faults({ loseReplies: { how: 'timeout', next: 2 } });
      const event = newEvent();
      const { result, troubles } = await appended(2, [event]);
      expect(troubles.map(({ name }) => name)).toEqual(['OutcomeUnknown', 'OutcomeUnknown']);
      expect(result.revision).toBe(3);
      expect(stored().slice(3)).toEqual([event.id]);
    });

    it('at random, a thousand appends at 32 in flight are each there once', async () => {
      await store.append(stream, NO_STREAM, [newEvent()]);
      await server.faults({ loseReplies: { how: 'drop', probability: 0.01 }, seed: 7 });
      const wallets = Array.from({ length: 32 }, (_, n) => `${stream}-${n}`);
      const wanted = await Promise.all(
        wallets.map(async (wallet) => {
          const ids: string[] = [];
          for (let revision = NO_STREAM; revision < 31; revision += 1) {
            const event = newEvent();
            ids.push(event.id);
            await untilWritten(() => store.append(wallet, revision, [event]));
          }
          return [wallet, ids] as const;
        }),
      );
      const log = readLog(server.data);
      for (const [wallet, ids] of wanted) expect(log.filter((event) => event.stream === wallet).map(({ id }) => id)).toEqual(ids);
    });
  });

  it('the append lands late: the caller who decides again charges twice, the same attempt again is one event', async () => {
    const late = { lateAppends: { how: 'drop', ms: 500, next: 1 } } as const;
    const program = NaiveProgram.start('retryAsNew', { url: direct(), stream });
    await program.says('ready');
    await server.faults(late);
    program.goOn();
    await until(() => stored().length === 3);
    program.goOn();
    expect((await program.report()).outcomes).toEqual([expect.stringContaining('unavailable'), expect.stringMatching(/^written at [12]$/)]);

    const event = newEvent();
    await server.faults(late);
    const { result, troubles } = await appended(2, [event]);
    expect(troubles[0]).toBeInstanceOf(OutcomeUnknown);
    expect(result.revision).toBe(3);
    // When one that was sent later, is later still and is not repeated is there, the late one has had its time.
    await server.faults({ lateAppends: { how: 'drop', ms: 600, next: 1 } });
    const later = newEvent();
    await expect(store.append(`${stream}-later`, NO_STREAM, [later])).rejects.toThrow(OutcomeUnknown);
    await until(() => readLog(server.data).some(({ id }) => id === later.id));
    expect(stored().filter((id) => id === event.id)).toHaveLength(1);
  });

  it.each<[string, string]>([
    ['UNAVAILABLE', 'unavailable'],
    ['NOT_READY', 'unknown: Could not recognize Server Is Not Ready'],
    ['BUSY', 'unknown: Could not recognize Server Is Busy'],
    ['INTERNAL', 'unknown'],
    ['RESOURCE_EXHAUSTED', 'unknown'],
  ])(
    '%s: the naive append fails; the adapter says the outcome or that nothing was written, and recovers by itself',
    async (code, sentence) => {
      const report = await naive('appendOnce', () => server.faults({ fail: { code, on: ['append'], next: 1 } }));
      expect(report.outcomes).toEqual([expect.stringContaining(sentence)]);

      await server.faults({ fail: { code, on: ['append'], next: 3 } });
      const { result, troubles } = await appended(0, [newEvent()]);
      expect(troubles.length).toBeGreaterThan(0);
      expect(result.revision).toBe(1);
      await server.faults({ fail: { code, on: ['read'], next: 1 } });
      await untilWritten(() => store.headOf(stream));
      expect(stored()).toHaveLength(2);
    },
  );

  it('another node leads: the naive call fails; the adapter goes to the leader that it is told of', async () => {
    await store.append(stream, NO_STREAM, [newEvent()]);
    const report = await naive('readOnce', () => server.moveLeader(1));
    expect(report.outcomes).toEqual(['read', expect.stringContaining('not-leader')]);

    const follower = EventStoreDbEventStore.open(direct());
    expect((await untilWritten(() => follower.headOf(stream))).revision).toBe(0);
    expect((await untilWritten(() => follower.append(stream, 0, [newEvent()]))).revision).toBe(1);
    await follower.close();
    expect((await untilWritten(() => store.append(stream, 1, [newEvent()]))).revision).toBe(2);
    await server.moveLeader(0);
    expect((await untilWritten(() => store.append(stream, 2, [newEvent()]))).revision).toBe(3);
    expect((await untilWritten(() => store.headOf(stream))).revision).toBe(3);
  });

  it('silence: the naive read and append wait for ever; the adapter gives up in time, and the attempt is repeated', async () => {
    const hanging = { patienceMs: EXPECTS_TO_HANG_MS };
    const append = await naive('appendOnce', () => server.faults({ silent: { on: ['append'] } }), hanging);
    expect(append).toMatchObject({ hangs: true, outcomes: [] });
    await server.clearFaults();
    expect(await naive('readOnce', () => server.faults({ silent: { on: ['read'] } }), hanging)).toMatchObject({ hangs: true });

    await expect(store.headOf(stream)).rejects.toThrow(StoreUnavailable);
    await server.faults({ silent: { on: ['append'], next: 1 } });
    const { result, troubles } = await appended(0, [newEvent()]);
    expect(troubles[0]).toBeInstanceOf(OutcomeUnknown);
    expect(result.revision).toBe(1);
  });

  it('slowness: everything is answered, in order and once', async () => {
    await server.faults({ slow: { ms: 300 } });
    const results = await Promise.all([0, 1, 2].map((n) => store.append(`${stream}-${n}`, NO_STREAM, [newEvent()])));
    expect(results.map(({ revision }) => revision)).toEqual([0, 0, 0]);
    expect(await store.readStream(`${stream}-1`, 0, 10)).toHaveLength(1);
  });

  it('a clock that differs: the naive append is refused; the adapter does not depend on it', async () => {
    const report = await naive('appendOnce', () => server.faults({ clockAheadMs: 30_000 }));
    expect(report.outcomes).toEqual([expect.stringContaining('deadline-exceeded')]);
    expect((await store.append(stream, 0, [newEvent()])).revision).toBe(1);
  });

  describe('the subscription ends', () => {
    const COUNT = 40;

    /** Appends `COUNT` events, with the fault in the middle, and answers what a follower saw that was there before. */
    async function followed(fault: () => Promise<unknown>): Promise<string[]> {
      const ids: string[] = [];
      const seen: string[] = [];
      const end = new AbortController();
      const following = (async () => {
        for await (const batch of store.follow(NO_POSITION, { batchMax: 5, signal: end.signal })) {
          seen.push(...batch.filter((event) => event.stream === stream).map(({ id }) => id));
          if (seen.length >= COUNT) end.abort();
        }
      })();
      for (let revision = NO_STREAM; revision < COUNT - 1; revision += 1) {
        const event = newEvent();
        ids.push(event.id);
        await untilWritten(() => store.append(stream, revision, [event]));
        if (revision === COUNT / 2) await fault();
      }
      await following;
      expect(seen).toEqual(ids);
      return seen;
    }

    it.each<[string, () => Promise<unknown>, string]>([
      ['dropped by the server', () => server.dropSubscriptions('UNAVAILABLE'), 'unavailable'],
      ['the connection is cut', () => server.dropConnections(), 'unavailable'],
      ['SIGTERM, which answers CANCELLED', () => server.terminate(), 'cancelled'],
      ['SIGKILL', () => server.kill(), 'unavailable'],
    ])(
      '%s: the naive subscription is over; the adapter goes on behind the last event, none lost and none doubled',
      async (_, fault, sentence) => {
        const program = NaiveProgram.start('subscribeOnce', { url: direct(), stream });
        await program.says('ready');
        await fault();
        program.goOn();
        expect((await program.report()).outcomes).toEqual([expect.stringContaining(sentence)]);
        await server.restart();

        await followed(async () => {
          await fault();
          // One that is down comes back on the same log and ports.
          if (!(await isUp(server))) await server.restart();
        });
      },
    );

    it('a foreign event at the end of the log does not hold up the one before it', async () => {
      await store.append(stream, NO_STREAM, [newEvent()]);
      await server.foreignEvent();
      await server.foreignEvent({ stream: 'somebodyElse-1' });
      const seen: number[] = [];
      const end = new AbortController();
      for await (const batch of store.follow(NO_POSITION, { batchMax: 5, signal: end.signal })) {
        seen.push(...batch.map(({ revision }) => revision));
        end.abort();
      }
      expect(seen).toEqual([0]);
    });
  });

  it('a wrong user: the naive call is refused; the adapter says so and names no password', async () => {
    const closed = await ServerUnderTest.start({ tls: true, users: ['admin:changeit'] });
    const open = (user: string) => EventStoreDbEventStore.open(closed.url({ user }));
    try {
      const [wrong, right] = [open('admin:letmein'), open('admin:changeit')];
      const refused = wrong.append(stream, NO_STREAM, [newEvent()]);
      await expect(refused).rejects.toThrow(StoreUnavailable);
      await expect(refused).rejects.not.toThrow(/letmein/);
      expect((await right.append(stream, NO_STREAM, [newEvent()])).revision).toBe(0);
      expect((await right.readAll(NO_POSITION, 10)).map((event) => event.stream)).toEqual([stream]);
      await Promise.all([wrong.close(), right.close()]);
    } finally {
      await closed.stop();
    }
  });
});

const isUp = (server: ServerUnderTest): Promise<boolean> =>
  server.state().then(
    () => true,
    () => false,
  );

/** What the file holds is a fact that comes by itself. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(RETRY_MS);
}

async function untilWritten<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof OutcomeUnknown || error instanceof StoreUnavailable)) throw error;
      await pause(RETRY_MS);
    }
  }
}
