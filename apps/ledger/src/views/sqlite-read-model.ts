import { type EventStore, NO_POSITION, StoreClosed, type StoredEvent } from '@ledger/event-store';
import { Logger } from '@nestjs/common';
import { contradiction } from './checkpoint';
import { Folding } from './folding';
import { pause } from './pause';
import type { PendingLine } from './pending-lines';
import { type Progress, PROGRESS_LOG_MS, ProgressLog, progressOf } from './progress';
import { ReadModel, type UniqueEntry, type UniqueKind } from './read-model';
import { isDamage, type OpenViews, ReadModelClosed, ViewFile } from './view-file';
import { RevisionMissing, type Views } from './views';
import { Waiting } from './waiting';

/** Nothing else runs while a batch is folded in. */
const BATCH_MAX = 1_000;

/** The file while it is open. */
interface Current extends OpenViews {
  folding: Folding;
}

/** The read model in a local SQLite file, which follows the store and is thrown away when it does not match it. */
export class SqliteReadModel extends ReadModel {
  private readonly log = new Logger('ReadModel');
  private readonly waiting = new Waiting();
  private readonly listeners = new Set<() => void>();
  private stopping = new AbortController();
  /** Ends one follower, when the next must begin at another position. */
  private attempt = new AbortController();
  private file: ViewFile | undefined;
  private opened: Current | undefined;
  private following: Promise<void> = Promise.resolve();
  private headAtStart = NO_POSITION;
  private readTo = NO_POSITION;
  private readMark: string | undefined;
  private builds = 0;
  private readonly progressLog = new ProgressLog((sentence) => this.log.log(`The read model has read ${sentence}.`), PROGRESS_LOG_MS);

  constructor(
    private readonly store: EventStore,
    private readonly path: string,
  ) {
    super();
  }

  get position(): bigint {
    return this.readTo;
  }

  get mark(): string | undefined {
    return this.readMark;
  }

  get ready(): boolean {
    return this.opened !== undefined && this.readTo >= this.headAtStart;
  }

  get progress(): Progress {
    return progressOf(this.readTo, this.headAtStart);
  }

  /** The views as of `position`. @throws Error before start and after stop */
  get views(): Views {
    const { views } = this.current();
    try {
      views.flush();
    } catch (error) {
      this.recover(error);
      throw error;
    }
    return views;
  }

  /** Grows when the read model goes back while running: sequences of pending lines then begin again. */
  get build(): number {
    return this.builds;
  }

  /** @throws ReadModelInUse when another process holds the file */
  async start(): Promise<void> {
    this.stopping = new AbortController();
    const file = new ViewFile(this.path);
    this.file = file;
    try {
      this.opened = this.open(file);
      await this.compare().catch((error: unknown) => this.discardDamage(error));
      this.opened ??= this.open(file);
      this.headAtStart = await this.store.headPosition();
    } catch (error) {
      this.close();
      throw error;
    }
    this.following = this.follow(file);
    // Whoever waits for lines learns of those that an earlier run left, even when the store has nothing new.
    this.tell();
  }

  async reached(position: bigint, timeoutMs: number, allocationId?: string): Promise<boolean> {
    if (position <= this.readTo && (allocationId === undefined || !this.views.allocations.open(allocationId))) return true;
    return this.waiting.wait(position, allocationId, timeoutMs);
  }

  lookUp(stream: string, kind: UniqueKind, entry: string): { revision: number; found?: UniqueEntry } {
    return this.views.lookUp(stream, kind, entry);
  }

  membershipsOf(userId: string): number {
    return this.views.members.organisationsOf(userId);
  }

  /** Lines of allocations that no member has received, behind `sequence`; none while the views are catching up. */
  pendingLines(sequence: number, count: number): PendingLine[] {
    return this.ready ? this.views.pending.after(sequence, count) : [];
  }

  /** Calls back after the start and after each batch. The answer ends it. */
  onRead(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
    this.waiting.end();
    try {
      this.opened?.folding.commit(this.readMark ?? '');
    } finally {
      this.close();
    }
  }

  private open(file: ViewFile): Current {
    try {
      return this.folded(file.open());
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.discard(reasonOf(error));
      return this.folded(file.open());
    }
  }

  private folded(opened: OpenViews): Current {
    return { ...opened, folding: new Folding(opened, (error) => this.recover(error)) };
  }

  /** The file is disposable: every fact in it is in the store. */
  private discard(reason: string): void {
    this.log.warn(`The read model ${this.path} is discarded and built again: ${reason}.`);
    this.opened?.folding.close();
    this.opened = undefined;
    this.file?.discard();
    this.goBackTo(NO_POSITION, undefined);
  }

  private goBackTo(position: bigint, mark: string | undefined): void {
    this.readTo = position;
    this.readMark = mark;
    this.builds += 1;
    this.attempt.abort();
  }

  private async compare(): Promise<void> {
    const checkpoint = this.current().checkpoints.last();
    if (checkpoint === undefined) return;
    const reason = await contradiction(checkpoint, this.store);
    if (reason !== undefined) return this.discard(reason);
    this.readTo = checkpoint.position;
    this.readMark = checkpoint.mark;
  }

  private discardDamage(error: unknown): void {
    if (!isDamage(error)) throw error;
    this.discard(reasonOf(error));
  }

  private async follow(file: ViewFile): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        if (this.opened === undefined) {
          this.headAtStart = await this.store.headPosition();
          this.opened = this.open(file);
        }
        this.attempt = new AbortController();
        await this.followUntil(AbortSignal.any([signal, this.attempt.signal]), () => (failures = 0));
        if (!this.attempt.signal.aborted) return;
      } catch (error) {
        if (signal.aborted || error instanceof StoreClosed) return;
        this.recover(error);
      }
      await pause(failures, signal);
    }
  }

  private async followUntil(signal: AbortSignal, progress: () => void): Promise<void> {
    for await (const batch of this.store.follow(this.readTo, { batchMax: BATCH_MAX, signal })) {
      this.readMark ??= await this.store.mark();
      if (signal.aborted) return;
      this.take(batch);
      progress();
    }
  }

  private take(batch: readonly StoredEvent[]): void {
    const last = batch.at(-1);
    if (last === undefined || last.position <= this.readTo) return;
    const { folding, views } = this.current();
    const behind = !this.ready;
    folding.apply(batch, this.readMark ?? '', behind);
    const from = this.readTo;
    this.readTo = last.position;
    if (behind) this.progressLog.tell(this.progress);
    if (behind && this.ready) folding.commit(this.readMark ?? '');
    this.waiting.wake(from, last.position, views.takeProgressed(), (allocationId) => this.views.allocations.open(allocationId));
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  /** A damaged file, or one that contradicts the store, is built again; else the last commit is where it goes on. */
  private recover(error: unknown): void {
    try {
      if (isDamage(error) || error instanceof RevisionMissing) return this.discard(reasonOf(error));
      const checkpoint = this.opened?.folding.rollback();
      this.goBackTo(checkpoint?.position ?? NO_POSITION, checkpoint?.mark);
      this.log.error(`The read model goes on at position ${this.readTo}: ${reasonOf(error)}.`);
    } catch (second) {
      this.discard(reasonOf(second));
    }
  }

  private current(): Current {
    if (this.opened === undefined) throw new ReadModelClosed(this.path);
    return this.opened;
  }

  private close(): void {
    this.opened?.folding.close();
    this.opened = undefined;
    this.file?.release();
    this.file = undefined;
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
