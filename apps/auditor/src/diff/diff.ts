import type { EventStore, StoredEvent } from '@ledger/event-store';
import { CouldNotRun } from '../cli/command';
import { streamEvents } from '../replay/facts';
import { digestsOf, type StreamDigest } from './stream-digests';

/** Fields of an event in which two stores can differ. */
const FIELDS = ['revision', 'type', 'data', 'metadata', 'id'] as const;
export type Field = (typeof FIELDS)[number];

/** How one stream differs between the first store and the second. */
export type Difference =
  | { stream: string; kind: 'onlyInFirst' | 'onlyInSecond'; events: number }
  /** One store has all that the other has, and more. */
  | { stream: string; kind: 'longerInFirst' | 'longerInSecond'; common: number; more: number }
  | { stream: string; kind: 'different'; revision: number; fields: Field[]; first: StoredEvent; second: StoredEvent };

export interface Compared {
  streams: number;
  events: number;
  /** Differences found so far, told as they are found. */
  differences: number;
}

/** Compares two stores stream by stream, in the order of their names. Both are read as they are when it begins. */
export async function diff(first: EventStore, second: EventStore, told: (difference: Difference) => void): Promise<Compared> {
  const [left, right] = [await digestsOf(first), await digestsOf(second)];
  const names = [...new Set([...left.keys(), ...right.keys()])].sort();
  const compared: Compared = { streams: names.length, events: 0, differences: 0 };
  for (const stream of names) {
    const [a, b] = [left.get(stream), right.get(stream)];
    compared.events += Math.max(a?.events ?? 0, b?.events ?? 0);
    const difference = await differenceOf(stream, first, second, a, b);
    if (difference === undefined) continue;
    compared.differences += 1;
    told(difference);
  }
  return compared;
}

async function differenceOf(
  stream: string,
  first: EventStore,
  second: EventStore,
  a: StreamDigest | undefined,
  b: StreamDigest | undefined,
): Promise<Difference | undefined> {
  if (!b) return { stream, kind: 'onlyInFirst', events: a?.events ?? 0 };
  if (!a) return { stream, kind: 'onlyInSecond', events: b.events };
  if (a.events === b.events && a.digest.equals(b.digest)) return undefined;
  const common = Math.min(a.events, b.events);
  const different = await firstDifferent(stream, first, second, common);
  if (different) return different;
  const more = Math.max(a.events, b.events) - common;
  return { stream, kind: a.events > b.events ? 'longerInFirst' : 'longerInSecond', common, more };
}

/** Reads the two streams side by side, a page at a time. */
async function firstDifferent(stream: string, first: EventStore, second: EventStore, common: number): Promise<Difference | undefined> {
  const pages = streamEvents(second, stream, 0, common - 1);
  for await (const left of streamEvents(first, stream, 0, common - 1)) {
    const right = (await pages.next()).value as StoredEvent[] | undefined;
    for (const [index, event] of left.entries()) {
      const other = right?.[index];
      if (other === undefined)
        throw new CouldNotRun(`${stream} of the second store ends before revision ${event.revision} when it is read by itself: verify it.`);
      const fields: Field[] = FIELDS.filter((field) => event[field] !== other[field]);
      if (fields.length > 0) return { stream, kind: 'different', revision: event.revision, fields, first: event, second: other };
    }
  }
  return undefined;
}
