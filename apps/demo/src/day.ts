import type { LedgerApi } from './ledger-api';
import type { School } from './school';
import type { Tally } from './tally';

/** What an act has at hand. */
export interface Day {
  school: School;
  /** The platform's own service: opens, sells, charges. */
  platform: LedgerApi;
  /** Each organisation's admin. */
  admins: Map<string, LedgerApi>;
  /** One member, who may look at their own wallet and nothing else. */
  member: { userId: string; api: LedgerApi };
  tally: Tally;
  /** Says what happened, one sentence a line. */
  tell(sentence: string): void;
  /** Position of the last command that was answered on its own: reads that send it see the whole day. */
  position?: string;
  rates: Rates;
  /** Usages that were accepted, with the first answer to the letter. */
  accepted: Accepted[];
  bills: Billed[];
}

/** A line of what was billed: what it costs, as the answer says it, what was paid now, and what is owed for it. */
export interface Billed {
  owner: string;
  what: string;
  costs?: number | string;
  paid: number;
  owed: number;
  outcome: 'paid' | 'owed' | 'declined';
}

export interface Accepted {
  row: number;
  userId: string;
  usageId: string;
  tokens: number;
  text: string;
}

/** What was measured on the way; milliseconds. */
export interface Rates {
  usages: number;
  usagesPerSecond: number;
  p50: number;
  p99: number;
  allocation?: { lines: number; decided: number; settled: number };
}

/** One thing that happens on the day. Anything the service answers against the contract throws. */
export type Act = (day: Day) => Promise<void>;

export const adminOf = (day: Day, organisationId: string): LedgerApi => day.admins.get(organisationId)!;
