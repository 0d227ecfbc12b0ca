import { type EventStore, NO_PLACE, NO_POSITION, type Place, type StoredEvent } from '@ledger/event-store';
import { Logger } from '@nestjs/common';
import { pause } from '../views/pause';
import { type FeedBounds, PAGE_EVENTS } from './bounds';
import { placeOf } from './catching-up';

/** Whole events as text, from behind `after` up to `last`: a stream that is cut off between pieces is cut between events. */
export interface Piece {
  readonly after: bigint;
  readonly last: Place;
  readonly text: Buffer;
}

/** Some events in a row: all that the store has behind `after`, up to `last`. Shared by all live readers. */
export class Batch {
  readonly after: bigint;
  readonly last: Place;
  readonly bytes: number;
  private texts: Piece[] | undefined;
  private streams: Map<string, StoredEvent[]> | undefined;

  constructor(
    after: Place,
    readonly events: readonly StoredEvent[],
  ) {
    const last = events.at(-1);
    this.after = after.position;
    this.last = last === undefined ? after : placeOf(last);
    this.bytes = events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0);
  }

  /** The batch for those who see everything, made once for all of them. */
  pieces(textOf: (event: StoredEvent) => string, pieceBytes: number): readonly Piece[] {
    if (this.texts !== undefined) return this.texts;
    this.texts = [];
    let text = '';
    let after = this.after;
    for (const event of this.events) {
      text += textOf(event);
      if (text.length < pieceBytes && event.position !== this.last.position) continue;
      this.texts.push({ after, last: placeOf(event), text: Buffer.from(text) });
      text = '';
      after = event.position;
    }
    return this.texts;
  }

  ofStream(stream: string): readonly StoredEvent[] {
    this.streams ??= grouped(this.events);
    return this.streams.get(stream) ?? [];
  }
}

function grouped(events: readonly StoredEvent[]): Map<string, StoredEvent[]> {
  const streams = new Map<string, StoredEvent[]>();
  for (const event of events) {
    const known = streams.get(event.stream);
    if (known) known.push(event);
    else streams.set(event.stream, [event]);
  }
  return streams;
}

/**
 * The recent events, by one follow of the store for all live readers. A reader keeps only its position: there is no queue that
 * could grow for a slow one, it falls out of the window and reads the store like one that comes from afar.
 */
export class LiveWindow {
  private readonly log = new Logger('EventFeed');
  private readonly listeners = new Set<() => void>();
  private batches: Batch[] = [];
  private bytes = 0;
  private read = NO_PLACE;
  private running: { stop: AbortController; begun: Promise<void> } | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly bounds: FeedBounds,
  ) {}

  /** Everything up to here is in the window or before it. */
  get tail(): Place {
    return this.read;
  }

  /** Follows while somebody listens. Resolves when the window has a place in the store. */
  async listen(listener: () => void): Promise<void> {
    this.listeners.add(listener);
    this.running ??= this.begin();
    await this.running.begun;
  }

  unlisten(listener: () => void): void {
    this.listeners.delete(listener);
    if (this.listeners.size > 0 || this.running === undefined) return;
    this.running.stop.abort();
    this.running = undefined;
    this.batches = [];
    this.bytes = 0;
  }

  /** The batch that holds the events right behind a position; `live` when there are none yet, `behind` when they are no longer here. */
  after(position: bigint): Batch | 'live' | 'behind' {
    if (position >= this.read.position) return 'live';
    const first = this.batches[0];
    if (first === undefined || position < first.after) return 'behind';
    let low = 0;
    for (let high = this.batches.length - 1; low < high;) {
      const middle = (low + high) >> 1;
      if (this.batches[middle]!.last.position > position) high = middle;
      else low = middle + 1;
    }
    return this.batches[low]!;
  }

  private begin(): { stop: AbortController; begun: Promise<void> } {
    const stop = new AbortController();
    const begun = this.head().then(
      (head) => {
        if (stop.signal.aborted) return;
        this.read = head;
        void this.follow(stop.signal);
      },
      (error: unknown) => {
        // The next reader tries again.
        if (this.running?.stop === stop) this.running = undefined;
        throw error;
      },
    );
    return { stop, begun };
  }

  /** The last event of all. */
  private async head(): Promise<Place> {
    const position = await this.store.headPosition();
    if (position === NO_POSITION) return NO_PLACE;
    const id = await this.store.idAt(position);
    if (id === undefined) throw new Error(`the store lacks the event at its end, position ${position}`);
    return { position, id };
  }

  private async follow(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        for await (const events of this.store.follow(this.read.position, { batchMax: PAGE_EVENTS, signal })) {
          if (signal.aborted) return;
          failures = 0;
          this.take(new Batch(this.read, events));
          // What is written meanwhile comes as one batch: a write to every socket for every commit would cost more than the commit.
          if (events.length < PAGE_EVENTS) await this.breather();
        }
        return;
      } catch (error) {
        this.log.error(`The feed of events goes on at position ${this.read.position}: ${String(error)}.`);
        await pause(failures, signal);
      }
    }
  }

  private take(batch: Batch): void {
    this.batches.push(batch);
    this.bytes += batch.bytes;
    this.read = batch.last;
    while (this.bytes > this.bounds.windowBytes && this.batches.length > 1) this.bytes -= this.batches.shift()!.bytes;
    for (const listener of this.listeners) listener();
  }

  private breather(): Promise<void> {
    const ms = this.bounds.flushMs + this.listeners.size / 10;
    return new Promise((resolve) => setTimeout(resolve, ms).unref());
  }
}
