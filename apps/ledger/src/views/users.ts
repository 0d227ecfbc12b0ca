import type { UserBalance } from '@ledger/wallet';
import type { Database } from '@ledger/sqlite';
import { Rows } from './rows';

/** Answers: what a user's wallet holds of its own, free and purchased, and what it is granted a month. */

export interface UserRow {
  user_id: string;
  /** Of the last event that was read. */
  revision: number;
  /** Free tokens left of `free_month`; both null before the first grant. */
  free: number | null;
  free_month: string | null;
  tokens_per_month: number | null;
  purchased: number | null;
}

/** About 150 bytes each. */
const ROWS_KEPT_MAX = 50_000;

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
  static readonly joined = 'insert into users select * from other.users;';

  private readonly rows: Rows<UserRow>;

  constructor(db: Database) {
    const write = db.prepare<[string, number, number | null, string | null, number | null, number | null]>(
      'insert or replace into users values (?, ?, ?, ?, ?, ?)',
    );
    const read = db.prepare<[string], UserRow>('select * from users where user_id = ?');
    this.rows = new Rows(
      ROWS_KEPT_MAX,
      (userId) => read.get(userId),
      (row) => write.run(row.user_id, row.revision, row.free, row.free_month, row.tokens_per_month, row.purchased),
    );
  }

  readTo(userId: string, revision: number): void {
    this.change(userId).revision = revision;
  }

  /** Sets the buckets that an event names to what they are after it. */
  hold(userId: string, after: UserBalance): void {
    if (after.free === undefined && after.purchased === undefined) return;
    const row = this.change(userId);
    if (after.free !== undefined) {
      row.free = after.free.tokens;
      row.free_month = after.free.month;
    }
    if (after.purchased !== undefined) row.purchased = after.purchased;
  }

  allowed(userId: string, tokensPerMonth: number): void {
    this.change(userId).tokens_per_month = tokensPerMonth;
  }

  find(userId: string): Readonly<UserRow> | undefined {
    return this.rows.find(userId);
  }

  flush(): void {
    this.rows.flush();
  }

  forget(): void {
    this.rows.forget();
  }

  private change(userId: string): UserRow {
    return this.rows.change(userId, emptyRow);
  }
}

const emptyRow = (userId: string): UserRow => ({
  user_id: userId,
  revision: -1,
  free: null,
  free_month: null,
  tokens_per_month: null,
  purchased: null,
});
