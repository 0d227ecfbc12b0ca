import { type Appended, EventStore, type NewEvent, NO_STREAM, StoreClosed, type StoredEvent, type StreamHead } from '../event-store';
import { type Address, readAddress } from './address';
import { ANSWER_MS, Appending } from './appending';
import { Connection, type Tell } from './connection';
import { follow } from './following';
import { Reading } from './reading';
import { Slots } from './slots';

const PAGE_MAX = 10_000;
/** Servers before 25.1 take 1 MiB for a whole append. */
export const MAX_APPEND_BYTES_DEFAULT = 1024 * 1024;
/** More in flight wait longer and get no more done. */
const APPENDS_MAX = 64;
/** A connection carries 100 calls at a time; the rest is for the appends' one and for followers. */
const READS_MAX = 48;
const WAITING_MAX = 100_000;

export interface EventStoreDbEventStoreOptions {
  /** What the server takes for a whole append. Default 1 MiB. */
  maxAppendBytes?: number;
  /** Hears when the store is away and when it is back; silent without it. */
  tell?: Tell;
}

/**
 * The production store. It speaks to the server with the messages and the gossip of the client library, on a connection of its
 * own: that library loses data in eight ways when it is used as its documentation shows (docs/decisions/0009).
 */
export class EventStoreDbEventStore extends EventStore {
  private readonly connection: Connection;
  private readonly appending: Appending;
  private readonly reading: Reading;
  private readonly underWay = new Set<Promise<unknown>>();
  private closing: Promise<void> | undefined;

  private constructor(
    address: Address,
    { maxAppendBytes = MAX_APPEND_BYTES_DEFAULT, tell = () => undefined }: EventStoreDbEventStoreOptions,
  ) {
    super();
    this.connection = new Connection(address, tell);
    this.reading = new Reading(this.connection, new Slots(READS_MAX, WAITING_MAX, ANSWER_MS));
    this.appending = new Appending(this.connection, new Slots(APPENDS_MAX, WAITING_MAX, ANSWER_MS), this.reading, maxAppendBytes);
  }

  /** Takes the connection string and connects when it is first used: a server that is away now may come later. @throws BadEventStoreUrl */
  static open(url: string, options: EventStoreDbEventStoreOptions = {}): EventStoreDbEventStore {
    return new EventStoreDbEventStore(readAddress(url), options);
  }

  get maxAppendBytes(): number {
    return this.appending.maxAppendBytes;
  }

  async append(stream: string, expectedRevision: number, events: readonly NewEvent[]): Promise<Appended> {
    this.refuseWhenClosed();
    if (events.length === 0) throw new RangeError('an append without events is a mistake of its caller');
    if (!Number.isSafeInteger(expectedRevision) || expectedRevision < NO_STREAM)
      throw new RangeError(`${expectedRevision} is not a revision`);
    const appended = this.appending.append(stream, expectedRevision, events);
    this.underWay.add(appended);
    return appended.finally(() => this.underWay.delete(appended));
  }

  async readStream(stream: string, fromRevision: number, maxCount: number): Promise<StoredEvent[]> {
    this.refuseWhenClosed();
    if (!Number.isSafeInteger(fromRevision) || fromRevision < 0) throw new RangeError(`${fromRevision} is not a revision to read from`);
    checkPage('maxCount', maxCount);
    return this.reading.stream(stream, fromRevision, maxCount);
  }

  async headOf(stream: string): Promise<StreamHead> {
    this.refuseWhenClosed();
    return this.reading.headOf(stream);
  }

  async readAll(after: bigint, maxCount: number): Promise<StoredEvent[]> {
    this.refuseWhenClosed();
    checkPage('maxCount', maxCount);
    return this.reading.all(after, maxCount);
  }

  follow(after: bigint, options: { batchMax: number; signal: AbortSignal }): AsyncIterable<StoredEvent[]> {
    checkPage('batchMax', options.batchMax);
    return follow(this.connection, after, options);
  }

  async headPosition(): Promise<bigint> {
    this.refuseWhenClosed();
    return this.reading.headPosition();
  }

  async eventAt(position: bigint): Promise<StoredEvent | undefined> {
    this.refuseWhenClosed();
    return this.reading.eventAt(position);
  }

  async idAt(position: bigint): Promise<string | undefined> {
    return (await this.eventAt(position))?.id;
  }

  async mark(): Promise<string | undefined> {
    this.refuseWhenClosed();
    return this.reading.mark();
  }

  /** Waits for the appends that were asked for, ends the followers and refuses everything after. */
  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    await Promise.allSettled(this.underWay);
    this.connection.close();
  }

  private refuseWhenClosed(): void {
    if (this.closing) throw new StoreClosed();
  }
}

function checkPage(name: string, count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > PAGE_MAX) throw new RangeError(`${name} is ${count}; it may be 1 to ${PAGE_MAX}`);
}
