import type { AllocationLine, EventOf } from '@ledger/wallet';
import type { Database, Statement } from '@ledger/sqlite';
import type { AllocationAnswer } from './answers';

/** Answers: which allocations an organisation made, with their lines, and how far their settlement is. */

export interface AllocationRow {
  allocation_id: string;
  organisation_id: string;
  /** Of the first part. */
  revision: number;
  tokens: number;
  line_count: number;
  settled_lines: number;
  memo: string | null;
  at: string;
  actor: string;
}

interface PartRow {
  first_line: number;
  lines: string;
}

export class Allocations {
  /** The lines of a part stay one text: they are written once and read by the page. */
  static readonly tables = `
    create table allocations (
      allocation_id text not null,
      organisation_id text not null,
      revision integer not null,
      tokens integer not null,
      line_count integer not null,
      settled_lines integer not null,
      memo text,
      at text not null,
      actor text not null,
      primary key (allocation_id, organisation_id)
    ) strict, without rowid;
    create table allocation_parts (
      allocation_id text not null,
      part integer not null,
      first_line integer not null,
      line_count integer not null,
      lines text not null,
      primary key (allocation_id, part)
    ) strict;`;
  static readonly indexes = `
    create index allocations_of_organisation on allocations (organisation_id, revision);`;

  /** Lines received and not written yet, by allocation. */
  private readonly receipts = new Map<string, { organisationId: string; lines: number }>();
  private readonly write: Statement<[string, string, number, number, number, string | null, string, string]>;
  private readonly writePart: Statement<[string, number, string, number, string]>;
  private readonly writeSettled: Statement<[number, string, string]>;
  private readonly read: Statement<[string, string], AllocationRow>;
  private readonly readPage: Statement<[string, number, number], AllocationRow>;
  private readonly readParts: Statement<[string, number, number], PartRow>;
  private readonly readOpen: Statement<[string], number>;

  constructor(db: Database) {
    this.write = db.prepare('insert or ignore into allocations values (?, ?, ?, ?, ?, 0, ?, ?, ?)');
    this.writePart = db.prepare(`
      insert or ignore into allocation_parts
      values (?, ?, (select coalesce(sum(line_count), 0) from allocation_parts where allocation_id = ?), ?, ?)`);
    this.writeSettled = db.prepare(
      'update allocations set settled_lines = settled_lines + ? where allocation_id = ? and organisation_id = ?',
    );
    this.read = db.prepare('select * from allocations where allocation_id = ? and organisation_id = ?');
    this.readPage = db.prepare('select * from allocations where organisation_id = ? and revision < ? order by revision desc limit ?');
    this.readParts = db.prepare(
      'select first_line, lines from allocation_parts where allocation_id = ? and first_line + line_count > ? and first_line < ? order by part',
    );
    this.readOpen = db
      .prepare<[string], number>('select 1 from allocations where allocation_id = ? and settled_lines < line_count')
      .pluck();
  }

  made(organisationId: string, revision: number, allocated: EventOf<'TokensAllocated'>['data'], actor: string): void {
    const { allocationId, part, tokensTotal, lineCount, memo, at, lines } = allocated;
    this.write.run(allocationId, organisationId, revision, tokensTotal, lineCount, memo ?? null, at, actor);
    this.writePart.run(allocationId, part, allocationId, lines.length, JSON.stringify(lines));
  }

  received(organisationId: string, allocationId: string): void {
    const receipts = this.receipts.get(allocationId);
    if (receipts === undefined) this.receipts.set(allocationId, { organisationId, lines: 1 });
    else receipts.lines += 1;
  }

  find(organisationId: string, allocationId: string): AllocationRow | undefined {
    return this.read.get(allocationId, organisationId);
  }

  /** Newest first, those with a smaller revision than `before`. */
  page(organisationId: string, before: number, count: number): AllocationRow[] {
    return this.readPage.all(organisationId, before, count);
  }

  /** Lines `from` to `to` (exclusive), counted from 0 over all parts. */
  lines(allocationId: string, from: number, to: number): { userId: string; tokens: number }[] {
    return this.readParts.all(allocationId, from, to).flatMap(({ first_line, lines }) => {
      const wanted = (JSON.parse(lines) as AllocationLine[]).slice(Math.max(0, from - first_line), to - first_line);
      return wanted.map(([userId, tokens]) => ({ userId, tokens }));
    });
  }

  /** True while a member has yet to receive a line; an allocation never heard of has nothing to wait for. */
  open(allocationId: string): boolean {
    return this.readOpen.get(allocationId) !== undefined;
  }

  flush(): void {
    for (const [allocationId, { organisationId, lines }] of this.receipts) this.writeSettled.run(lines, allocationId, organisationId);
    this.receipts.clear();
  }

  /** Drops what a rolled-back transaction would have written. */
  forget(): void {
    this.receipts.clear();
  }
}

export const allocationAnswer = (row: AllocationRow): AllocationAnswer => ({
  allocationId: row.allocation_id,
  tokens: row.tokens,
  lineCount: row.line_count,
  settled: row.settled_lines >= row.line_count,
  settledLines: row.settled_lines,
  ...(row.memo === null ? {} : { memo: row.memo }),
  at: row.at,
  actor: row.actor,
});
