/**
 * Every fact that the ledger can store, by type. Shapes are versioned by the metadata field `schema`; a stored fact is never
 * changed, a new shape is a new version with an upcaster.
 *
 * Units: `tokens` are positive integers (1 token = 0.01 EUR), `...Cents` integer cents, `at` ISO 8601 UTC with milliseconds.
 * `balanceAfter` holds the buckets that the event touched, a user's free tokens, and `balance`, the wallet's total after it.
 */

/** A day (`2026-11-23`) or a month (`2026-11`) in some time zone. */
export type WindowId = string;
export type Period = 'daily' | 'monthly';
export type Meter = 'usage' | 'allocation';
export type Source = 'free' | 'allocated' | 'purchased';
/** What a bill does when the funds do not cover it: charge nothing, or charge what is there and owe the rest. */
export type ShortfallPolicy = 'decline' | 'owe';
export type MemberStatus = 'permitted' | 'suspended' | 'removed';

/** The limits of one meter as they are set: a number of tokens >= 0, or null for unlimited. */
export type PeriodLimits = Record<Period, number | null>;
/** An organisation's default: every field has a value. */
export type DefaultLimits = Record<Meter, PeriodLimits>;
/** A member's override: a field left out inherits the default at the moment of the decision. */
export type LimitOverride = Partial<Record<Meter, Partial<PeriodLimits>>>;
export type WindowIds = Record<Period, WindowId>;

export interface OrganisationBalance {
  available: number;
  /** The wallet's total: for an organisation the same as `available`. */
  balance: number;
}

export interface UserBalance {
  /** Named by every event while there are free tokens, touched or not: left out means none. They are gone when their month ends. */
  free?: { tokens: number; month: WindowId };
  purchased?: number;
  allocated?: { organisationId: string; tokens: number }[];
  /** free + purchased + all allocated. */
  balance: number;
}

/** What was taken from, or returned to, one source. `organisationId` only with `allocated`. */
export interface Charge {
  source: Source;
  organisationId?: string;
  tokens: number;
}

/** One limit's window as it stands after the event: `limit` null is unlimited. */
export interface WindowAfter {
  window: WindowId;
  used: number;
  limit: number | null;
}

/** An organisation that a draw considered, and what it was decided under. */
export interface Considered {
  organisationId: string;
  /** Revision of the organisation's stream that the policy was read at. */
  revision: number;
  status: MemberStatus;
  /** False when suspended: then nothing may be drawn. */
  usable: boolean;
  tokens: number;
  windows: Record<Period, WindowAfter>;
}

interface At {
  at: string;
}

interface Purchase<Balance> extends At {
  purchaseId: string;
  tokens: number;
  paymentReference: string;
  purchasedBy?: string;
  listPriceCents: number;
  discountPercent: number;
  priceCents: number;
  /** Version of the price table that priced it. */
  priceTable: string;
  /** The part of `tokens` that paid an earlier debt and never reached the balance. */
  owedPaid: number;
  balanceAfter: Balance;
}

/** Members of the campuses and courses that a hosting bill counts. */
interface HostingBreakdown {
  billableCampuses: number;
  billableCourses: number;
  billablePlaces: number;
}

/** What an owner is billed for; limits and allocated tokens are never touched. */
interface BillEvents<Balance> {
  BillCharged: At & {
    billId: string;
    kind: 'hosting';
    month: WindowId;
    tokens: number;
    /** Taken now; `owedTokens` is the rest, taken first from the next purchase. */
    chargedTokens: number;
    owedTokens: number;
    breakdown: HostingBreakdown;
    charged: Charge[];
    /** All that the wallet owes after it. */
    owed: number;
    balanceAfter: Balance;
  };
  /** Nothing was charged; once per kind and month. The month stays open. */
  BillDeclined: At & {
    billId: string;
    kind: 'hosting' | 'storage';
    month: WindowId;
    tokens: number;
    missing: number;
    breakdown?: HostingBreakdown;
    balanceAfter: Balance;
  };
  /** A day of storage: `accruedTokens` and `carriedTokens` are exact decimals, whole tokens are charged as they gather. */
  StorageAccrued: At & {
    day: WindowId;
    bytes: number;
    accruedTokens: string;
    chargedTokens: number;
    carriedTokens: string;
    owedTokens: number;
    declined: boolean;
    charged: Charge[];
    owed: number;
    balanceAfter: Balance;
  };
}

/** A line of an allocation: member, tokens, and the member's running number in this organisation (1, 2, 3, ...). */
export type AllocationLine = [userId: string, tokens: number, number: number];

