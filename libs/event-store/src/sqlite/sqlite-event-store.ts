import { resolve } from 'node:path';
import {
  AppendTooLarge,
  bytesOf,
  EventStore,
  NO_STREAM,
  StoreClosed,
  type Appended,
  type NewEvent,
  type StoredEvent,
  type StreamHead,
} from '../event-store';
import { AppendQueue } from './append-queue';
import { Changes } from './changes';
import { Connection } from './connection';
import { checkFile } from './fault';
import { follow } from './follow';
import { HeadReads } from './head-reads';

const PAGE_MAX = 10_000;
const BUSY_SECONDS = 5;
const APPEND_BYTES_MAX = 64 * 1024 * 1024;

export interface SqliteEventStoreOptions {
  /** How long a call waits for the lock of another process before it is refused with StoreUnavailable. Default 5. */
  busySeconds?: number;
  /** Refuse a file that does not exist instead of creating it. For readers, which would take an empty store for the ledger. */
  mustExist?: boolean;
  /** Change nothing in the file and beside it; every append is refused. For auditors. */
  readOnly?: boolean;
}

/**
 * The embedded store: one SQLite file, used by any number of processes of one machine at the same time (not over a network
 * file system: SQLite's log needs shared memory).
 */
export class SqliteEventStore extends EventStore {
  readonly maxAppendBytes = APPEND_BYTES_MAX;
  private readonly changes: Changes;
  private readonly queue: AppendQueue;
  private readonly heads: HeadReads;
  private closing: Promise<void> | undefined;

  private constructor(
    override readonly file: string,
    private readonly connection: Connection,
  ) {
    super();
    this.changes = new Changes(() => connection.version());
    this.queue = new AppendQueue(connection, () => this.changes.announce());
    this.heads = new HeadReads(connection);
  }

  /**
   * Opens the file, or creates it with its folder, readable by its owner only.
   * @throws UnusableStore when the file is damaged, or is not an event store, or one of another schema version
   * @throws StoreUnavailable when it stays locked for `busySeconds`
   */
  static async open(
    path: string,
    { busySeconds = BUSY_SECONDS, mustExist = false, readOnly = false }: SqliteEventStoreOptions = {},
  ): Promise<SqliteEventStore> {
    checkFile(resolve(path), mustExist || readOnly);
    const connection = new Connection(resolve(path), busySeconds * 1000, readOnly);
    await connection.patiently((file) => file.dataVersion());
    return new SqliteEventStore(resolve(path), connection);
  }

  async append(stream: string, expectedRevision: number, events: readonly NewEvent[]): Promise<Appended> {
    this.refuseWhenClosed();
    if (events.length === 0) throw new RangeError('an append without events is a mistake of its caller');
    if (!Number.isSafeInteger(expectedRevision) || expectedRevision < NO_STREAM) {
      throw new RangeError(`${expectedRevision} is not a revision`);
    }
    const bytes = events.reduce((sum, event) => sum + bytesOf(event), 0);
    if (bytes > APPEND_BYTES_MAX) throw new AppendTooLarge(bytes, APPEND_BYTES_MAX);
    return this.queue.add({ stream, expectedRevision, events }, bytes);
  }

  async readStream(stream: string, fromRevision: number, maxCount: number): Promise<StoredEvent[]> {
    this.refuseWhenClosed();
    if (!Number.isSafeInteger(fromRevision) || fromRevision < 0) throw new RangeError(`${fromRevision} is not a revision to read from`);
    checkPage('maxCount', maxCount);
    return this.connection.patiently(({ reading }) => reading.stream(stream, fromRevision, maxCount));
  }

  async headOf(stream: string): Promise<StreamHead> {
    this.refuseWhenClosed();
    return this.heads.of(stream);
  }

  async readAll(after: bigint, maxCount: number): Promise<StoredEvent[]> {
    this.refuseWhenClosed();
    checkPage('maxCount', maxCount);
    return this.connection.patiently(({ reading }) => reading.all(after, maxCount));
  }

  follow(after: bigint, { batchMax, signal }: { batchMax: number; signal: AbortSignal }): AsyncIterable<StoredEvent[]> {
    checkPage('batchMax', batchMax);
    return follow((position) => this.readAll(position, batchMax), this.changes, after, signal);
  }

  /** Followers read at once what another connection has committed; by themselves they notice it within some milliseconds. */
  look(): void {
    this.changes.announce();
  }

  async headPosition(): Promise<bigint> {
    this.refuseWhenClosed();
    return this.connection.patiently(({ reading }) => reading.headPosition());
  }

  async eventAt(position: bigint): Promise<StoredEvent | undefined> {
    this.refuseWhenClosed();
    return this.connection.patiently(({ reading }) => reading.eventAt(position));
  }

  async idAt(position: bigint): Promise<string | undefined> {
    this.refuseWhenClosed();
    return this.connection.patiently(({ reading }) => reading.idAt(position));
  }

  async mark(): Promise<string | undefined> {
    this.refuseWhenClosed();
    return this.connection.patiently(({ reading }) => reading.mark());
  }

  /** Answers what is queued, ends the followers and refuses everything after. */
  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    await this.queue.drained();
    this.connection.close();
    this.changes.announce();
  }

  private refuseWhenClosed(): void {
    if (this.closing) throw new StoreClosed();
  }
}

function checkPage(name: string, count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > PAGE_MAX) throw new RangeError(`${name} is ${count}; it may be 1 to ${PAGE_MAX}`);
}
