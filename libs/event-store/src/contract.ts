/** The suite that every adapter of the port must pass. It may run on a store that holds events of others. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import {
  AppendTooLarge,
  bytesOf,
  NO_POSITION,
  NO_STREAM,
  StoreClosed,
  WrongExpectedRevision,
  type Appended,
  type EventStore,
  type NewEvent,
  type StoredEvent,
} from './event-store';

export interface StoreUnderTest {
  store: EventStore;
  /** Closes the store and opens the same one again; later calls of `reopen` close what the last one opened. */
  reopen(): Promise<EventStore>;
  /** Another handle on the same store, as another process would have it. */
  openSecond(): Promise<EventStore>;
  dispose(): Promise<void>;
}

const LONG_STREAM_EVENTS = 1_000;

const newStream = (): string => `userWallet-${randomUUID()}`;

const newEvent = (data: unknown = {}): NewEvent => ({
  id: randomUUID(),
  type: 'TokensUsed',
  data: JSON.stringify(data),
  metadata: JSON.stringify({ actor: 'contract' }),
});

const newEvents = (count: number): NewEvent[] => Array.from({ length: count }, (_, n) => newEvent({ n }));

const ids = (events: readonly NewEvent[]): string[] => events.map(({ id }) => id);

/** What became of an append that may be refused. */
async function outcomeOf(append: Promise<Appended>): Promise<Appended | WrongExpectedRevision> {
  try {
    return await append;
  } catch (error) {
    if (error instanceof WrongExpectedRevision) return error;
    throw error;
  }
}

async function readAllAfter(store: EventStore, after: bigint, pageSize = 500): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (let position = after; ;) {
    const page = await store.readAll(position, pageSize);
    expect(page.length).toBeLessThanOrEqual(pageSize);
    const last = page.at(-1);
    if (!last) return events;
    events.push(...page);
    position = last.position;
  }
}

/** Follows until `count` events were seen, and ends the follower by its signal. */
async function followed(store: EventStore, after: bigint, count: number, batchMax = 7): Promise<StoredEvent[]> {
  const seen: StoredEvent[] = [];
  const end = new AbortController();
  for await (const batch of store.follow(after, { batchMax, signal: end.signal })) {
    expect(batch.length).toBeGreaterThan(0);
    expect(batch.length).toBeLessThanOrEqual(batchMax);
    seen.push(...batch);
    if (seen.length >= count) end.abort();
  }
  return seen;
}