export interface OrganisationEvents extends BillEvents<OrganisationBalance> {
  OrganisationWalletOpened: At & { organisationId: string; timeZone: string; balanceAfter: OrganisationBalance };
  TimeZoneSet: At & { timeZone: string };
  TokensPurchased: Purchase<OrganisationBalance>;
  MemberPermitted: At & { userIds: string[]; batch?: BatchResult };
  MemberSuspended: At & { userIds: string[]; batch?: BatchResult };
  MemberResumed: At & { userIds: string[]; batch?: BatchResult };
  MemberRemoved: At & { userIds: string[] };
  /** Either the organisation's whole default, or whole overrides of members. */
  LimitSet: At & { default?: DefaultLimits; overrides?: { userId: string; limits: LimitOverride }[]; batch?: BatchResult };
  LimitCleared: At & { userIds: string[]; batch?: BatchResult };
  /** One part (at most 1,000 lines) of an allocation; all parts of one id are in one append. */
  TokensAllocated: At & {
    allocationId: string;
    part: number;
    parts: number;
    /** Tokens of this part. */
    tokens: number;
    /** Tokens and lines of the whole allocation. */
    tokensTotal: number;
    lineCount: number;
    memo?: string;
    windows: WindowIds;
    lines: AllocationLine[];
    /** Indexes of the lines whose member has now used up the allocation limit of the period. */
    reached?: Partial<Record<Period, number[]>>;
    balanceAfter: OrganisationBalance;
  };
}

/** The answer of a batch of members, kept in each of its events. */
export interface BatchResult {
  members: number;
  changed: number;
}

export interface UserEvents extends BillEvents<UserBalance> {
  /** Freezes the default allowance for this wallet. */
  UserWalletOpened: At & { userId: string; freeTokensPerMonth: number; balanceAfter: UserBalance };
  /** `added` is granted at once to this month; a lower figure counts from the next. */
  FreeAllowanceSet: At & { tokensPerMonth: number; added: number; month: WindowId; balanceAfter: UserBalance };
  /** The unused rest (`lapsed`) goes, the allowance of `month` comes, in one event. */
  FreeAllowanceGranted: At & { month: WindowId; tokens: number; lapsed: number; balanceAfter: UserBalance };
  TokensPurchased: Purchase<UserBalance>;
  AllocationReceived: At & { organisationId: string; allocationId: string; number: number; tokens: number; balanceAfter: UserBalance };
  TokensUsed: At & {
    usageId: string;
    tokens: number;
    /** When it happened, as the caller said; it is counted in the windows of this instant. */
    occurredAt: string;
    variableCostEuros?: string;
    service?: string;
    reference?: string;
    charged: Charge[];
    /** The month whose free tokens were drawn; only when some were. */
    freeMonth?: WindowId;
    considered: Considered[];
    balanceAfter: UserBalance;
  };
  /** The whole usage returned to where it came from; `lapsed` free tokens of a month that has passed lapse again. */
  UsageReversed: At & {
    usageId: string;
    tokens: number;
    reason?: string;
    returned: Charge[];
    lapsed: number;
    /** Windows that the reversal gave tokens back to, with what is used in them after it. */
    windows: { organisationId: string; window: WindowId; used: number }[];
    balanceAfter: UserBalance;
  };
  /** Recorded once per relationship, window and limit value. */
  LimitReached: At & {
    organisationId: string;
    meter: 'usage';
    period: Period;
    window: WindowId;
    limit: number;
    used: number;
    resetsAt: string;
    /** `draw`: an accepted usage took the last of it. `refusal`: a usage was refused by it. */
    by: 'draw' | 'refusal';
  };
}

type Tagged<Map> = { [Type in keyof Map]: { type: Type; data: Map[Type] } }[keyof Map];
export type OrganisationEvent = Tagged<OrganisationEvents>;
export type UserEvent = Tagged<UserEvents>;
export type WalletEvent = OrganisationEvent | UserEvent;
export type EventType = WalletEvent['type'];
export type EventOf<Type extends EventType> = Extract<WalletEvent, { type: Type }>;

/** The version that events are written in today (metadata field `schema`). */
export const SCHEMA = '1';

/** Facts written beside a command's result: they name their cause and never carry its idempotency key. */
export const BESIDE: ReadonlySet<EventType> = new Set<EventType>([
  'UserWalletOpened',
  'FreeAllowanceGranted',
  'LimitReached',
  'AllocationReceived',
]);
