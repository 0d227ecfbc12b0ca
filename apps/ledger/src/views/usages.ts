import type { Charge, EventOf } from '@ledger/wallet';
import type { Database, Statement } from '@ledger/sqlite';
import type { UsageAnswer } from './answers';
import type { UniqueEntry } from './read-model';

/** Answers: what a usage was charged, whether it was reversed, and which usages carry a caller's reference. */

export interface UsageRow {
  usage_id: string;
  user_id: string;
  revision: number;
  tokens: number;
  at: string;
  /** Null when it is `at`, as nearly always. */
  occurred_at: string | null;
  cost: string | null;
  service: string | null;
  reference: string | null;
  charged: string;
  reversed_revision: number | null;
  reversed_at: string | null;
}

type Text = string | null;

export class Usages {
  /** Rows are only added, one behind the other; a reversal is a row of its own. */
  static readonly tables = `
    create table usages (
      usage_id text not null,
      user_id text not null,
      revision integer not null,
      tokens integer not null,
      at text not null,
      occurred_at text,
      cost text,
      service text,
      reference text,
      charged text not null
    ) strict;
    create table reversals (
      user_id text not null,
      usage_id text not null,
      revision integer not null,
      at text not null,
      primary key (user_id, usage_id)
    ) strict, without rowid;`;
  static readonly joined = `
    insert into usages select * from other.usages order by rowid;
    insert into reversals select * from other.reversals;`;
  /** The id is a UUIDv7, so new entries go to the end of the tree, which costs the least. */
  static readonly indexes = `
    create unique index usages_by_id on usages (usage_id, user_id);
    create index usages_by_reference on usages (user_id, reference, revision) where reference is not null;`;

  private readonly write: Statement<[string, string, number, number, string, Text, Text, Text, Text, string]>;
  private readonly writeReversal: Statement<[string, string, number, string]>;
  private readonly read: Statement<[string, string], UsageRow>;
  private readonly readByReference: Statement<[string, string, number, number], UsageRow>;

  constructor(db: Database) {
    this.write = db.prepare('insert or ignore into usages values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.writeReversal = db.prepare('insert or ignore into reversals values (?, ?, ?, ?)');
    const rows = `select usages.*, reversals.revision reversed_revision, reversals.at reversed_at
      from usages left join reversals using (user_id, usage_id)`;
    this.read = db.prepare(`${rows} where usage_id = ? and user_id = ?`);
    this.readByReference = db.prepare(
      `${rows} where user_id = ? and reference = ? and usages.revision < ? order by usages.revision desc limit ?`,
    );
  }

  charged(userId: string, revision: number, used: EventOf<'TokensUsed'>['data']): void {
    const occurredAt = used.occurredAt === used.at ? null : used.occurredAt;
    const { usageId, tokens, at, variableCostEuros = null, service = null, reference = null, charged } = used;
    this.write.run(usageId, userId, revision, tokens, at, occurredAt, variableCostEuros, service, reference, JSON.stringify(charged));
  }

  reversed(userId: string, revision: number, usageId: string, at: string): void {
    this.writeReversal.run(userId, usageId, revision, at);
  }

  find(userId: string, usageId: string): UsageRow | undefined {
    return this.read.get(usageId, userId);
  }

  /** What makes a usage unique for ever. */
  entry(userId: string, usageId: string): UniqueEntry | undefined {
    const row = this.find(userId, usageId);
    if (row === undefined) return undefined;
    const { revision, reversed_revision: reversedRevision } = row;
    return reversedRevision === null ? { revision } : { revision, reversedRevision };
  }

  /** Newest first, those with a smaller revision than `before`. */
  byReference(userId: string, reference: string, before: number, count: number): UsageRow[] {
    return this.readByReference.all(userId, reference, before, count);
  }
}

export const usageAnswer = (row: UsageRow): UsageAnswer => ({
  usageId: row.usage_id,
  userId: row.user_id,
  tokens: row.tokens,
  at: row.at,
  occurredAt: row.occurred_at ?? row.at,
  ...(row.cost === null ? {} : { variableCostEuros: row.cost }),
  ...(row.service === null ? {} : { service: row.service }),
  ...(row.reference === null ? {} : { reference: row.reference }),
  charged: JSON.parse(row.charged) as Charge[],
  reversed: row.reversed_revision !== null,
  ...(row.reversed_at === null ? {} : { reversedAt: row.reversed_at }),
});
