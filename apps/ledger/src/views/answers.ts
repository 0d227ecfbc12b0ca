import type { Charge, DefaultLimits, MemberStatus, Meter, Period } from '@ledger/wallet';

/** What the GETs answer, field by field as the HTTP contract says. Amounts are tokens, instants ISO 8601 UTC. */

export interface Page<Row> {
  data: Row[];
  nextCursor: string | null;
}
export interface PageRequest {
  limit: number;
  cursor?: string;
}

export interface OrganisationAnswer {
  organisationId: string;
  timeZone: string;
  available: number;
  inTransit: number;
  owed: number;
  /** The last accrual of storage was declined. */
  storageDeclined: boolean;
  limits: DefaultLimits;
  members: Record<MemberStatus, number>;
  revision: number;
}

/** One limit's window now. `limit` and `remaining` are null when unlimited. */
export interface WindowAnswer {
  limit: number | null;
  source: 'member' | 'default';
  used: number;
  remaining: number | null;
  window: string;
  resetsAt: string;
}
export type LimitsAnswer = Record<Meter, Record<Period, WindowAnswer>>;

export interface MemberAnswer {
  organisationId: string;
  userId: string;
  status: MemberStatus;
  /** Allocated tokens that the member holds of this organisation. */
  allocated: number;
  limits: LimitsAnswer;
}

export interface AllocationAnswer {
  allocationId: string;
  tokens: number;
  lineCount: number;
  settled: boolean;
  settledLines: number;
  memo?: string;
  at: string;
  actor: string;
}
export interface AllocationDetail extends AllocationAnswer {
  lines: { userId: string; tokens: number }[];
  nextCursor: string | null;
}

export interface RelationshipAnswer {
  organisationId: string;
  tokens: number;
  /** What limits and status let through now. */
  usable: number;
  status: MemberStatus;
  limits: { usage: Record<Period, WindowAnswer> };
}
export interface UserAnswer {
  userId: string;
  /** free + purchased + all allocated. */
  balance: number;
  free: { tokens: number; tokensPerMonth: number; month: string; resetsAt: string };
  purchased: number;
  allocated: RelationshipAnswer[];
  owed: number;
  storageDeclined: boolean;
  revision: number;
}

export interface UsageAnswer {
  usageId: string;
  userId: string;
  tokens: number;
  at: string;
  occurredAt: string;
  variableCostEuros?: string;
  service?: string;
  reference?: string;
  charged: Charge[];
  reversed: boolean;
  reversedAt?: string;
}

/** A hosting bill, a hosting bill that was declined, or a day of storage. */
export interface BillAnswer {
  /** Of hosting. */
  billId?: string;
  kind: 'hosting' | 'storage';
  month: string;
  /** Of hosting: all that it costs. */
  tokens?: number;
  /** Of storage; `accruedTokens` and `carriedTokens` are exact decimals. */
  day?: string;
  bytes?: number;
  accruedTokens?: string;
  carriedTokens?: string;
  chargedTokens: number;
  owedTokens: number;
  declined: boolean;
  /** Of hosting. */
  breakdown?: { billableCampuses: number; billableCourses: number; billablePlaces: number };
  charged: Charge[];
  at: string;
  actor: string;
}

/** Storage as it stands. Days between the first and the last accrued one that nobody accrued were missed. */
export interface StorageAnswer {
  firstDay: string | null;
  lastDay: string | null;
  accruedDays: number;
  missed: number;
  /** Newest first, at most 100. */
  missedDays: string[];
  /** Accrued and not yet charged, an exact decimal. */
  carriedTokens: string;
  declined: boolean;
  owed: number;
}
