import { streamOf, type WalletRef } from '@ledger/wallet';
import type { Database, Statement } from '@ledger/sqlite';

/** Answers: what a wallet held at some earlier revisions, so that a balance of the past is folded from near by. */
export interface BalanceMark {
  revision: number;
  /** Of a user; absent before the wallet was opened. */
  free?: { tokens: number; month: string; tokensPerMonth: number };
  /** Purchased tokens of a user; what is available of an organisation. */
  purchased: number;
  owed: number;
  /** In the order of the first receipt. */
  allocated: { organisationId: string; tokens: number }[];
}

/** Every so many events of one stream: rare enough to cost the hot path nothing, near enough to fold the rest in a few ms. */
const EVENTS_PER_MARK = 1_024;

export const isMarked = (revision: number): boolean => revision % EVENTS_PER_MARK === EVENTS_PER_MARK - 1;

export class BalanceMarks {
  static readonly tables = `
    create table balance_marks (
      stream text not null,
      revision integer not null,
      mark text not null,
      primary key (stream, revision)
    ) strict, without rowid;`;

  private readonly write: Statement<[string, number, string]>;
  private readonly read: Statement<[string, number], string>;

  constructor(db: Database) {
    this.write = db.prepare('insert or replace into balance_marks values (?, ?, ?)');
    this.read = db
      .prepare<[string, number], string>('select mark from balance_marks where stream = ? and revision <= ? order by revision desc limit 1')
      .pluck();
  }

  set(wallet: WalletRef, mark: BalanceMark): void {
    this.write.run(streamOf(wallet), mark.revision, JSON.stringify(mark));
  }

  nearest(wallet: WalletRef, revision: number): BalanceMark | undefined {
    const mark = this.read.get(streamOf(wallet), revision);
    return mark === undefined ? undefined : (JSON.parse(mark) as BalanceMark);
  }
}
