/** The port to the store of facts. Two adapters stand behind it; `contract.ts` is the suite that both must pass. */

/** A fact to be written. `data` and `metadata` are JSON text: they are serialised once, by the writer. */
export interface NewEvent {
  /** UUID, fixed before the first attempt and kept through every repeat of it. */
  id: string;
  type: string;
  data: string;
  metadata: string;
}

/** A stored fact. */
export interface StoredEvent extends NewEvent {
  stream: string;
  /** 0, 1, 2, ... within the stream, without gaps. */
  revision: number;
  /** Order over all streams; grows, may have gaps. Of another adapter it means nothing. */
  position: bigint;
}

/** Which event stands where: at the same position of another history of the store stands another event, or none. */
export type Place = Pick<StoredEvent, 'position' | 'id'>;

export interface Appended {
  /** Revision of the last event of the append. */
  revision: number;
  /** Position of the last event of the append. */
  position: bigint;
}

export interface StreamHead {
  /** Revision of the last event, or NO_STREAM. */
  revision: number;
  /** Position of the last event, or NO_POSITION. */
  position: bigint;
}

/** Expected revision of a stream that must not exist yet; also the revision of a stream without events. */
export const NO_STREAM = -1;
/** Before the first event. */
export const NO_POSITION = -1n;
/** Where whoever has seen no event stands. */
export const NO_PLACE: Place = { position: NO_POSITION, id: '' };

export abstract class EventStore {
  /** The SQLite file that holds all events, if one does: then several threads may share the reading of it (`SqliteScan`). */
  readonly file: string | undefined;

  /** The store's limit for a whole append: the sum over its events of the bytes of data, metadata and twice the type. */
  abstract readonly maxAppendBytes: number;

  /**
   * Writes all events or none, at exactly `expectedRevision + 1`. A repeat of the same ids at the same expected revision
   * answers the first result again and writes nothing.
   * @throws WrongExpectedRevision nothing was written; an append whose ids are known only in part is one too
   * @throws StoreUnavailable nothing was written, and this attempt can no longer land
   * @throws OutcomeUnknown it may have been written, or may still be: repeat the same ids at the same revision
   * @throws AppendTooLarge nothing was written
   * @throws StoreClosed nothing was written
   */
  abstract append(stream: string, expectedRevision: number, events: readonly NewEvent[]): Promise<Appended>;

  /** Events of one stream from `fromRevision` (inclusive), oldest first, at most `maxCount` (1..10,000); none when there are none. */
  abstract readStream(stream: string, fromRevision: number, maxCount: number): Promise<StoredEvent[]>;

  /** The head of a stream by a read that is issued by this call, never one already under way. */
  abstract headOf(stream: string): Promise<StreamHead>;

  /** Events of all wallet streams after `position` (exclusive), in the order of the store, at most `maxCount` (1..10,000). */
  abstract readAll(after: bigint, maxCount: number): Promise<StoredEvent[]>;

  /**
   * Every event after `position`, once and in order, in batches of at most `batchMax`, for ever: catches up, then waits for
   * what is written by this process or any other. Ends when the signal is aborted or the store is closed; resumes by itself
   * after the store was away.
   * @throws UnusableStore when it comes to a damaged page
   */
  abstract follow(after: bigint, options: { batchMax: number; signal: AbortSignal }): AsyncIterable<StoredEvent[]>;

  /** Position of the last event of all wallet streams, or NO_POSITION. */
  abstract headPosition(): Promise<bigint>;

  /** The event of a wallet stream at exactly this position; undefined when none stands there, also where no position can be. */
  abstract eventAt(position: bigint): Promise<StoredEvent | undefined>;

  /** Its id. */
  abstract idAt(position: bigint): Promise<string | undefined>;

  /** The id of the first event of all: names this store. Undefined while it is empty. */
  abstract mark(): Promise<string | undefined>;

  abstract close(): Promise<void>;
}

/** Another append was first: the stream is at `actualRevision`. */
export class WrongExpectedRevision extends Error {
  constructor(
    readonly stream: string,
    readonly expectedRevision: number,
    readonly actualRevision: number,
  ) {
    super(`stream ${stream} is at revision ${actualRevision}, not at ${expectedRevision}`);
    this.name = 'WrongExpectedRevision';
  }
}

/** The store cannot be reached or is too busy; nothing was written. */
export class StoreUnavailable extends Error {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(reason, options);
    this.name = 'StoreUnavailable';
  }
}

/** The store's file cannot serve as one, or is damaged: waiting does not help. The message names the file, what is wrong and what helps. */
export class UnusableStore extends StoreUnavailable {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(reason, options);
    this.name = 'UnusableStore';
  }
}

/** The store did not say whether it wrote. Only a repeat of the same ids at the same revision finds out. */
export class OutcomeUnknown extends Error {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(reason, options);
    this.name = 'OutcomeUnknown';
  }
}

/** Whether an error is a StoreUnavailable. By its name: one that another thread has thrown comes without its class. */
export const saysUnavailable = (error: unknown): error is StoreUnavailable =>
  typeof error === 'object' && error !== null && 'name' in error && ['StoreUnavailable', 'UnusableStore'].includes(String(error.name));

export class AppendTooLarge extends Error {
  constructor(
    readonly bytes: number,
    readonly maxAppendBytes: number,
  ) {
    super(`an append of ${bytes} bytes is over the store's limit of ${maxAppendBytes}`);
    this.name = 'AppendTooLarge';
  }
}

export class StoreClosed extends Error {
  constructor() {
    super('the event store is closed');
    this.name = 'StoreClosed';
  }
}

/** What an event counts towards `maxAppendBytes`. */
export const bytesOf = (event: NewEvent): number =>
  Buffer.byteLength(event.data) + Buffer.byteLength(event.metadata) + 2 * Buffer.byteLength(event.type);
