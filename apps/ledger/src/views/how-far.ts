import { NO_POSITION } from '@ledger/event-store';
import { type Progress, PROGRESS_LOG_MS, ProgressLog, progressOf } from './progress';
import { Waiting } from './waiting';

/** How far a read model has read, and who wants to know. */
export class HowFar {
  /** Of the last event that the views hold. */
  position = NO_POSITION;
  /** Names the store that was read. */
  mark: string | undefined;
  headAtStart = NO_POSITION;
  /** Of a file that is being filled from nothing, whose views nobody sees yet. */
  private builtTo = NO_POSITION;
  private readonly waiting = new Waiting();
  private readonly listeners = new Set<() => void>();
  private readonly log: ProgressLog;

  constructor(
    say: (sentence: string) => void,
    private readonly isOpen: (allocationId: string) => boolean,
  ) {
    this.log = new ProgressLog((sentence) => say(`The read model has read ${sentence}.`), PROGRESS_LOG_MS);
  }

  /** True once the views have passed the head that the store had at start. */
  get caughtUp(): boolean {
    return this.position >= this.headAtStart;
  }

  get progress(): Progress {
    return progressOf(this.position > this.builtTo ? this.position : this.builtTo, this.headAtStart);
  }

  readonly building = (progress: Progress): void => {
    this.builtTo = progress.position;
    this.log.tell(progress);
  };

  /** `progressed` are the allocations of which a line was received on the way. */
  goOnTo(position: bigint, progressed: ReadonlySet<string>): void {
    const from = this.position;
    if (!this.caughtUp) this.log.tell(progressOf(position, this.headAtStart));
    this.position = position;
    this.waiting.wake(from, position, progressed, this.isOpen);
    this.tell();
  }

  goBackTo(position: bigint, mark: string | undefined): void {
    this.position = position;
    this.mark = mark;
    this.builtTo = NO_POSITION;
  }

  /** True while somebody waits for a position that is not there yet. */
  get isAwaited(): boolean {
    return this.waiting.beyond(this.position);
  }

  wait(position: bigint, allocationId: string | undefined, timeoutMs: number): Promise<boolean> {
    return this.waiting.wait(position, allocationId, timeoutMs);
  }

  /** Calls back after the start and after each batch. The answer ends it. */
  onRead(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  tell(): void {
    for (const listener of this.listeners) listener();
  }

  /** Answers everybody who waits that it was not reached. */
  end(): void {
    this.waiting.end();
  }
}
