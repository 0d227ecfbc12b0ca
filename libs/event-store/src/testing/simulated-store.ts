import {
  type Appended,
  AppendTooLarge,
  bytesOf,
  EventStore,
  type NewEvent,
  NO_POSITION,
  OutcomeUnknown,
  StoreClosed,
  type StoredEvent,
  type StreamHead,
  StoreUnavailable,
  WrongExpectedRevision,
} from '../event-store';
import type { VirtualTime } from './virtual-time';

/** What becomes of one append on its way. `landsAfterMs` null: it never reaches the store. */
export interface AppendFate {
  landsAfterMs: number | null;
  answersAfterMs: number;
  /** `truth` needs an append that lands before the answer; `unavailable` one that never lands (the port's promise). */
  says: 'truth' | 'unknown' | 'unavailable' | Error;
}

export interface ReadFate {
  readsAfterMs: number;
  answersAfterMs: number;
  says: 'truth' | 'unavailable';
}

/** Decides what becomes of each call; asked when the call is made. */
export interface Fates {
  append(stream: string, expectedRevision: number, events: readonly NewEvent[]): AppendFate;
  read(stream: string): ReadFate;
}

/** An event with the instant at which it became durable. */
export interface DatedEvent extends StoredEvent {
  instant: number;
}

/** The truth that several connections share, with one count of instants for all that happens around it. */
export class SimulatedStore {
  private readonly streams = new Map<string, DatedEvent[]>();
  private positions = 0n;
  private instants = 0;

  /** The next instant: no two happenings share one, except the events of one append. */
  instant(): number {
    return ++this.instants;
  }

  eventsOf(stream: string): readonly DatedEvent[] {
    return this.streams.get(stream) ?? [];
  }

  headOf(stream: string): StreamHead {
    const last = this.eventsOf(stream).at(-1);
    return last ? { revision: last.revision, position: last.position } : { revision: -1, position: NO_POSITION };
  }

  /** @throws WrongExpectedRevision */
  commit(stream: string, expectedRevision: number, events: readonly NewEvent[]): Appended {
    const stored = this.streams.get(stream) ?? [];
    if (stored.length !== expectedRevision + 1) return repeated(stream, stored, expectedRevision, events);
    const instant = this.instant();
    for (const event of events) stored.push({ ...event, stream, revision: stored.length, position: ++this.positions, instant });
    this.streams.set(stream, stored);
    return this.headOf(stream);
  }
}

function repeated(stream: string, stored: readonly DatedEvent[], expectedRevision: number, events: readonly NewEvent[]): Appended {
  const there = stored.slice(expectedRevision + 1, expectedRevision + 1 + events.length);
  const last = there.at(-1);
  if (!last || there.length < events.length || there.some(({ id }, index) => id !== events[index]?.id)) {
    throw new WrongExpectedRevision(stream, expectedRevision, stored.length - 1);
  }
  return { revision: last.revision, position: last.position };
}

/** One instance's way to the store: replies are lost, appends land late, reads are slow, as the fates will. */
export class SimulatedConnection extends EventStore {
  /** Every append that was tried, in order. */
  readonly tries: { stream: string; expectedRevision: number; ids: string[] }[] = [];
  reads = 0;
  headReads = 0;

  constructor(
    private readonly store: SimulatedStore,
    private readonly time: VirtualTime,
    private readonly fates: Fates,
    readonly maxAppendBytes = 1_000_000,
  ) {
    super();
  }

  async append(stream: string, expectedRevision: number, events: readonly NewEvent[]): Promise<Appended> {
    this.tries.push({ stream, expectedRevision, ids: events.map(({ id }) => id) });
    const bytes = events.reduce((sum, event) => sum + bytesOf(event), 0);
    if (bytes > this.maxAppendBytes) throw new AppendTooLarge(bytes, this.maxAppendBytes);
    const { landsAfterMs, answersAfterMs, says } = this.fates.append(stream, expectedRevision, events);
    let truth: (() => Appended) | undefined;
    if (landsAfterMs !== null) {
      this.time.after(landsAfterMs, () => {
        try {
          const appended = this.store.commit(stream, expectedRevision, events);
          truth = () => appended;
        } catch (error) {
          truth = () => {
            throw error;
          };
        }
      });
    }
    await this.time.pause(answersAfterMs);
    if (says instanceof Error) throw says;
    if (says === 'unknown') throw new OutcomeUnknown('the reply was lost');
    if (says === 'unavailable') throw new StoreUnavailable('the store is away');
    if (!truth) throw new Error('a truth that is told before the append lands');
    return truth();
  }

  async readStream(stream: string, fromRevision: number, maxCount: number): Promise<StoredEvent[]> {
    this.reads += 1;
    return this.read(stream, () => this.store.eventsOf(stream).slice(fromRevision, fromRevision + maxCount));
  }

  async headOf(stream: string): Promise<StreamHead> {
    this.headReads += 1;
    return this.read(stream, () => this.store.headOf(stream));
  }

  private async read<T>(stream: string, look: () => T): Promise<T> {
    const { readsAfterMs, answersAfterMs, says } = this.fates.read(stream);
    await this.time.pause(readsAfterMs);
    if (says === 'unavailable') throw new StoreUnavailable('the store is away');
    const seen = look();
    await this.time.pause(answersAfterMs);
    return seen;
  }

  readAll(): Promise<StoredEvent[]> {
    return Promise.reject(new StoreClosed());
  }

  async *follow(): AsyncIterable<StoredEvent[]> {
    // Mailboxes follow nothing.
  }

  headPosition(): Promise<bigint> {
    return Promise.reject(new StoreClosed());
  }

  eventAt(): Promise<StoredEvent | undefined> {
    return Promise.reject(new StoreClosed());
  }

  idAt(): Promise<string | undefined> {
    return Promise.reject(new StoreClosed());
  }

  mark(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}

/** Fates in the order in which a test wrote them down; after the last, everything goes well and takes a millisecond. */
export class ScriptedFates implements Fates {
  private readonly appends: AppendFate[] = [];
  private readonly reads: ReadFate[] = [];

  nextAppends(...fates: AppendFate[]): void {
    this.appends.push(...fates);
  }

  nextReads(...fates: ReadFate[]): void {
    this.reads.push(...fates);
  }

  append(): AppendFate {
    return this.appends.shift() ?? { landsAfterMs: 1, answersAfterMs: 2, says: 'truth' };
  }

  read(): ReadFate {
    return this.reads.shift() ?? { readsAfterMs: 1, answersAfterMs: 1, says: 'truth' };
  }
}

/** It lands, and nobody hears of it. */
export const replyLost: AppendFate = { landsAfterMs: 1, answersAfterMs: 2, says: 'unknown' };
export const neverLands: AppendFate = { landsAfterMs: null, answersAfterMs: 2, says: 'unknown' };
export const unavailable: AppendFate = { landsAfterMs: null, answersAfterMs: 2, says: 'unavailable' };
export const landsLate = (landsAfterMs: number): AppendFate => ({ landsAfterMs, answersAfterMs: 2, says: 'unknown' });
export const readUnavailable: ReadFate = { readsAfterMs: 1, answersAfterMs: 1, says: 'unavailable' };
