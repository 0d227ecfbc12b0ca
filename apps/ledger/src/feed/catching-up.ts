import { setImmediate as othersFirst } from 'node:timers/promises';
import type { EventStore, Place, StoredEvent } from '@ledger/event-store';
import { PAGE_EVENTS } from './bounds';

/** What a reader gets next, and the event up to which it has then seen everything. */
export interface Page {
  events: readonly StoredEvent[];
  upTo: Place;
}

/** Without the rest of the event: a reader holds it for as long as it is silent. */
export const placeOf = ({ position, id }: StoredEvent): Place => ({ position, id });

/** Pages of the store for one reader that is behind the live window. `tail` is an event that the store is known to have. */
export interface Pages {
  after(place: Place, tail: Place): Promise<Page>;
}

/** One page at a time over all readers, and other work between: a thousand readers from the beginning slow no command down. */
export class PageGate {
  private last: Promise<unknown> = Promise.resolve();

  take<Result>(read: () => Promise<Result>): Promise<Result> {
    const turn = this.last.then(() => othersFirst()).then(read);
    this.last = turn.catch(() => undefined);
    return turn;
  }
}

export class PagesOfAll implements Pages {
  constructor(
    private readonly store: EventStore,
    private readonly gate: PageGate,
  ) {}

  async after(place: Place, tail: Place): Promise<Page> {
    const events = await this.gate.take(() => this.store.readAll(place.position, PAGE_EVENTS));
    return { events, upTo: reached(events, place, tail) };
  }
}

/** Of one wallet only its own stream is read: its hundred events among a million others come at once. */
export class PagesOfStream implements Pages {
  private revision = 0;
  private readTo: bigint | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly gate: PageGate,
    private readonly stream: string,
  ) {}

  async after(place: Place, tail: Place): Promise<Page> {
    if (this.readTo !== place.position) this.revision = await this.gate.take(() => this.firstBehind(place.position));
    const events = await this.gate.take(() => this.store.readStream(this.stream, this.revision, PAGE_EVENTS));
    this.revision = (events.at(-1)?.revision ?? this.revision - 1) + 1;
    const upTo = reached(events, place, tail);
    this.readTo = upTo.position;
    return { events, upTo };
  }

  /** The first revision behind a position, by halving: positions grow with revisions. */
  private async firstBehind(position: bigint): Promise<number> {
    let low = 0;
    for (let high = (await this.store.headOf(this.stream)).revision + 1; low < high;) {
      const middle = (low + high) >> 1;
      const [event] = await this.store.readStream(this.stream, middle, 1);
      if (event !== undefined && event.position <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A page that is not full was read to the end of the store, which was behind `tail` when it was read. */
function reached(events: readonly StoredEvent[], place: Place, tail: Place): Place {
  const last = events.at(-1);
  const upTo = last === undefined ? place : placeOf(last);
  return events.length < PAGE_EVENTS && tail.position > upTo.position ? tail : upTo;
}
