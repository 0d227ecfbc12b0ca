import type { StoredEvent } from '@ledger/event-store';
import { type BillEvent, isBill, type WalletEvent, textIn } from '@ledger/wallet';
import type { Database, Statement } from '@ledger/sqlite';
import type { BillAnswer, StorageAnswer } from './answers';

/** Answers: what an owner was billed for, what it owes, and which days of storage were accrued or missed. */

/** What bills leave of a wallet. One that was never billed has none. */
export interface BillingRow {
  owed: number;
  /** 1 when the last accrual was declined. */
  storage_declined: number;
  carried: string;
}

interface StorageRow {
  first_day: string | null;
  last_day: string | null;
  days: number;
}

/** Missed days that are listed by name; there may be more. */
export const MISSED_DAYS_MAX = 100;

export class Bills {
  /** The wallet's stream comes first, so that the bills of one owner lie together. What a bill said stays one text. */
  static readonly tables = `
    create table billing (
      stream text primary key,
      owed integer not null,
      storage_declined integer not null,
      carried text not null
    ) strict, without rowid;
    create table bills (
      stream text not null,
      revision integer not null,
      kind text not null,
      day text,
      answer text not null,
      primary key (stream, revision)
    ) strict, without rowid;`;
  static readonly joined = `
    insert into billing select * from other.billing;
    insert into bills select * from other.bills;`;
  static readonly indexes = `
    create index storage_days on bills (stream, day) where day is not null;`;

  private readonly write: Statement<[string, number, string, string | null, string]>;
  private readonly writeOwed: Statement<[string, number]>;
  private readonly writeStorage: Statement<[string, number, number, string]>;
  private readonly writePaid: Statement<[number, string]>;
  private readonly readBilling: Statement<[string], BillingRow>;
  private readonly readPage: Statement<[{ stream: string; kind: string | null; before: number; count: number }], BillRow>;
  private readonly readStorage: Statement<[string], StorageRow>;
  private readonly readDays: Statement<[string], string>;

  constructor(db: Database) {
    this.write = db.prepare('insert or ignore into bills values (?, ?, ?, ?, ?)');
    this.writeOwed = db.prepare(`insert into billing values (?, ?, 0, '0') on conflict do update set owed = excluded.owed`);
    this.writeStorage = db.prepare(`
      insert into billing values (?, ?, ?, ?)
      on conflict do update set owed = excluded.owed, storage_declined = excluded.storage_declined, carried = excluded.carried`);
    this.writePaid = db.prepare('update billing set owed = owed - ? where stream = ?');
    this.readBilling = db.prepare('select owed, storage_declined, carried from billing where stream = ?');
    this.readPage = db.prepare(`
      select revision, answer from bills
      where stream = @stream and revision < @before and (@kind is null or kind = @kind) order by revision desc limit @count`);
    this.readStorage = db.prepare(
      'select min(day) as first_day, max(day) as last_day, count(*) as days from bills where stream = ? and day is not null',
    );
    this.readDays = db.prepare<[string], string>('select day from bills where stream = ? and day is not null order by day desc').pluck();
  }

  note(event: WalletEvent, { stream, revision, metadata }: StoredEvent): void {
    // A purchase pays the debt first.
    if (event.type === 'TokensPurchased' && event.data.owedPaid > 0) this.writePaid.run(event.data.owedPaid, stream);
    else if (isBill(event)) this.billed(stream, revision, event, textIn(metadata, 'actor') ?? '');
  }

  /** A declined day of storage is told by its StorageAccrued, so its BillDeclined is no row of its own. */
  private billed(stream: string, revision: number, event: BillEvent, actor: string): void {
    const answer = billAnswer(event, actor);
    if (answer === undefined) return;
    const day = event.type === 'StorageAccrued' ? event.data.day : null;
    this.write.run(stream, revision, answer.kind, day, JSON.stringify(answer));
    if (event.type === 'BillCharged') this.writeOwed.run(stream, event.data.owed);
    if (event.type !== 'StorageAccrued') return;
    this.writeStorage.run(stream, event.data.owed, event.data.declined ? 1 : 0, event.data.carriedTokens);
  }

  of(stream: string): BillingRow {
    return this.readBilling.get(stream) ?? { owed: 0, storage_declined: 0, carried: '0' };
  }

  /** Newest first, those with a smaller revision than `before`. */
  page(stream: string, kind: 'hosting' | 'storage' | undefined, before: number, count: number): BillRow[] {
    return this.readPage.all({ stream, kind: kind ?? null, before, count });
  }

  /** A day between the first and the last accrued one that nobody accrued was missed. */
  storage(stream: string): StorageAnswer {
    const { owed, storage_declined: declined, carried: carriedTokens } = this.of(stream);
    const { first_day: firstDay, last_day: lastDay, days } = this.readStorage.get(stream)!;
    const missed = firstDay === null || lastDay === null ? 0 : dayNumber(lastDay) - dayNumber(firstDay) + 1 - days;
    const missedDays = missed === 0 ? [] : this.missedDays(stream);
    return { firstDay, lastDay, accruedDays: days, missed, missedDays, carriedTokens, declined: declined === 1, owed };
  }

  /** Newest first, at most MISSED_DAYS_MAX. */
  private missedDays(stream: string): string[] {
    const missed: string[] = [];
    let later: number | undefined;
    for (const day of this.readDays.iterate(stream)) {
      const number = dayNumber(day);
      for (let gap = (later ?? number) - 1; gap > number && missed.length < MISSED_DAYS_MAX; gap--) missed.push(dayOf(gap));
      if (missed.length >= MISSED_DAYS_MAX) break;
      later = number;
    }
    return missed;
  }
}

export interface BillRow {
  revision: number;
  answer: string;
}

export const billAnswerOf = ({ answer }: BillRow): BillAnswer => JSON.parse(answer) as BillAnswer;

function billAnswer(event: BillEvent, actor: string): BillAnswer | undefined {
  switch (event.type) {
    case 'BillCharged': {
      const { billId, month, tokens, chargedTokens, owedTokens, breakdown, charged, at } = event.data;
      return { billId, kind: 'hosting', month, tokens, chargedTokens, owedTokens, declined: false, breakdown, charged, at, actor };
    }
    case 'BillDeclined': {
      const { billId, kind, month, tokens, breakdown, at } = event.data;
      if (kind === 'storage' || breakdown === undefined) return undefined;
      return { billId, kind, month, tokens, chargedTokens: 0, owedTokens: 0, declined: true, breakdown, charged: [], at, actor };
    }
    case 'StorageAccrued': {
      const { day, bytes, accruedTokens, chargedTokens, carriedTokens, owedTokens, declined, charged, at } = event.data;
      const amounts = { accruedTokens, chargedTokens, carriedTokens, owedTokens };
      return { kind: 'storage', month: day.slice(0, 7), day, bytes, ...amounts, declined, charged, at, actor };
    }
    default:
      return event satisfies never;
  }
}

const DAY_MS = 86_400_000;
/** Days are counted from 1970-01-01; they are names here, so no time zone matters. */
const dayNumber = (day: string): number => Date.parse(day) / DAY_MS;
const dayOf = (number: number): string => new Date(number * DAY_MS).toISOString().slice(0, 10);
