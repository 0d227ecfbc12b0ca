import { LogFile, TOMBSTONE, type Draft, type LoggedEvent } from './log-file';

export const NO_STREAM = -1;

/** What a stream's metadata lets a reader see. */
export interface Visibility {
  /** First revision that is shown. */
  from: number;
  /** Deleted softly: readers are told that the stream is not there. */
  deleted: boolean;
}

interface Stream {
  /** By revision; a tombstone is not among them. */
  events: LoggedEvent[];
  tombstoned: boolean;
}

/** All events in the order of the log, and by stream. One process owns it, so every call is one step. */
export class EventLog {
  readonly events: LoggedEvent[] = [];
  private readonly streams = new Map<string, Stream>();
  private readonly file: LogFile;
  private waiting: (() => void)[] = [];
  /** Told once per write, after it. */
  afterWrite: () => void = () => undefined;

  constructor(folder: string, durable: boolean) {
    this.file = LogFile.open(folder, durable, (event) => this.remember(event));
  }

  write(drafts: readonly Draft[]): LoggedEvent[] {
    const events = this.file.append(drafts);
    for (const event of events) this.remember(event);
    const woken = this.waiting;
    this.waiting = [];
    for (const wake of woken) wake();
    this.afterWrite();
    return events;
  }

  /** Calls it when everything written so far is on the disk; at once where that is not asked for. */
  whenDurable(then: () => void): void {
    this.file.whenDurable(then);
  }

  /** Calls it once, at the next write. */
  onNextWrite(wake: () => void): void {
    this.waiting.push(wake);
  }

  streamEvents(stream: string): readonly LoggedEvent[] {
    return this.streams.get(stream)?.events ?? [];
  }

  /** The same array for ever, also of a stream that does not exist yet. */
  eventsForFollowing(stream: string): readonly LoggedEvent[] {
    return this.streamNamed(stream).events;
  }

  lastRevision(stream: string): number {
    return this.streamEvents(stream).length - 1;
  }

  isTombstoned(stream: string): boolean {
    return this.streams.get(stream)?.tombstoned === true;
  }

  /** What `$metadata` of the stream lets readers see: `$tb` and `$maxCount`. A stream's age is not looked at. */
  visibility(stream: string): Visibility {
    const last = this.streamEvents(`$$${stream}`).at(-1);
    if (!last) return { from: 0, deleted: false };
    const text = Buffer.from(last.data).toString('utf8');
    const before = Number(/"\$tb"\s*:\s*(\d+)/.exec(text)?.[1] ?? 0);
    const maxCount = Number(/"\$maxCount"\s*:\s*(\d+)/.exec(text)?.[1] ?? Infinity);
    const length = this.streamEvents(stream).length;
    return { from: Math.max(before, length - maxCount), deleted: before > Number.MAX_SAFE_INTEGER };
  }

  /** Index of the first event at or after a position. */
  indexAt(position: number): number {
    let [low, high] = [0, this.events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.events[middle]!.position < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** A position that points into a record is refused by a real server; 0 and everything from the end on are not. */
  isBoundary(position: number): boolean {
    return position === 0 || position >= this.file.endPosition || this.events[this.indexAt(position)]?.position === position;
  }

  close(): void {
    this.file.close();
  }

  private remember(event: LoggedEvent): void {
    this.events.push(event);
    const stream = this.streamNamed(event.stream);
    if (event.revision === TOMBSTONE) stream.tombstoned = true;
    else stream.events.push(event);
  }

  private streamNamed(name: string): Stream {
    let stream = this.streams.get(name);
    if (!stream) this.streams.set(name, (stream = { events: [], tombstoned: false }));
    return stream;
  }
}
