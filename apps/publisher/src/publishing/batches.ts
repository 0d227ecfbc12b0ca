import { setImmediate as breathe } from 'node:timers/promises';
import type { StoredEvent } from '@ledger/event-store';
import type { OutgoingMessage } from '../sink/message-sink';
import type { Mapped } from './mapping';

/** Events that go out in one transaction. */
export class Batch {
  readonly events: OutgoingMessage[] = [];
  private readonly lastBalances = new Map<string, OutgoingMessage>();
  bytes = 0;
  skipped = 0;
  readonly begun = performance.now();

  constructor(
    readonly first: StoredEvent,
    public last: StoredEvent,
  ) {}

  /** Of several balances of one wallet only the last one matters. */
  get balances(): OutgoingMessage[] {
    return [...this.lastBalances.values()];
  }

  add(stored: StoredEvent, { event, balance, bytes, skipped }: Mapped): void {
    this.last = stored;
    this.events.push(event);
    if (balance) this.lastBalances.set(balance.key, balance);
    this.bytes += bytes;
    if (skipped) this.skipped += 1;
  }
}

export interface BatchLimits {
  readonly events: number;
  readonly bytes: number;
  readonly lingerMs: number;
}

/** Whole batches that wait while one is being sent: enough that reading and sending overlap, and a bound on memory. */
const WAITING_MAX = 2;
/** Events that are made into messages before the answers of Kafka get their turn. */
const SLICE = 64;

/**
 * Reads ahead of the sender: while a transaction is under way the next ones are read and made into messages. At most
 * WAITING_MAX whole batches, one that is growing and one page of the store are held; then reading waits.
 */
export class Batches {
  private readonly waiting: Batch[] = [];
  private growing: Batch | undefined;
  private failure: { error: unknown } | undefined;
  private ended = false;
  private wakeTaker: () => void = () => undefined;
  private wakeReader: () => void = () => undefined;

  constructor(
    pages: AsyncIterable<StoredEvent[]>,
    private readonly map: (stored: StoredEvent) => Mapped,
    /** May be changed; it holds for the next event that is read. */
    public limits: BatchLimits,
  ) {
    this.read(pages).then(
      () => this.end(undefined),
      (error: unknown) => this.end({ error }),
    );
  }

  /**
   * The next batch: a full one, or what there is once its first event has waited for `lingerMs`. Undefined after `waitMs` without
   * an event, and at the end of the pages.
   * @throws what the mapping or the reading threw, after everything before it was taken
   */
  async next(waitMs: number): Promise<Batch | undefined> {
    for (const end = performance.now() + waitMs; ;) {
      const batch = this.waiting.shift() ?? this.ripe();
      if (batch) {
        this.wakeReader();
        return batch;
      }
      if (this.failure) throw this.failure.error;
      const now = performance.now();
      const until = this.growing ? this.growing.begun + this.limits.lingerMs : end;
      if (this.ended || (!this.growing && now >= end)) return undefined;
      await this.sleep(until - now);
    }
  }

  /** True when there will be no more. */
  get over(): boolean {
    return this.ended;
  }

  /** Stops reading ahead. What the pages wait for is ended by their own signal. */
  drop(): void {
    this.ended = true;
    this.waiting.length = 0;
    this.growing = undefined;
    this.wakeReader();
  }

  private ripe(): Batch | undefined {
    const { growing } = this;
    if (!growing) return undefined;
    if (!this.ended && performance.now() - growing.begun < this.limits.lingerMs) return undefined;
    this.growing = undefined;
    return growing;
  }

  private async read(pages: AsyncIterable<StoredEvent[]>): Promise<void> {
    for await (const page of pages)
      for (const [index, stored] of page.entries()) {
        while (this.waiting.length >= WAITING_MAX && !this.ended) await new Promise<void>((wake) => (this.wakeReader = wake));
        if (this.ended) return;
        this.take(stored, this.map(stored));
        if (index % SLICE === SLICE - 1) await breathe();
      }
  }

  private take(stored: StoredEvent, made: Mapped): void {
    const full = this.growing && (this.growing.events.length >= this.limits.events || this.growing.bytes + made.bytes > this.limits.bytes);
    if (full) this.ripen();
    if (!this.growing) {
      this.growing = new Batch(stored, stored);
      this.wakeTaker();
    }
    this.growing.add(stored, made);
    if (this.growing.events.length >= this.limits.events) this.ripen();
  }

  private ripen(): void {
    if (this.growing) this.waiting.push(this.growing);
    this.growing = undefined;
    this.wakeTaker();
  }

  private end(failure: { error: unknown } | undefined): void {
    this.ended = true;
    this.failure = failure;
    this.wakeTaker();
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((wake) => {
      const timer = setTimeout(wake, Math.max(0, ms));
      this.wakeTaker = () => {
        clearTimeout(timer);
        wake();
      };
    });
  }
}
