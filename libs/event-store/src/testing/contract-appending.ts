/** The contract of the event store: what becomes of an append. */
import { randomUUID } from 'node:crypto';
import {
  AppendTooLarge,
  bytesOf,
  NO_POSITION,
  NO_STREAM,
  WrongExpectedRevision,
  type Appended,
  type EventStore,
  type NewEvent,
} from '../event-store';
import {
  ids,
  newEvent,
  newEvents,
  newStream,
  outcomeOf,
  readAllAfter,
  followed,
  type StoreUnderTest,
  type Current,
} from './contract-parts';
export function appendingContract(current: () => Current): void {
  let test: StoreUnderTest;
  let store: EventStore;
  let start: bigint;
  beforeEach(() => void ({ test, store, start } = current()));

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
}
