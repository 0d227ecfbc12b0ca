/** The contract of the event store: what is read, and what followers see. */
import fc from 'fast-check';
import { NO_POSITION, NO_STREAM, type EventStore, type StoredEvent } from '../event-store';
import { ids, newEvent, newEvents, newStream, readAllAfter, followed, type StoreUnderTest, type Current } from './contract-parts';
const LONG_STREAM_EVENTS = 1_000;

export function readingContract(current: () => Current): void {
  let test: StoreUnderTest;
  let store: EventStore;
  let start: bigint;
  beforeEach(() => void ({ test, store, start } = current()));

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

    it('says which event stands at a position, and that none does', async () => {
      const [stream, other] = [newStream(), newStream()];
      await store.append(stream, NO_STREAM, newEvents(3));
      await store.append(other, NO_STREAM, newEvents(2));
      await store.append(stream, 2, [newEvent()]);
      const all = await readAllAfter(store, start);
      expect(all).toHaveLength(6);
      for (const event of all) expect([await store.idAt(event.position), await store.eventAt(event.position)]).toEqual([event.id, event]);
      const head = all.at(-1)!.position;
      const between = all[1]!.position - 1n;
      const none = [NO_POSITION, head + 1n, head + 1_000_000n, ...(between > all[0]!.position ? [between] : [])];
      for (const position of none) expect([await store.idAt(position), await store.eventAt(position)]).toEqual([undefined, undefined]);
      store = await test.reopen();
      expect(await store.idAt(head)).toBe(all.at(-1)!.id);
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
}
