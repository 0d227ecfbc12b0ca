import { createHash } from 'node:crypto';
import type { EventStore, StoredEvent } from '@ledger/event-store';
import { allEvents } from '../replay/facts';

/** What a stream holds, in a fixed number of bytes. */
export interface StreamDigest {
  events: number;
  /** Over id, type, data and metadata of every event, to the letter; what an event says of its own hash is not believed. */
  digest: Buffer;
}

/** A digest per stream: memory is bounded by wallets, not by events. Positions do not count: they mean nothing in another store. */
export async function digestsOf(store: EventStore): Promise<Map<string, StreamDigest>> {
  const streams = new Map<string, StreamDigest>();
  for await (const page of allEvents(store)) {
    for (const event of page) {
      let stream = streams.get(event.stream);
      if (stream === undefined) streams.set(event.stream, (stream = { events: 0, digest: Buffer.alloc(0) }));
      stream.events += 1;
      stream.digest = createHash('sha256').update(stream.digest).update(textOf(event)).digest();
    }
  }
  return streams;
}

/** No two events that differ have one text: each part says how long it is. */
const textOf = ({ revision, id, type, data, metadata }: StoredEvent): string =>
  [String(revision), id, type, data, metadata].map((part) => `${part.length}:${part}`).join('');
