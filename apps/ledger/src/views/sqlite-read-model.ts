import { type EventStore, NO_POSITION, StoreClosed } from '@ledger/event-store';
import { Logger } from '@nestjs/common';
import { buildFromNothing } from './building';
import { contradiction } from './checkpoint';
import type { OpenViews } from './filling';
import { Folding } from './folding';
import { HowFar } from './how-far';
import { Keeper, KeeperFailed, keeperScript } from './keeper';
import { BATCH_MAX, type Current, keepHere } from './keeping-here';
import { pause } from './pause';
import type { PendingLine } from './pending-lines';
import type { Progress } from './progress';
import { ReadModel, type UniqueEntry, type UniqueKind } from './read-model';
import { RevisionMissing } from './stream-revisions';
import { Turns } from './turns';
import { isDamage, ReadModelClosed, reasonOf, ViewFile } from './view-file';
import type { Views } from './views';

/** The read model in a local SQLite file, which follows the store and is thrown away when it does not match it. */
export class SqliteReadModel extends ReadModel {
  private readonly log = new Logger('ReadModel');
  private readonly far = new HowFar(
    (sentence) => this.log.log(sentence),
    (allocationId) => this.views.allocations.open(allocationId),
  );
  private stopping = new AbortController();
  /** Ends one follower, when the next must begin at another position. */
  private attempt = new AbortController();
  private file: ViewFile | undefined;
  private opened: Current | undefined;
  private following: Promise<void> = Promise.resolve();
  private builds = 0;
  /** The thread that keeps the views, when this one only reads them. */
  private keeper: Keeper | undefined;
  private readonly turns = new Turns();
  private readonly beside: { script: string; storeFile: string } | undefined;

  /** `script` is of the thread that follows a store that is a file; without it, and for other stores, this one does. */
  constructor(
    private readonly store: EventStore,
    private readonly path: string,
    script = keeperScript(),
  ) {
    super();
    if (script !== undefined && store.file !== undefined) this.beside = { script, storeFile: store.file };
  }

  get position(): bigint {
    return this.far.position;
  }

  get mark(): string | undefined {
    return this.far.mark;
  }

  get ready(): boolean {
    return this.opened !== undefined && this.far.caughtUp && (this.beside === undefined || this.keeper?.isOpen === true);
  }

  get progress(): Progress {
    return this.far.progress;
  }

  /** The views as of `position` or later, the same until the end of this turn. @throws Error before start and after stop */
  get views(): Views {
    return this.reading((views) => views.flush());
  }

  /** Grows when the read model goes back while running: sequences of pending lines then begin again. */
  get build(): number {
    return this.builds;
  }

  /** @throws ReadModelInUse when another process holds the file */
  async start(): Promise<void> {
    this.stopping = new AbortController();
    const file = (this.file = new ViewFile(this.path));
    try {
      this.opened = this.open(file);
      await this.compare().catch((error: unknown) => this.discardDamage(error));
      this.opened ??= this.open(file);
      this.far.headAtStart = await this.store.headPosition();
    } catch (error) {
      this.close();
      throw error;
    }
    this.following = this.follow(file);
    // Whoever waits for lines learns of those that an earlier run left, even when the store has nothing new.
    this.far.tell();
  }

  async reached(position: bigint, timeoutMs: number, allocationId?: string): Promise<boolean> {
    if (position <= this.far.position && (allocationId === undefined || !this.views.allocations.open(allocationId))) return true;
    if (position > this.far.position) this.keeper?.hurry(true);
    return this.far.wait(position, allocationId, timeoutMs);
  }

  lookUp(stream: string, kind: UniqueKind, entry: string): { revision: number; found?: UniqueEntry } {
    if (this.opened === undefined) return { revision: -1 };
    // Of what the other thread writes nothing may be remembered here.
    if (this.keeper !== undefined) this.opened.views.forget();
    return this.opened.views.lookUp(stream, kind, entry);
  }

  membershipsOf(userId: string): number {
    return this.views.members.organisationsOf(userId);
  }

  /** Lines of allocations that no member has received, behind `sequence`; none while the views are catching up. */
  pendingLines(sequence: number, count: number): PendingLine[] {
    return this.ready ? this.reading(({ pending }) => pending.after(sequence, count)) : [];
  }

  /** Calls back after the start and after each batch. The answer ends it. */
  onRead(listener: () => void): () => void {
    return this.far.onRead(listener);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
    this.far.end();
    try {
      this.opened?.folding.commit(this.far.mark ?? '');
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
    this.far.goBackTo(position, mark);
    this.builds += 1;
    this.attempt.abort();
  }

  private async compare(): Promise<void> {
    const checkpoint = this.current().checkpoints.last();
    if (checkpoint === undefined) return;
    const reason = await contradiction(checkpoint, this.store);
    if (reason !== undefined) return this.discard(reason);
    this.far.goBackTo(checkpoint.position, checkpoint.mark);
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
          this.far.headAtStart = await this.store.headPosition();
          this.opened = this.open(file);
        }
        if (this.far.position === NO_POSITION && this.far.headAtStart > NO_POSITION) await this.buildAnew(file, signal);
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

  /** Until it is done there are no views: what they would say is half of the truth. */
  private async buildAnew(file: ViewFile, signal: AbortSignal): Promise<void> {
    this.opened?.folding.close();
    this.opened = undefined;
    this.far.mark = await this.store.mark();
    const pages = this.store.follow(NO_POSITION, { batchMax: BATCH_MAX, signal });
    const built = await buildFromNothing({ store: this.store, until: this.far.headAtStart, pages, file, tell: this.far.building, signal });
    if (built === undefined) return;
    this.opened = this.folded(built);
    this.far.goOnTo(built.checkpoints.last()?.position ?? NO_POSITION, new Set());
  }

  private async followUntil(signal: AbortSignal, progress: () => void): Promise<void> {
    const { store, beside, far } = this;
    if (beside === undefined) return keepHere({ store, far, current: () => this.current() }, signal, progress);
    const options = { store: beside.storeFile, path: this.path, headAtStart: far.headAtStart };
    this.keeper = new Keeper(beside.script, options, far, () => {
      progress();
      this.turns.end();
    });
    await this.keeper.until(signal).finally(() => (this.keeper = undefined));
  }

  /** A damaged file, or one that contradicts the store, is built again; else the last commit is where it goes on. */
  private recover(error: unknown): void {
    try {
      const useless = error instanceof KeeperFailed ? error.useless : isDamage(error) || error instanceof RevisionMissing;
      if (useless) return this.discard(reasonOf(error));
      const checkpoint = this.opened?.folding.rollback();
      this.goBackTo(checkpoint?.position ?? NO_POSITION, checkpoint?.mark);
      this.log.error(`The read model goes on at position ${this.far.position}: ${reasonOf(error)}.`);
    } catch (second) {
      this.discard(reasonOf(second));
    }
  }

  private reading<T>(read: (views: Views) => T): T {
    const { db, views } = this.current();
    try {
      if (this.keeper !== undefined) this.turns.begin(db);
      return read(views);
    } catch (error) {
      this.recover(error);
      throw error;
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
