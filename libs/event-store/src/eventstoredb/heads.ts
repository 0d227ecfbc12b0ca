import { LRUCache } from 'lru-cache';
import type { StreamHead } from '../event-store';

/** Streams whose heads are kept; the least recently used go first. */
const STREAMS_MAX = 20_000;

/**
 * How far streams had come when they were last read or written on one connection. It goes with the connection: a store is only ever
 * shorter than before when its server was stopped, or another node leads.
 */
export class Heads {
  private readonly known = new LRUCache<string, StreamHead>({ max: STREAMS_MAX });

  get(stream: string): StreamHead | undefined {
    return this.known.get(stream);
  }

  /** Answers may come in another order than things happened: the furthest counts. */
  saw(stream: string, head: StreamHead): void {
    const known = this.known.get(stream);
    if (!known || known.revision < head.revision) this.known.set(stream, head);
  }
}
