import type { AllocationLine } from '@ledger/wallet';
import type { Database, Statement } from '@ledger/sqlite';

/** Answers: which lines of allocations no member has received yet. Settlement works these off; it keeps no record of its own. */

export interface PendingLine {
  /** Order of allocation over all organisations; a cursor for who reads on. */
  sequence: number;
  userId: string;
  organisationId: string;
  /** The member's running number in the organisation. */
  number: number;
  tokens: number;
  allocationId: string;
  /** Id of the TokensAllocated event that the line is part of. */
  eventId: string;
  correlationId: string;
}

/** About 300 bytes each; more are written. */
const LINES_FRESH_MAX = 50_000;

export class PendingLines {
  static readonly tables = `
    create table pending_lines (
      sequence integer primary key autoincrement,
      user_id text not null,
      organisation_id text not null,
      number integer not null,
      tokens integer not null,
      allocation_id text not null,
      event_id text not null,
      correlation_id text not null
    ) strict;
    create unique index pending_lines_of_member on pending_lines (user_id, organisation_id, number);`;

  /** Lines that are not written yet: most are received soon, and then never written. */
  private readonly fresh = new Map<string, Omit<PendingLine, 'sequence'>>();
  private readonly write: Statement<[string, string, number, number, string, string, string]>;
  private readonly drop: Statement<[string, string, number]>;
  private readonly read: Statement<[number, number], PendingLine>;

  constructor(db: Database) {
    this.write = db.prepare(`
      insert or ignore into pending_lines (user_id, organisation_id, number, tokens, allocation_id, event_id, correlation_id)
      values (?, ?, ?, ?, ?, ?, ?)`);
    this.drop = db.prepare('delete from pending_lines where user_id = ? and organisation_id = ? and number = ?');
    this.read = db.prepare(`
      select sequence, user_id userId, organisation_id organisationId, number, tokens, allocation_id allocationId, event_id eventId,
        correlation_id correlationId
      from pending_lines where sequence > ? order by sequence limit ?`);
  }

  add(
    organisationId: string,
    allocationId: string,
    [userId, tokens, number]: AllocationLine,
    eventId: string,
    correlationId: string,
  ): void {
    const line = { userId, organisationId, number, tokens, allocationId, eventId, correlationId };
    this.fresh.set(keyOf(userId, organisationId, number), line);
    if (this.fresh.size >= LINES_FRESH_MAX) this.flush();
  }

  received(userId: string, organisationId: string, number: number): void {
    if (!this.fresh.delete(keyOf(userId, organisationId, number))) this.drop.run(userId, organisationId, number);
  }

  /** Asked after each batch, so it writes its own lines and leaves the other views in memory. */
  after(sequence: number, count: number): PendingLine[] {
    this.flush();
    return this.read.all(sequence, count);
  }

  flush(): void {
    for (const { userId, organisationId, number, tokens, allocationId, eventId, correlationId } of this.fresh.values())
      this.write.run(userId, organisationId, number, tokens, allocationId, eventId, correlationId);
    this.fresh.clear();
  }

  /** Drops what a rolled-back transaction would have written. */
  forget(): void {
    this.fresh.clear();
  }
}

/** No id holds a slash. */
const keyOf = (userId: string, organisationId: string, number: number): string => `${userId}/${organisationId}/${number}`;
