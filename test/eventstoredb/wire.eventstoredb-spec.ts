/**
 * What the adapter builds on, asked of the server by the raw client. On the test server it shows that it speaks the protocol;
 * with EVENTSTOREDB_URL it shows whether a real server keeps the same rules.
 */
import { randomUUID } from 'node:crypto';
import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  FORWARDS,
  jsonEvent,
  streamNameFilter,
  type AllStreamSubscription,
  type EventData,
  type Position,
  type ResolvedEvent,
} from '@eventstore/db-client';
import { anyServer, type AnyServer } from './real-server';

/** Starting a server on a busy machine takes seconds. */
jest.setTimeout(60_000);

const event = (data: Record<string, unknown> = {}): EventData =>
  jsonEvent({ id: randomUUID(), type: 'TokensUsed', data, metadata: { actor: 'wire' } });
const events = (count: number): EventData[] => Array.from({ length: count }, (_, n) => event({ n }));

describe('a server of EventStoreDB', () => {
  let server: AnyServer;
  let client: EventStoreDBClient;
  let stream: string;

  beforeAll(async () => {
    server = await anyServer({ systemEventEvery: 3 });
    client = EventStoreDBClient.connectionString(server.url);
  });

  afterAll(async () => {
    await client?.dispose();
    await server?.stop();
  });

  beforeEach(() => {
    stream = `wire-${randomUUID()}`;
  });

  const write = (data: EventData | EventData[], expectedRevision: bigint | 'any' | 'no_stream' | 'stream_exists', name = stream) =>
    client.appendToStream(name, data, { expectedRevision });

  async function read(options: { from?: bigint; backwards?: boolean; maxCount?: number } = {}): Promise<ResolvedEvent[]> {
    const { from, backwards = false, maxCount = 1_000 } = options;
    const reading = client.readStream(stream, {
      direction: backwards ? BACKWARDS : FORWARDS,
      ...(from !== undefined && { fromRevision: from }),
      ...(from === undefined && backwards && { fromRevision: END }),
      maxCount,
    });
    const seen: ResolvedEvent[] = [];
    for await (const resolved of reading) seen.push(resolved);
    return seen;
  }

  const revisions = (seen: ResolvedEvent[]) => seen.map((resolved) => Number(resolved.event?.revision));

  describe('asked to append', () => {
    it('starts and continues a stream, and says the revision and position of the last event', async () => {
      const first = await write(events(2), 'no_stream');
      const second = await write(event(), 1n);
      expect([first.nextExpectedRevision, second.nextExpectedRevision]).toEqual([1n, 2n]);
      const stored = await read();
      expect(stored.map((resolved) => resolved.event?.position?.commit)).toEqual([
        expect.any(BigInt),
        first.position?.commit,
        second.position?.commit,
      ]);
      expect(first.position?.commit).toBe(first.position?.prepare);
      expect(second.position!.commit).toBeGreaterThan(first.position!.commit + 1n);
    });

    it.each([
      [0n, 2n],
      [3n, 2n],
      ['no_stream' as const, 2n],
    ])('refuses expected revision %s of a stream at %s, and names both', async (expectedRevision, actualVersion) => {
      await write(events(3), 'no_stream');
      await expect(write(event(), expectedRevision)).rejects.toMatchObject({
        type: 'wrong-expected-version',
        streamName: stream,
        expectedVersion: expectedRevision,
        actualVersion,
      });
    });

    it('refuses a revision of a stream that is not there', async () => {
      const refused = { type: 'wrong-expected-version', actualVersion: 'no_stream' };
      await expect(write(event(), 0n)).rejects.toMatchObject(refused);
      await expect(write(event(), 'stream_exists')).rejects.toMatchObject(refused);
    });

    it('answers a repeat with an exact revision by the first result', async () => {
      const repeated = events(2);
      await write(event(), 'no_stream');
      const first = await write(repeated, 0n);
      await write(events(50), 2n);
      expect(await write(repeated, 0n)).toEqual(first);
      expect(await read()).toHaveLength(53);
    });

    it('answers a repeat of the first append of a stream', async () => {
      const repeated = events(3);
      const first = await write(repeated, 'no_stream');
      expect(await write(repeated, 'no_stream')).toEqual(first);
      expect(await read()).toHaveLength(3);
    });

    it('refuses a repeat that is known only in part', async () => {
      const [a, b] = [event(), event()];
      await write([a, b], 'no_stream');
      for (const half of [
        [a, event()],
        [event(), b],
        [b, a],
        [a, b, event()],
      ])
        await expect(write(half, 'no_stream')).rejects.toMatchObject({ type: 'wrong-expected-version', actualVersion: 1n });
      expect(await read()).toHaveLength(2);
    });

    it('stores an id a second time when it is appended at the head: the trap of retries that read the revision again', async () => {
      const repeated = event();
      await write(repeated, 'no_stream');
      expect((await write(repeated, 0n)).nextExpectedRevision).toBe(1n);
    });

    it('stores an id again in another stream', async () => {
      const repeated = event();
      await write(repeated, 'no_stream');
      const other = await write(repeated, 'no_stream', `${stream}-other`);
      expect(other.nextExpectedRevision).toBe(0n);
    });

    it('knows recent ids with any revision', async () => {
      const repeated = event();
      const first = await write(repeated, 'any');
      await write(event(), 'any');
      expect(await write(repeated, 'any')).toEqual(first);
    });

    it('takes the other way in, one call per append, by the same rules', async () => {
      const credentials = { username: 'admin', password: 'changeit' };
      const repeated = event();
      const first = await client.appendToStream(stream, repeated, { expectedRevision: 'no_stream', credentials });
      expect(await client.appendToStream(stream, repeated, { expectedRevision: 'no_stream', credentials })).toEqual(first);
      await expect(client.appendToStream(stream, event(), { expectedRevision: 7n, credentials })).rejects.toMatchObject({
        type: 'wrong-expected-version',
        expectedVersion: 7n,
        actualVersion: 0n,
      });
    });

    it('lets parallel appends at one revision win once', async () => {
      const outcomes = await Promise.allSettled(Array.from({ length: 32 }, () => write(events(2), 'no_stream')));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await read()).toHaveLength(2);
    });
  });

  describe('asked to read', () => {
    beforeEach(() => write(events(10), 'no_stream'));

    it('goes forwards from a revision and backwards from the end, both inclusive, and ends at what was asked for', async () => {
      expect(revisions(await read({ from: 7n }))).toEqual([7, 8, 9]);
      expect(revisions(await read({ from: 2n, maxCount: 2 }))).toEqual([2, 3]);
      expect(revisions(await read({ backwards: true, maxCount: 2 }))).toEqual([9, 8]);
      expect(revisions(await read({ backwards: true, from: 1n }))).toEqual([1, 0]);
      expect(await read({ from: 10n })).toEqual([]);
    });

    it('says that a stream is not there', async () => {
      stream = `wire-none-${randomUUID()}`;
      await expect(read()).rejects.toMatchObject({ type: 'stream-not-found', streamName: stream });
    });

    it('hides what was deleted, and counts on', async () => {
      await client.deleteStream(stream);
      await expect(read()).rejects.toMatchObject({ type: 'stream-not-found' });
      expect((await write(event(), 'no_stream')).nextExpectedRevision).toBe(10n);
      expect(revisions(await read())).toEqual([10]);
    });

    it('gives all streams in the order of the log, forwards inclusive and backwards exclusive', async () => {
      const [first, second] = (await read()).map((resolved) => resolved.event!.position!);
      const forwards = await all({ fromPosition: first!, maxCount: 1 });
      expect(forwards[0]?.event?.revision).toBe(0n);
      const backwards = await all({ direction: BACKWARDS, fromPosition: second!, maxCount: 1 });
      expect(backwards[0]?.event).toMatchObject({ revision: 0n, streamId: stream });
    });

    it('refuses a position that is no boundary of its log', async () => {
      const [first] = await read();
      const inside = first!.event!.position!.commit + 1n;
      await expect(all({ fromPosition: { commit: inside, prepare: inside }, maxCount: 1 })).rejects.toThrow(/position/i);
    });
  });

  async function all(options: Parameters<EventStoreDBClient['readAll']>[0]): Promise<ResolvedEvent[]> {
    const seen: ResolvedEvent[] = [];
    for await (const resolved of client.readAll(options)) seen.push(resolved);
    return seen;
  }

  describe('asked to subscribe', () => {
    /** Filtered to this test's streams. */
    const subscribe = (fromPosition: Position, checkpoints: Position[] = []): AllStreamSubscription =>
      client.subscribeToAll({
        fromPosition,
        filter: streamNameFilter({
          prefixes: [stream],
          maxSearchWindow: 8,
          checkpointReached: async (_, position) => void checkpoints.push(position),
        }),
      });

    async function collect(subscription: AllStreamSubscription, count: number): Promise<ResolvedEvent[]> {
      const seen: ResolvedEvent[] = [];
      try {
        for await (const resolved of subscription) {
          seen.push(resolved);
          if (seen.length === count) return seen;
        }
      } finally {
        await subscription.unsubscribe();
      }
      return seen;
    }

    it('starts behind the position, says when it has caught up, and goes on with what is written', async () => {
      const { position } = await write(events(1), 'no_stream');
      await write(events(40), 0n);
      const subscription = subscribe(position!);
      const told: string[] = [];
      for (const name of ['confirmation', 'caughtUp'] as const) subscription.on(name, () => told.push(name));
      subscription.once('caughtUp', () => void write(events(2), 40n));
      expect(revisions(await collect(subscription, 42))).toEqual(Array.from({ length: 42 }, (_, n) => n + 1));
      expect(told.slice(0, 2)).toEqual(['confirmation', 'caughtUp']);
    });

    it('tells how far it looked where nothing matches', async () => {
      const { position } = await write(event(), 'no_stream');
      const checkpoints: Position[] = [];
      const subscription = subscribe(position!, checkpoints);
      subscription.once('caughtUp', () => {
        void (async () => {
          await write(events(20), 'no_stream', `somebodyElse-${stream}`);
          await write(event(), 0n);
        })();
      });
      await collect(subscription, 1);
      expect(checkpoints.length).toBeGreaterThanOrEqual(2);
      expect(checkpoints.at(-1)!.commit).toBeGreaterThan(position!.commit);
    });
  });
});
