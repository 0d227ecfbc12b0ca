import type { AllocationLine } from '@ledger/wallet';
import type { Database, Statement } from 'better-sqlite3';

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
    this.write.run(userId, organisationId, number, tokens, allocationId, eventId, correlationId);
  }

  received(userId: string, organisationId: string, number: number): void {
    this.drop.run(userId, organisationId, number);
  }

  after(sequence: number, count: number): PendingLine[] {
    return this.read.all(sequence, count);
  }
}
