import { setTimeout as pause } from 'node:timers/promises';
import { EventReader } from '../apps/ledger/src/http/testing/event-reader';
import { bodyOf, type Door, LedgerUnderTest } from './support/ledger-under-test';
import { storedRows } from './support/stored-rows';

/** Many readers of GET /v1/events under load, one of which reads nothing. */

const READERS = 200;
const SECONDS = Number(process.env['READERS_SECONDS'] ?? 60);
const WARM_UP_SECONDS = Math.min(10, SECONDS / 3);
const LINES = 60;
const EVERY_MS = 250;
const USERS = 100;
const MEBIBYTE = 1024 * 1024;
/** What the load itself may leave behind: folded wallets with their keys, the shared window; and pages of two databases. */
const HEAP_GROWTH_MAX = 64 * MEBIBYTE;
const GROWTH_MAX = 128 * MEBIBYTE;
/** Longer than the ledger's own patience with a socket that takes nothing. */
const LATEST_CUT_MS = 30_000;

interface Memory {
  rss: number;
  heap: number;
}

async function memoryOf(door: Door): Promise<Memory> {
  const { text } = await door.ask({ method: 'GET', path: '/metrics' });
  const gauge = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  return { rss: gauge('process_resident_memory_bytes'), heap: gauge('nodejs_heap_size_used_bytes') };
}

/** The least that was held at any look: what the collector had not come to yet does not count. */
const leastOf = (looks: readonly Memory[]): Memory => ({
  rss: Math.min(...looks.map(({ rss }) => rss)),
  heap: Math.min(...looks.map(({ heap }) => heap)),
});

/** The id of each stored event as a reader must get it: the store's mark and the position. */
function idsOf(file: string): string[] {
  const rows = storedRows(file);
  const mark = rows[0]!.id.slice(0, 13);
  return rows.map(({ position, id }) => Buffer.from(`${mark}.${position}.${id.slice(0, 8)}`).toString('base64url'));
}

const shown = ({ rss, heap }: Memory) => `rss ${Math.round(rss / MEBIBYTE)} MiB, heap ${Math.round(heap / MEBIBYTE)} MiB`;

describe(`${READERS} readers of events, one of them stuck, for ${SECONDS} s under load`, () => {
  const ledger = new LedgerUnderTest({ FREE_TOKENS_PER_MONTH: '1000000' });
  const readers: EventReader[] = [];
  afterAll(async () => {
    for (const reader of readers) reader.close();
    await ledger.end();
  });

  it(
    'each of the others sees every event once and in order, and the memory of the service stays flat',
    async () => {
      const door = await ledger.start('readers');
      const token = await door.service.token({ role: 'auditor' });
      /** The first reader to see an event says which one it is; all others must see the same one in its place. */
      const order: string[] = [];
      const faults: string[] = [];
      const counts = new Array<number>(READERS).fill(0);
      const follow = (index: number): EventReader =>
        new EventReader(door.service.url, token, {
          stuck: index === 0,
          parse: false,
          onEvent: ({ id, event }) => {
            const place = counts[index]!;
            counts[index] = place + 1;
            order[place] ??= id;
            if (order[place] !== id && faults.length < 10)
              faults.push(`reader ${index} met ${event} ${id} in place ${place}, not ${order[place]}`);
          },
        });
      for (let index = 0; index < READERS; index += 1) readers.push(follow(index));
      await Promise.all(readers.map(({ opened }) => opened));
      expect(readers.every(({ status }) => status === 200)).toBe(true);

      const looks: Memory[] = [];
      let batches = 0;
      const began = performance.now();
      for (let elapsed = 0; elapsed < SECONDS * 1_000; elapsed = performance.now() - began) {
        const usages = Array.from({ length: LINES }, (_, line) => ({
          key: `${batches}-${line}`,
          userId: `user-${(batches * LINES + line) % USERS}`,
          tokens: 1,
          reference: 'r'.repeat(200),
        }));
        const reply = await door.ask({ method: 'POST', path: '/v1/usages/batch', body: { usages } });
        expect([reply.status, bodyOf(reply)['results'].every(({ status }: { status: number }) => status === 201)]).toEqual([200, true]);
        batches += 1;
        if (elapsed > WARM_UP_SECONDS * 1_000) looks.push(await memoryOf(door));
        await pause(Math.max(0, batches * EVERY_MS - (performance.now() - began)));
      }

      const ids = idsOf(ledger.store);
      const total = ids.length;
      const well = readers.slice(1);
      await Promise.all(
        well.map((reader, index) => reader.until(() => counts[index + 1]! >= total, `reader ${index + 1} is not there`, 20_000)),
      );
      // The first and the last third of the looks.
      const third = Math.ceil(looks.length / 3);
      const before = leastOf(looks.slice(0, third));
      const after = leastOf(looks.slice(-third));
      process.stdout.write(`${total} events to ${READERS} readers: at first ${shown(before)}; at last ${shown(after)}\n`);

      expect(faults).toEqual([]);
      expect(order).toEqual(ids);
      expect([Math.min(...counts.slice(1)), Math.max(...counts.slice(1))]).toEqual([total, total]);
      expect(well.filter(({ closed }) => closed)).toEqual([]);
      expect(after.rss - before.rss).toBeLessThan(GROWTH_MAX);
      expect(after.heap - before.heap).toBeLessThan(HEAP_GROWTH_MAX);

      const { text } = await door.ask({ method: 'GET', path: '/metrics' });
      // What one socket holds before it is full depends on the machine: a short run may not fill it.
      if (SECONDS >= 60) expect(text).toMatch(/ledger_event_readers_cut_total\{reason="STUCK"\} 1/);
      const stopping = performance.now();
      await ledger.stop();
      expect(performance.now() - stopping).toBeLessThan(5_000);
    },
    SECONDS * 1_000 + LATEST_CUT_MS + 60_000,
  );
});
