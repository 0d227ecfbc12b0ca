import { setImmediate as othersFirst } from 'node:timers/promises';
import { type EventStore, NO_POSITION, type StoredEvent } from '@ledger/event-store';
import { EVENT_TYPES, eventOf, instantOf, type StoredFact, type WalletEvent } from '@ledger/wallet';
import { CouldNotRun } from '../cli/command';

/** Events read at once; what is held of the store at any moment. */
const PAGE = 1_000;

/** Every event up to the head that the store has when the reading begins, in its order, page by page. */
export async function* allEvents(store: EventStore): AsyncGenerator<StoredEvent[]> {
  const head = await store.headPosition();
  for (let after = NO_POSITION; after < head;) {
    const page = await store.readAll(after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    // What was written meanwhile belongs to the next reading.
    // A file is read without a pause, and that whoever reads the answer has gone is heard between its pages.
    await othersFirst();
    yield last.position > head ? page.filter(({ position }) => position <= head) : page;
    after = last.position;
  }
}

/** Events of one stream from a revision on, up to another (inclusive) or to its end, page by page. */
export async function* streamEvents(store: EventStore, stream: string, from = 0, to = Infinity): AsyncGenerator<StoredEvent[]> {
  for (let next = from; next <= to;) {
    const page = await store.readStream(stream, next, Math.min(PAGE, to - next + 1));
    if (page.length === 0) return;
    yield page;
    next = (page.at(-1)?.revision ?? to) + 1;
    if (page.length < PAGE) return;
  }
}

/** One event of a stream. */
export async function eventAt(store: EventStore, stream: string, revision: number): Promise<StoredEvent | undefined> {
  return (await store.readStream(stream, revision, 1))[0];
}

const KNOWN: ReadonlySet<string> = new Set(EVENT_TYPES);

/** What an event says; undefined when somebody has changed it into something else. */
export function knownFact(stored: StoredFact): WalletEvent | undefined {
  try {
    const event = eventOf(stored);
    return KNOWN.has(stored.type) && typeof event.data.at === 'string' ? event : undefined;
  } catch (error) {
    if (!isOfData(error)) throw error;
    return undefined;
  }
}

/** What an event says. @throws CouldNotRun when somebody has changed it into something else */
export function factOf(stored: StoredEvent): WalletEvent {
  const event = knownFact(stored);
  if (event === undefined) throw noEvent(stored);
  return event;
}

/** The same, of an event whose instant is one: a day is made of it. @throws CouldNotRun */
export function datedFact(stored: StoredEvent): WalletEvent {
  const event = factOf(stored);
  if (instantOf(event.data.at) === undefined) throw noEvent(stored);
  return event;
}

/** Makes use of an event. @throws CouldNotRun when somebody has changed it so that nobody can */
export function using<T>(stored: StoredEvent, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw isOfData(error) ? noEvent(stored) : error;
  }
}

/** Whether an error is what data of another shape lead to: a field that is missing, a number that is none, a text that is no JSON. */
export const isOfData = (error: unknown): error is Error =>
  error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;

export const noEvent = ({ stream, revision, id }: StoredEvent): CouldNotRun =>
  new CouldNotRun(`${stream} revision ${revision} (event ${id}) is no event of a ledger; "verify" says what is wrong with it.`);
