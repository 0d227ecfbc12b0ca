import { setImmediate as othersFirst } from 'node:timers/promises';
import { NO_POSITION, SqliteEventStore, type StoredEvent } from '@ledger/event-store';
import { RevisionMissing } from './stream-revisions';
import type { OpenViews } from './filling';
import { isDamage, openViews, reasonOf } from './view-file';

/** What a thread that keeps a read model is told, and what it says: this is the thread's side, keeper.ts is the other. */

export interface KeepingOptions {
  /** The file of the store, which is followed by this thread itself. */
  store: string;
  /** The file of the read model, which somebody else has made and holds. */
  path: string;
  /** Up to here nobody waits for an answer. */
  headAtStart: bigint;
}

/** Hurry: somebody waits, so what is read is committed at once. Calm: nobody does any more. */
export type ToKeeping = 'hurry' | 'calm' | 'stop';

/** That store and file are open; how far it has read, while it is behind; what everybody can see from now on; or why there will be no more. */
export type FromKeeping =
  | 'open'
  | { reading: bigint }
  | { position: bigint; mark: string; progressed: ReadonlySet<string> }
  | { failed: string; /** True when the file can only be thrown away. */ useless: boolean };

const BATCH_MAX = 1_000;
/**
 * A transaction is committed after so many events or so much time, whichever comes first: a page that many events touch is then
 * written once, and nobody's answer waits behind it, since it is another thread's.
 */
const COMMIT_EVENTS = 10_000;
const COMMIT_MS = 1_000;
/** Of receipts of allocations: somebody may wait until all are there, and a position that tells when is nowhere. */
const COMMIT_MS_SETTLING = 50;
/** While catching up the more events share a page's write, the better. */
const COMMIT_EVENTS_BEHIND = 50_000;
const COMMIT_MS_BEHIND = 5_000;
/** Of one wallet's events: far fewer than the entries that it remembers itself (RECENT_MAX), or its commands would wait for this file. */
const COMMIT_EVENTS_OF_ONE = 200;

/** Follows a store that is a file, and keeps the views of a read model up with it. */
export class Keeping {
  private readonly stopping = new AbortController();
  private store: SqliteEventStore | undefined;
  private opened: OpenViews | undefined;
  private mark = '';
  private last: StoredEvent | undefined;
  private readTo = NO_POSITION;
  private uncommitted = 0;
  /** Uncommitted events by stream. */
  private readonly ofOne = new Map<string, number>();
  private urgent = false;
  private timer: NodeJS.Timeout | undefined;
  private dueAt = Infinity;
  private failure: Error | undefined;

  constructor(
    private readonly options: KeepingOptions,
    private readonly tell: (news: FromKeeping) => void,
  ) {}

  hear(told: ToKeeping): void {
    this.urgent = told === 'hurry';
    if (told === 'stop') this.stopping.abort();
    if (!this.urgent) return;
    this.commitNow();
    this.store?.look();
  }

  /** Until it is stopped. Why it ended before is told, never thrown. */
  async run(): Promise<void> {
    try {
      this.store = await SqliteEventStore.open(this.options.store, { readOnly: true });
      this.opened = openViews(this.options.path);
      await this.follow(this.store, this.opened);
      this.commit();
    } catch (error) {
      this.tell({ failed: reasonOf(error), useless: isDamage(error) || error instanceof RevisionMissing });
    } finally {
      clearTimeout(this.timer);
      this.opened?.db.close();
      await this.store?.close();
    }
  }

  private async follow(store: SqliteEventStore, opened: OpenViews): Promise<void> {
    const { signal } = this.stopping;
    const begun = opened.checkpoints.last();
    // Of a thread that failed nobody heard what it had committed last.
    if (begun !== undefined) this.tell({ position: begun.position, mark: begun.mark, progressed: new Set() });
    this.tell('open');
    this.readTo = begun?.position ?? NO_POSITION;
    for await (const batch of store.follow(this.readTo, { batchMax: BATCH_MAX, signal })) {
      if (this.mark === '') this.mark = (await store.mark()) ?? '';
      this.take(opened, batch);
      // Pages of a file come without a pause, and what this thread is told must be heard between them.
      await othersFirst();
      if (signal.aborted) break;
    }
    if (this.failure !== undefined) throw this.failure;
  }

  private take({ db, views }: OpenViews, batch: readonly StoredEvent[]): void {
    const last = batch.at(-1);
    if (last === undefined) return;
    const { headAtStart } = this.options;
    const behind = last.position < headAtStart;
    if (!db.inTransaction) db.exec('begin');
    // What was behind is told as soon as it is not.
    let pressing = this.urgent || this.readTo < headAtStart;
    let settles = false;
    for (const event of batch) {
      views.apply(event);
      const ofOne = (this.ofOne.get(event.stream) ?? 0) + 1;
      this.ofOne.set(event.stream, ofOne);
      // Settlement waits for the one, the wallet for the other.
      pressing ||= event.type === 'TokensAllocated' || ofOne >= COMMIT_EVENTS_OF_ONE;
      settles ||= event.type === 'AllocationReceived';
    }
    this.last = last;
    this.readTo = last.position;
    this.uncommitted += batch.length;
    if (behind) this.tell({ reading: last.position });
    if (behind ? this.uncommitted >= COMMIT_EVENTS_BEHIND : pressing || this.uncommitted >= COMMIT_EVENTS) this.commit();
    else this.commitWithin(behind ? COMMIT_MS_BEHIND : settles ? COMMIT_MS_SETTLING : COMMIT_MS);
  }

  private commitWithin(ms: number): void {
    const at = performance.now() + ms;
    if (at >= this.dueAt) return;
    this.dueAt = at;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.commitNow(), ms);
  }

  /** Outside of `follow`, which an error must reach all the same. */
  private commitNow(): void {
    try {
      this.commit();
    } catch (error) {
      this.failure = error as Error;
      this.stopping.abort();
    }
  }

  /** Rows and checkpoint together, so that neither is ever ahead of the other. */
  private commit(): void {
    clearTimeout(this.timer);
    this.dueAt = Infinity;
    const { opened, last } = this;
    if (opened?.db.inTransaction !== true || last === undefined) return;
    opened.views.complete();
    opened.checkpoints.save(this.mark, last);
    opened.db.exec('commit');
    this.uncommitted = 0;
    this.ofOne.clear();
    this.tell({ position: last.position, mark: this.mark, progressed: opened.views.takeProgressed() });
  }
}
