/** What the parts of the contract share. */
import { randomUUID } from 'node:crypto';
import { type Appended, type EventStore, type NewEvent, type StoredEvent, WrongExpectedRevision } from '../event-store';

export interface StoreUnderTest {
  store: EventStore;
  /** Closes the store and opens the same one again; later calls of `reopen` close what the last one opened. */
  reopen(): Promise<EventStore>;
  /** Another handle on the same store, as another process would have it. */
  openSecond(): Promise<EventStore>;
  dispose(): Promise<void>;
}

/** The store of one test. */
export interface Current {
  test: StoreUnderTest;
  store: EventStore;
  /** Everything after it was written by the test itself. */
  start: bigint;
}

export const newStream = (): string => `userWallet-${randomUUID()}`;

export const newEvent = (data: unknown = {}): NewEvent => ({
  id: randomUUID(),
  type: 'TokensUsed',
  data: JSON.stringify(data),
  metadata: JSON.stringify({ actor: 'contract' }),
});

export const newEvents = (count: number): NewEvent[] => Array.from({ length: count }, (_, n) => newEvent({ n }));

export const ids = (events: readonly NewEvent[]): string[] => events.map(({ id }) => id);

/** What became of an append that may be refused. */
export async function outcomeOf(append: Promise<Appended>): Promise<Appended | WrongExpectedRevision> {
  try {
    return await append;
  } catch (error) {
    if (error instanceof WrongExpectedRevision) return error;
    throw error;
  }
}

export async function readAllAfter(store: EventStore, after: bigint, pageSize = 500): Promise<StoredEvent[]> {
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
export async function followed(store: EventStore, after: bigint, count: number, batchMax = 7): Promise<StoredEvent[]> {
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
