import type { UserBalance } from '@ledger/wallet';
import type { Database, Statement } from 'better-sqlite3';

/** Answers: what a user's wallet holds of its own, free and purchased, and what it is granted a month. */

export interface UserRow {
  user_id: string;
  revision: number;
  /** Free tokens left of `free_month`; both null before the first grant. */
  free: number | null;
  free_month: string | null;
  tokens_per_month: number | null;
  purchased: number | null;
}

/** What events changed in a row that is not written yet; null keeps what was there. */
interface UserChange {
  revision: number;
  free: number | null;
  freeMonth: string | null;
  tokensPerMonth: number | null;
  purchased: number | null;
}

export class Users {
  static readonly tables = `
    create table users (
      user_id text primary key,
      revision integer not null,
      free integer,
      free_month text,
      tokens_per_month integer,
      purchased integer
    ) strict, without rowid;`;

  private readonly changes = new Map<string, UserChange>();
  private readonly write: Statement<[string, number, number | null, string | null, number | null, number | null]>;
  private readonly read: Statement<[string], UserRow>;

  constructor(db: Database) {
    this.write = db.prepare(`
      insert into users values (?, ?, ?, ?, ?, ?)
      on conflict do update set revision = excluded.revision, free = coalesce(excluded.free, free),
        free_month = coalesce(excluded.free_month, free_month), tokens_per_month = coalesce(excluded.tokens_per_month, tokens_per_month),
        purchased = coalesce(excluded.purchased, purchased)`);
    this.read = db.prepare('select * from users where user_id = ?');
  }

  readTo(userId: string, revision: number): void {
    this.change(userId).revision = revision;
  }

  /** Sets the buckets that an event names to what they are after it. */
  hold(userId: string, after: UserBalance): void {
    const change = this.change(userId);
    if (after.free !== undefined) {
      change.free = after.free.tokens;
      change.freeMonth = after.free.month;
    }
    if (after.purchased !== undefined) change.purchased = after.purchased;
  }

  allowed(userId: string, tokensPerMonth: number): void {
    this.change(userId).tokensPerMonth = tokensPerMonth;
  }

  find(userId: string): UserRow | undefined {
    return this.read.get(userId);
  }

  /** Writes each changed row once, however many events touched it. */
  flush(): void {
    for (const [userId, { revision, free, freeMonth, tokensPerMonth, purchased }] of this.changes) {
      this.write.run(userId, revision, free, freeMonth, tokensPerMonth, purchased);
    }
    this.changes.clear();
  }

  /** Drops what a rolled-back transaction would have written. */
  forget(): void {
    this.changes.clear();
  }

  private change(userId: string): UserChange {
    let change = this.changes.get(userId);
    if (change === undefined) {
      change = { revision: -1, free: null, freeMonth: null, tokensPerMonth: null, purchased: null };
      this.changes.set(userId, change);
    }
    return change;
  }
}