export function eventStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of the event store`, () => {
    let test: StoreUnderTest;
    let store: EventStore;
    /** Everything after it was written by the test itself. */
    let start: bigint;

    beforeEach(async () => {
      test = await open();
      store = test.store;
      start = await store.headPosition();
    });

    afterEach(() => test.dispose());

    describe('append', () => {
      it('starts a stream, continues it and gives back what was written, byte for byte', async () => {
        const stream = newStream();
        const [first, second, third] = [newEvent(), newEvent(), newEvent()];
        const one = await store.append(stream, NO_STREAM, [first]);
        const two = await store.append(stream, 0, [second, third]);
        expect([one.revision, two.revision]).toEqual([0, 2]);
        const stored = await store.readStream(stream, 0, 10);
        expect(stored).toEqual([
          { ...first, stream, revision: 0, position: one.position },
          { ...second, stream, revision: 1, position: stored[1]?.position },
          { ...third, stream, revision: 2, position: two.position },
        ]);
      });

      it.each([NO_STREAM, 0, 1, 3, 4, 100])('refuses expected revision %i of a stream at 2, and says where it is', async (expected) => {
        const stream = newStream();
        await store.append(stream, NO_STREAM, newEvents(3));
        const refused = await outcomeOf(store.append(stream, expected, [newEvent()]));
        expect(refused).toBeInstanceOf(WrongExpectedRevision);
        expect(refused).toMatchObject({ stream, expectedRevision: expected, actualRevision: 2 });
        expect(await readAllAfter(store, start)).toHaveLength(3);
      });

      it('refuses an expected revision of a stream that does not exist', async () => {
        const stream = newStream();
        const refused = await outcomeOf(store.append(stream, 0, [newEvent()]));
        expect(refused).toMatchObject({ name: 'WrongExpectedRevision', expectedRevision: 0, actualRevision: NO_STREAM });
        expect(await store.headOf(stream)).toEqual({ revision: NO_STREAM, position: NO_POSITION });
      });

      it('refuses an append without events as a mistake', async () => {
        await expect(store.append(newStream(), NO_STREAM, [])).rejects.toThrow(RangeError);
      });

      it('keeps quotes, newlines, other scripts and ids of 64 characters', async () => {
        const id = `'";--%_*$\\${'x'.repeat(54)}`;
        const stream = `userWallet-${'0123456789abcdefABCDEF.-_~'.repeat(3).slice(0, 64)}`;
        const event: NewEvent = {
          id: randomUUID(),
          type: 'TokensUsed',
          data: '{ "b": "\'\\"\\n\\u0000\\ud800",  "a": "日本 🪙 é \u2028",\n "n": 1.0 }',
          metadata: JSON.stringify({ actor: id, key: "Robert'); drop table events;--" }),
        };
        const { revision, position } = await store.append(stream, (await store.headOf(stream)).revision, [event]);
        expect(await store.readStream(stream, revision, 1)).toEqual([{ ...event, stream, revision, position }]);
      });

      it('keeps numbers, names, spaces and doubled names as they are written: no text is parsed on its way', async () => {
        const stream = newStream();
        const texts = [
          '{"tokens":123456789012345678901234567890,"cost":1e400,"zero":-0,"one":1.0,"small":1E-7}',
          '{"10":1,"9":2,"b":3,"a":4,"a":5}',
          ' \t\r\n[ "\\u00e9", "é", "e\u0301", "\\ud83e\\ude99", "🪙", "\\/" ] ',
          '"9007199254740993"',
          `{"pico":"${'7'.repeat(100)}"}`,
        ];
        const events = texts.map((text) => ({
          ...newEvent(),
          data: text,
          metadata: `{"10":"${text.length}","9":"b", "$correlationId":"x"}`,
        }));
        await store.append(stream, NO_STREAM, events);
        expect(await store.readStream(stream, 0, 10)).toMatchObject(events);
        expect(await readAllAfter(store, start)).toMatchObject(events);
        expect(await followed(store, start, events.length)).toMatchObject(events);
      });

      it('lands at the limit of bytes exactly, and refuses one byte more', async () => {
        const stream = newStream();
        const empty = { ...newEvent(), data: '""' };
        const sized = (bytes: number): NewEvent => ({ ...empty, data: `"${'x'.repeat(bytes - bytesOf(empty))}"` });
        const bytes = store.maxAppendBytes + 1;
        const refused = store.append(stream, NO_STREAM, [sized(bytes)]);
        await expect(refused).rejects.toThrow(AppendTooLarge);
        await expect(refused).rejects.toMatchObject({ bytes, maxAppendBytes: store.maxAppendBytes });
        expect((await store.headOf(stream)).revision).toBe(NO_STREAM);
        const landed = await store.append(stream, NO_STREAM, [sized(store.maxAppendBytes)]);
        expect(landed.revision).toBe(0);
      }, 60_000);
    });

    describe('a repeat of an append', () => {
      it('answers the first result, also after later events and after a restart, and writes nothing', async () => {
        const stream = newStream();
        const events = newEvents(3);
        await store.append(stream, NO_STREAM, [newEvent()]);
        const first = await store.append(stream, 0, events);
        expect(await store.append(stream, 0, events)).toEqual(first);
        for (let revision = first.revision; revision < 303; revision += 100) await store.append(stream, revision, newEvents(100));
        expect(await store.append(stream, 0, events)).toEqual(first);
        store = await test.reopen();
        expect(await store.append(stream, 0, events)).toEqual(first);
        expect(await readAllAfter(store, start)).toHaveLength(304);
      });

      it('is one append when both are under way at once', async () => {
        const stream = newStream();
        const events = newEvents(2);
        const answers = await Promise.all([1, 2, 3].map(() => store.append(stream, NO_STREAM, events)));
        expect(new Set(answers.map(({ position }) => position)).size).toBe(1);
        expect(ids(await readAllAfter(store, start))).toEqual(ids(events));
      });

      it('is refused when its ids are known only in part, or stand in another order', async () => {
        const stream = newStream();
        const [a, b, c] = [newEvent(), newEvent(), newEvent()];
        await store.append(stream, NO_STREAM, [a, b]);
        for (const events of [[a, c], [c, b], [b, a], [a, b, c], [c]]) {
          const refused = await outcomeOf(store.append(stream, NO_STREAM, events));
          expect(refused).toMatchObject({ name: 'WrongExpectedRevision', actualRevision: 1 });
        }
        expect(ids(await readAllAfter(store, start))).toEqual(ids([a, b]));
      });

      it('is another append in another stream', async () => {
        const [one, two] = [newStream(), newStream()];
        const event = newEvent();
        const first = await store.append(one, NO_STREAM, [event]);
        const second = await store.append(two, NO_STREAM, [event]);
        expect(second.position).toBeGreaterThan(first.position);
        expect((await readAllAfter(store, start)).map(({ stream, id }) => [stream, id])).toEqual([
          [one, event.id],
          [two, event.id],
        ]);
      });
    });

    describe('parallel appends', () => {
      it('to one stream at one revision: exactly one wins, the others leave no trace', async () => {
        const stream = newStream();
        const attempts = Array.from({ length: 64 }, () => newEvents(2));
        const outcomes = await Promise.all(attempts.map((events) => outcomeOf(store.append(stream, NO_STREAM, events))));
        const winners = attempts.filter((_, index) => !(outcomes[index] instanceof WrongExpectedRevision));
        expect(winners).toHaveLength(1);
        expect(outcomes.filter((outcome) => outcome instanceof WrongExpectedRevision && outcome.actualRevision === 1)).toHaveLength(63);
        expect(ids(await store.readStream(stream, 0, 100))).toEqual(ids(winners.flat()));
        expect(ids(await readAllAfter(store, start))).toEqual(ids(winners.flat()));
      });

      it('to many streams all land, and a refused neighbour harms none of them', async () => {
        const streams = Array.from({ length: 64 }, newStream);
        const refused = store.append(streams[0]!, 5, [newEvent()]);
        const appended = await Promise.all([
          expect(refused).rejects.toThrow(WrongExpectedRevision),
          ...streams.map((stream) => store.append(stream, NO_STREAM, newEvents(3))),
        ]);
        expect(appended.slice(1)).toEqual(streams.map(() => expect.objectContaining({ revision: 2 }) as Appended));
        expect(await readAllAfter(store, start)).toHaveLength(64 * 3);
      });

      it('of two handles: one that has missed the write of the other is refused, and then finds its place', async () => {
        const second = await test.openSecond();
        const stream = newStream();
        const events = newEvents(6);
        const writers = [store, second];
        for (let n = 0; n < events.length; n++) {
          const [writer, late] = [writers[n % 2]!, writers[(n + 1) % 2]!];
          await writer.append(stream, n - 1, [events[n]!]);
          const refused = await outcomeOf(late.append(stream, n - 1, [newEvent()]));
          expect(refused).toMatchObject({ name: 'WrongExpectedRevision', actualRevision: n });
        }
        expect(ids(await store.readStream(stream, 0, 10))).toEqual(ids(events));
        expect(ids(await readAllAfter(second, start))).toEqual(ids(events));
      });

      it('of two handles: each revision is won once', async () => {
        const second = await test.openSecond();
        const streams = [newStream(), newStream()];
        const won: string[] = [];
        const write = async (handle: EventStore): Promise<void> => {
          for (let n = 0; n < 40; n++) {
            const stream = streams[n % 2]!;
            const event = newEvent();
            const { revision } = await handle.headOf(stream);
            if (!((await outcomeOf(handle.append(stream, revision, [event]))) instanceof WrongExpectedRevision)) won.push(event.id);
          }
        };
        await Promise.all([write(store), write(second), write(store)]);
        expect(ids(await readAllAfter(store, start)).sort()).toEqual(won.sort());
        for (const stream of streams) {
          const stored = await second.readStream(stream, 0, 1_000);
          expect(stored.map(({ revision }) => revision)).toEqual(stored.map((_, index) => index));
        }
      });
    });

    describe('reading', () => {
      it('gives any window of a long stream', async () => {
        const [stream, other] = [newStream(), newStream()];
        const events = newEvents(LONG_STREAM_EVENTS);
        for (let from = 0, size = 1; from < events.length; from += size, size = (size * 3 + 1) % 97) {
          await store.append(stream, from - 1, events.slice(from, from + size));
          await store.append(other, (await store.headOf(other)).revision, [newEvent()]);
        }
        const whole = await store.readStream(stream, 0, 10_000);
        expect(ids(whole)).toEqual(ids(events));
        expect(whole.map(({ revision }) => revision)).toEqual(events.map((_, index) => index));
        const revision = fc.integer({ min: 0, max: LONG_STREAM_EVENTS + 5 });
        const count = fc.oneof(fc.integer({ min: 1, max: 130 }), fc.integer({ min: 1, max: 10_000 }));
        await fc.assert(
          fc.asyncProperty(revision, count, async (from, maxCount) => {
            expect(await store.readStream(stream, from, maxCount)).toEqual(whole.slice(from, from + maxCount));
          }),
          { numRuns: 60 },
        );
      }, 60_000);

      it('finds nothing in a stream that does not exist, nor beyond the end', async () => {
        const stream = newStream();
        expect(await store.readStream(stream, 0, 10)).toEqual([]);
        const { position } = await store.append(stream, NO_STREAM, [newEvent()]);
        expect(await store.readStream(stream, 1, 10)).toEqual([]);
        expect(await store.readStream(stream, 1_000_000, 10)).toEqual([]);
        expect(await store.readAll(position, 10)).toEqual([]);
      });

      it.each([0, -1, 1.5, 10_001])('refuses a page of %d', async (maxCount) => {
        await expect(store.readStream(newStream(), 0, maxCount)).rejects.toThrow(RangeError);
        await expect(store.readAll(start, maxCount)).rejects.toThrow(RangeError);
      });

      it('gives all events in the order of the store, whatever the page', async () => {
        const streams = Array.from({ length: 5 }, newStream);
        const written: string[] = [];
        for (let n = 0; n < 30; n++) {
          const events = newEvents((n % 3) + 1);
          const stream = streams[n % 5]!;
          await store.append(stream, (await store.headOf(stream)).revision, events);
          written.push(...ids(events));
        }
        const all = await readAllAfter(store, start);
        expect(ids(all)).toEqual(written);
        for (let n = 1; n < all.length; n++) expect(all[n]!.position).toBeGreaterThan(all[n - 1]!.position);
        for (const pageSize of [1, 7, 60]) expect(await readAllAfter(store, start, pageSize)).toEqual(all);
        expect(await readAllAfter(store, all[10]!.position)).toEqual(all.slice(11));
        expect(await store.headPosition()).toBe(all.at(-1)!.position);
      });

      it('sees the write of another handle at once', async () => {
        const second = await test.openSecond();
        const stream = newStream();
        for (let n = 0; n < 20; n++) {
          const [writer, reader] = n % 2 === 0 ? [store, second] : [second, store];
          const { revision, position } = await writer.append(stream, n - 1, [newEvent()]);
          expect(await reader.headOf(stream)).toEqual({ revision, position });
          expect(await reader.readStream(stream, n, 1)).toHaveLength(1);
        }
      });

      it('names the store by its first event', async () => {
        expect((await store.mark()) === undefined).toBe(start === NO_POSITION);
        await store.append(newStream(), NO_STREAM, newEvents(2));
        const [first] = await store.readAll(NO_POSITION, 1);
        expect(await store.mark()).toBe(first?.id);
        await store.append(newStream(), NO_STREAM, newEvents(2));
        store = await test.reopen();
        expect(await store.mark()).toBe(first?.id);
      });
    });

    describe('follow', () => {
      it('catches up, then sees what two handles write, each event once and in order', async () => {
        const second = await test.openSecond();
        await store.append(newStream(), NO_STREAM, newEvents(20));
        const seen = [followed(store, start, 100), followed(store, start, 100, 1_000), followed(second, start, 100)];
        const write = async (handle: EventStore): Promise<void> => {
          for (let n = 0; n < 20; n++) await handle.append(newStream(), NO_STREAM, newEvents(2));
        };
        await Promise.all([write(store), write(second)]);
        const all = await readAllAfter(store, start);
        expect(all).toHaveLength(100);
        for (const events of await Promise.all(seen)) expect(events).toEqual(all);
      });

      it('wakes for the single event of another handle', async () => {
        const second = await test.openSecond();
        const seen = followed(store, start, 1);
        const event = newEvent();
        await second.append(newStream(), NO_STREAM, [event]);
        expect(ids(await seen)).toEqual([event.id]);
      });

      it('goes on where it stopped before a restart', async () => {
        await store.append(newStream(), NO_STREAM, newEvents(30));
        const before = await followed(store, start, 10, 5);
        store = await test.reopen();
        const rest = followed(store, before.at(-1)!.position, 40 - before.length, 5);
        await store.append(newStream(), NO_STREAM, newEvents(10));
        expect([...before, ...(await rest)]).toEqual(await readAllAfter(store, start));
      });

      it('starts in the middle, behind the position named', async () => {
        const { position } = await store.append(newStream(), NO_STREAM, newEvents(10));
        const seen = followed(store, position, 3);
        const events = newEvents(3);
        await store.append(newStream(), NO_STREAM, events);
        expect(ids(await seen)).toEqual(ids(events));
      });

      it('reads on only when it is asked', async () => {
        const { position } = await store.append(newStream(), NO_STREAM, newEvents(5));
        const end = new AbortController();
        const follower = store.follow(start, { batchMax: 5, signal: end.signal })[Symbol.asyncIterator]();
        const first: StoredEvent[] = [];
        while (first.length < 5) first.push(...((await follower.next()).value as StoredEvent[]));
        for (let n = 0; n < 5; n++) await store.append(newStream(), NO_STREAM, newEvents(3));
        const seen: StoredEvent[] = [];
        while (seen.length < 15) seen.push(...((await follower.next()).value as StoredEvent[]));
        expect(seen).toEqual(await readAllAfter(store, position));
        end.abort();
        expect(await follower.next()).toEqual({ done: true, value: undefined });
      });

      it('ends when the signal is aborted, before, while it waits, and when its consumer leaves', async () => {
        const waiting = new AbortController();
        const follower = store.follow(start, { batchMax: 5, signal: waiting.signal })[Symbol.asyncIterator]();
        const pending = follower.next();
        await store.headPosition();
        waiting.abort();
        expect((await pending).done).toBe(true);
        const aborted = store.follow(start, { batchMax: 5, signal: AbortSignal.abort() })[Symbol.asyncIterator]();
        expect((await aborted.next()).done).toBe(true);
        await store.append(newStream(), NO_STREAM, newEvents(10));
        for await (const batch of store.follow(start, { batchMax: 5, signal: new AbortController().signal })) {
          expect(batch.length).toBeGreaterThan(0);
          break;
        }
      });

      it('ends when the store is closed', async () => {
        const follower = store.follow(start, { batchMax: 5, signal: new AbortController().signal })[Symbol.asyncIterator]();
        const pending = follower.next();
        await store.headPosition();
        await store.close();
        expect((await pending).done).toBe(true);
      });
    });

    it('answers what was asked before it was closed, and refuses everything after', async () => {
      const stream = newStream();
      const events = newEvents(2);
      const pending = store.append(stream, NO_STREAM, events);
      await Promise.all([store.close(), store.close()]);
      expect((await pending).revision).toBe(1);
      await store.close();
      await expect(store.append(stream, 1, [newEvent()])).rejects.toThrow(StoreClosed);
      await expect(store.readStream(stream, 0, 1)).rejects.toThrow(StoreClosed);
      await expect(store.readAll(start, 1)).rejects.toThrow(StoreClosed);
      await expect(store.headOf(stream)).rejects.toThrow(StoreClosed);
      await expect(store.headPosition()).rejects.toThrow(StoreClosed);
      await expect(store.mark()).rejects.toThrow(StoreClosed);
      store = await test.reopen();
      expect(ids(await readAllAfter(store, start))).toEqual(ids(events));
    });
  });
}
