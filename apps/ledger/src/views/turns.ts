import type { Database } from '@ledger/sqlite';

/**
 * What is read in one turn of the event loop is of one commit of whoever writes the file: an answer made of several rows does not mix
 * two. A longer look would keep the log of the file from being moved into it.
 */
export class Turns {
  private looking: Database | undefined;

  begin(db: Database): void {
    if (db.inTransaction) return;
    db.exec('begin');
    this.looking = db;
    setImmediate(() => this.end());
  }

  /** Whoever reads from now on sees what was committed meanwhile. */
  end(): void {
    const { looking } = this;
    this.looking = undefined;
    if (looking?.open === true && looking.inTransaction) looking.exec('commit');
  }
}
