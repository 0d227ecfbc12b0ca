import { setImmediate as endOfTick } from 'node:timers/promises';
import { StoreUnavailable, WrongExpectedRevision, type Appended } from '../event-store';
import type { Connection } from './connection';
import { backOff, isBusy, sqliteCode } from './patience';
import type { Append, Outcome } from './writing';

/** About 10 ms of the event loop; larger transactions gain little. */
const EVENTS_PER_COMMIT_MAX = 1_024;
const BYTES_PER_COMMIT_MAX = 16 * 1024 * 1024;
const WAITING_APPENDS_MAX = 100_000;
const WAITING_BYTES_MAX = 256 * 1024 * 1024;

interface Waiting extends Append {
  bytes: number;
  since: number;
  resolve: (appended: Appended) => void;
  reject: (error: unknown) => void;
}

/** Group commit: the appends of one turn of the event loop share one transaction, and so one wait for the disk. */
export class AppendQueue {
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  private running: Promise<void> | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly written: () => void,
  ) {}

  add({ stream, expectedRevision, events }: Append, bytes: number): Promise<Appended> {
    if (this.waiting.length >= WAITING_APPENDS_MAX || this.waitingBytes + bytes > WAITING_BYTES_MAX) {
      return Promise.reject(new StoreUnavailable(`${this.waiting.length} appends are waiting for the event store already`));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ stream, expectedRevision, events, bytes, since: performance.now(), resolve, reject });
      this.waitingBytes += bytes;
      this.running ??= this.run();
    });
  }

  /** Resolves when everything that was added has its answer. */
  async drained(): Promise<void> {
    await this.running;
  }

  private async run(): Promise<void> {
    for (let tries = 0; this.waiting.length > 0;) {
      await endOfTick();
      if (this.commitGroup()) tries = 0;
      else await backOff(tries++);
    }
    this.running = undefined;
  }

  /** False when the file is locked: then the same appends, and those that came meanwhile, are tried again. */
  private commitGroup(): boolean {
    const group = this.waiting.slice(0, this.groupSize());
    let outcomes: Outcome[];
    try {
      outcomes = this.connection.use((file) => file.writing.writeTogether(group));
    } catch (error) {
      if (isBusy(error)) {
        this.refuseOverdue(error);
        return false;
      }
      const reason = sqliteCode(error) === undefined ? error : this.connection.unavailable(error);
      this.take(group.length).forEach(({ reject }) => reject(reason));
      return true;
    }
    this.take(group.length).forEach(({ resolve, reject }, index) => {
      const outcome = outcomes[index]!;
      if (outcome instanceof WrongExpectedRevision) reject(outcome);
      else resolve(outcome);
    });
    this.written();
    return true;
  }

  private groupSize(): number {
    let events = 0;
    let bytes = 0;
    const over = this.waiting.findIndex((append) => {
      events += append.events.length;
      bytes += append.bytes;
      return events > EVENTS_PER_COMMIT_MAX || bytes > BYTES_PER_COMMIT_MAX;
    });
    // One append that is over by itself still goes, alone.
    return over < 0 ? this.waiting.length : Math.max(1, over);
  }

  private refuseOverdue(error: unknown): void {
    const deadline = performance.now() - this.connection.busyMs;
    const inTime = this.waiting.findIndex(({ since }) => since > deadline);
    const overdue = this.take(inTime < 0 ? this.waiting.length : inTime);
    overdue.forEach(({ reject }) => reject(this.connection.unavailable(error)));
  }

  private take(count: number): Waiting[] {
    const taken = this.waiting.splice(0, count);
    for (const { bytes } of taken) this.waitingBytes -= bytes;
    return taken;
  }
}
