import type { StoredEvent } from '@ledger/event-store';
import { Batches, type BatchLimits } from './batches';
import type { Mapped } from './mapping';

const event = (position: number, stream = 'userWallet-u'): StoredEvent => ({
  ...{ id: `e${position}`, type: 'TokensUsed', data: '{}', metadata: '{}' },
  ...{ stream, revision: position, position: BigInt(position) },
});
const made = ({ id, stream }: StoredEvent, bytes = 100): Mapped => ({
  event: { key: stream, value: id, headers: {} },
  balance: { key: stream, value: id, headers: {} },
  bytes,
  skipped: false,
});
const LIMITS: BatchLimits = { events: 3, bytes: 1_000, lingerMs: 0 };

/** Pages as a store gives them, and how many events were asked for so far. */
function pages(counts: readonly number[]): { pages: AsyncIterable<StoredEvent[]>; read: () => number } {
  let next = 0;
  async function* all() {
    for (const count of counts) yield Array.from({ length: count }, () => event(next++));
  }
  return { pages: all(), read: () => next };
}

async function drained(batches: Batches): Promise<string[][]> {
  const all: string[][] = [];
  for (;;) {
    const batch = await batches.next(1_000);
    if (!batch) return all;
    all.push(batch.events.map(({ value }) => value));
  }
}

describe('batches', () => {
  it('are of at most so many events, in order, without losing one', async () => {
    const batches = new Batches(pages([2, 5, 1]).pages, (stored) => made(stored), { ...LIMITS, lingerMs: 10_000 });
    expect(await drained(batches)).toEqual([['e0', 'e1', 'e2'], ['e3', 'e4', 'e5'], ['e6', 'e7']]); // prettier-ignore
  });

  it('are of at most so many bytes, but hold a single event of any size', async () => {
    const sizes = [400, 600, 1, 5_000, 1_000];
    const batches = new Batches(pages([5]).pages, (stored) => made(stored, sizes[stored.revision]), { ...LIMITS, events: 10 });
    expect(await drained(batches)).toEqual([['e0', 'e1'], ['e2'], ['e3'], ['e4']]);
  });

  it('hold the last balance of each wallet alone', async () => {
    async function* one() {
      yield [event(0, 'userWallet-a'), event(1, 'userWallet-b'), event(2, 'userWallet-a')];
    }
    const batch = await new Batches(one(), (stored) => made(stored), LIMITS).next(1_000);
    expect(batch?.balances.map(({ value }) => value)).toEqual(['e2', 'e1']);
  });

  it('are read ahead, but not far', async () => {
    const source = pages(Array.from({ length: 100 }, () => 3));
    const batches = new Batches(source.pages, (stored) => made(stored), LIMITS);
    await batches.next(1_000);
    for (let turns = 0; turns < 100; turns++) await new Promise(setImmediate);
    // One taken, two that wait, one page that the reader holds.
    expect(source.read()).toBeLessThanOrEqual(4 * 3);
    expect((await drained(batches)).flat()).toHaveLength(297);
  });

  it('give what came before a failure, and then the failure', async () => {
    const map = (stored: StoredEvent): Mapped => {
      if (stored.revision === 4) throw new Error('poison');
      return made(stored);
    };
    const batches = new Batches(pages([6]).pages, map, { ...LIMITS, lingerMs: 10_000 });
    expect((await batches.next(1_000))?.events).toHaveLength(3);
    expect((await batches.next(1_000))?.events).toHaveLength(1);
    await expect(batches.next(1_000)).rejects.toThrow('poison');
  });

  it('say after the pause that there is nothing', async () => {
    async function* never() {
      await new Promise(() => undefined);
      yield [];
    }
    const batches = new Batches(never(), (stored) => made(stored), LIMITS);
    expect(await batches.next(1)).toBeUndefined();
    expect(batches.over).toBe(false);
  });

  it('are dropped when nobody wants them any more', async () => {
    const source = pages(Array.from({ length: 100 }, () => 3));
    const batches = new Batches(source.pages, (stored) => made(stored), LIMITS);
    await batches.next(1_000);
    batches.drop();
    expect(await batches.next(1_000)).toBeUndefined();
    expect(source.read()).toBeLessThan(100);
  });
});
