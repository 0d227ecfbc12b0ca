import type { StoredEvent } from '@ledger/event-store';
import type { Checkpoint } from './checkpoint';
import type { OpenViews } from './filling';

/**
 * A transaction is committed after so many events or so much time, whichever comes first. Nothing else runs during a commit, which
 * writes a page for nearly every wallet among them: measured, 12 ms of 500 events, 31 ms of 2,000.
 */
const COMMIT_EVENTS = 500;
const COMMIT_MS = 1_000;
/** While catching up nobody waits for an answer, and the more events share a page's write, the better. */
const COMMIT_EVENTS_BEHIND = 50_000;
const COMMIT_MS_BEHIND = 5_000;

/**
 * Folds batches into the views of one file. Several batches share one transaction, which stays open between them, so that a
 * page that many events touch is written once. Answers are read on the same connection and see what is not committed yet;
 * what is lost with the process is read from the store again.
 */
export class Folding {
  private last: StoredEvent | undefined;
  private uncommitted = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly opened: OpenViews,
    /** A commit that was due by time failed; `rollback` must follow. */
    private readonly failed: (error: unknown) => void,
  ) {}

  /** `mark` names the store that the events come from. */
  apply(batch: readonly StoredEvent[], mark: string, behind: boolean): void {
    const { db, views } = this.opened;
    if (!db.inTransaction) {
      db.exec('begin');
      this.uncommitted = 0;
      this.timer = setTimeout(() => this.commitInTime(mark), behind ? COMMIT_MS_BEHIND : COMMIT_MS);
    }
    for (const event of batch) views.apply(event);
    this.last = batch.at(-1);
    this.uncommitted += batch.length;
    if (this.uncommitted >= (behind ? COMMIT_EVENTS_BEHIND : COMMIT_EVENTS)) this.commit(mark);
  }

  /** Rows and checkpoint together, so that neither is ever ahead of the other. */
  commit(mark: string): void {
    clearTimeout(this.timer);
    const { db, views, checkpoints } = this.opened;
    if (!db.inTransaction || this.last === undefined) return;
    views.complete();
    checkpoints.save(mark, this.last);
    db.exec('commit');
  }

  /** Goes back to the last commit, and answers how far that had read. */
  rollback(): Checkpoint | undefined {
    clearTimeout(this.timer);
    const { db, views, checkpoints } = this.opened;
    views.forget();
    if (db.inTransaction) db.exec('rollback');
    return checkpoints.last();
  }

  /** Drops what is not committed, with the connection. */
  close(): void {
    clearTimeout(this.timer);
    this.opened.db.close();
  }

  private commitInTime(mark: string): void {
    try {
      this.commit(mark);
    } catch (error) {
      this.failed(error);
    }
  }
}
