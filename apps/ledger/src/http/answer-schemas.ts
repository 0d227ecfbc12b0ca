import type { BatchResult, Charge, DefaultLimits, Estimate, PeriodLimits } from '@ledger/wallet';
import type {
  AllocationAnswer,
  AllocationDetail,
  BillAnswer,
  LimitsAnswer,
  MemberAnswer,
  OrganisationAnswer,
  RelationshipAnswer,
  StorageAnswer,
  UsageAnswer,
  UserAnswer,
  WindowAnswer,
} from '../views/answers';
import {
  text,
  id,
  instant,
  tokens,
  exactTokens,
  count,
  cents,
  flag,
  tokensOrNull,
  status,
  revision,
  nextCursor,
  list,
  ref,
  answer,
  pageOf,
} from './answer-shapes';
import type { AllocationMade, PurchaseMade, UsageCharged, UsageReturned } from './answers-from-events';
import type { AffordabilityAnswer } from './affordability.controller';
import { BATCH_AND_FEED_ANSWERS } from './batch-and-feed-schemas';
import type { BillMade, StorageMade } from './bills-from-events';
import type { PricingAnswer, QuoteAnswer } from './pricing.controller';
import type { FreeAllowanceAnswer } from './users.controller';
import { STATEMENT_ANSWERS } from './statement-schemas';
import type { JsonSchema } from './validation/schemas';

/** What the answers look like, for the OpenAPI document. A field that an answer has and its schema lacks does not compile. */

const breakdown = answer<BillMade['breakdown']>({ billableCampuses: count, billableCourses: count, billablePlaces: count });
const periods = (of: JsonSchema) => answer<PeriodLimits>({ daily: of, monthly: of });
const charges = list(ref('Charge'));
const allocation = { allocationId: id, tokens, lineCount: count, settled: flag, settledLines: count, memo: text, at: instant, actor: text };

export const ANSWERS = {
  Organisation: answer<OrganisationAnswer>({
    organisationId: id,
    timeZone: text,
    available: tokens,
    inTransit: tokens,
    owed: tokens,
    storageDeclined: flag,
    limits: ref('DefaultLimits'),
    members: answer<OrganisationAnswer['members']>({ permitted: count, suspended: count, removed: count }),
    revision,
  }),
  DefaultLimits: answer<DefaultLimits>({ usage: periods(tokensOrNull), allocation: periods(tokensOrNull) }),
  Window: answer<WindowAnswer>({
    limit: tokensOrNull,
    source: { type: 'string', enum: ['member', 'default'] },
    used: { type: 'integer', description: 'Tokens counted in the window' },
    remaining: tokensOrNull,
    window: { type: 'string', description: 'Id of the day (2026-11-23) or month (2026-11)' },
    resetsAt: instant,
  }),
  Member: answer<MemberAnswer>({
    organisationId: id,
    userId: id,
    status,
    allocated: tokens,
    limits: answer<LimitsAnswer>({ usage: periods(ref('Window')), allocation: periods(ref('Window')) }),
  }),
  Members: pageOf('Member'),
  MembersSet: answer<BatchResult>({ members: count, changed: count }),
  Allocation: answer<AllocationAnswer>(allocation, ['memo']),
  Allocations: pageOf('Allocation'),
  AllocationDetail: answer<AllocationDetail>(
    { ...allocation, lines: list(answer<AllocationDetail['lines'][number]>({ userId: id, tokens })), nextCursor },
    ['memo'],
  ),
  AllocationMade: answer<AllocationMade>({ allocationId: id, tokens, lineCount: count, available: tokens }, ['allocationId']),
  PurchaseMade: answer<PurchaseMade>({
    purchaseId: id,
    tokens,
    listPriceCents: cents,
    discountPercent: count,
    priceCents: cents,
    priceTable: text,
    owedPaid: tokens,
    available: tokens,
  }),
  Charge: answer<Charge>({ source: { type: 'string', enum: ['free', 'allocated', 'purchased'] }, organisationId: id, tokens }, [
    'organisationId',
  ]),
  Relationship: answer<RelationshipAnswer>({
    organisationId: id,
    tokens,
    usable: tokens,
    status,
    limits: answer<RelationshipAnswer['limits']>({ usage: periods(ref('Window')) }),
  }),
  User: answer<UserAnswer>({
    userId: id,
    balance: tokens,
    free: answer<UserAnswer['free']>({ tokens, tokensPerMonth: tokens, month: text, resetsAt: instant }),
    purchased: tokens,
    allocated: list(ref('Relationship')),
    owed: tokens,
    storageDeclined: flag,
    revision,
  }),
  FreeAllowance: answer<FreeAllowanceAnswer>({ userId: id, tokens, tokensPerMonth: tokens, month: text, resetsAt: instant }),
  Usage: answer<UsageAnswer>(
    {
      usageId: id,
      userId: id,
      tokens,
      at: instant,
      occurredAt: instant,
      variableCostEuros: text,
      service: text,
      reference: text,
      charged: charges,
      reversed: flag,
      reversedAt: instant,
    },
    ['variableCostEuros', 'service', 'reference', 'reversedAt'],
  ),
  Usages: pageOf('Usage'),
  UsageCharged: answer<UsageCharged>({ usageId: id, tokens, charged: charges, balance: tokens }),
  UsageReturned: answer<UsageReturned>({ usageId: id, tokens, returned: charges, balance: tokens }),
  Affordability: answer<AffordabilityAnswer>({ affordable: flag, tokens, charged: charges, blockedBy: list(ref('Problem')) }),
  BillMade: answer<BillMade>({
    billId: id,
    kind: { type: 'string', enum: ['hosting'] },
    month: text,
    tokens,
    chargedTokens: tokens,
    owedTokens: tokens,
    declined: flag,
    breakdown,
    charged: charges,
  }),
  StorageMade: answer<StorageMade>({
    day: text,
    accruedTokens: exactTokens,
    chargedTokens: tokens,
    carriedTokens: exactTokens,
    owedTokens: tokens,
    declined: flag,
    charged: charges,
  }),
  Bill: answer<BillAnswer>(
    {
      billId: id,
      kind: { type: 'string', enum: ['hosting', 'storage'] },
      month: text,
      tokens,
      day: text,
      bytes: count,
      accruedTokens: exactTokens,
      carriedTokens: exactTokens,
      chargedTokens: tokens,
      owedTokens: tokens,
      declined: flag,
      breakdown,
      charged: charges,
      at: instant,
      actor: text,
    },
    ['billId', 'tokens', 'day', 'bytes', 'accruedTokens', 'carriedTokens', 'breakdown'],
  ),
  Bills: pageOf('Bill'),
  Storage: answer<StorageAnswer>({
    firstDay: { type: ['string', 'null'] },
    lastDay: { type: ['string', 'null'] },
    accruedDays: count,
    missed: { type: 'integer', minimum: 0, description: 'Days between the first and the last that nobody accrued' },
    missedDays: { ...list(text), description: 'Newest first, at most 100' },
    carriedTokens: exactTokens,
    declined: flag,
    owed: tokens,
  }),
  Estimate: answer<Estimate>({
    tokensPerMonth: tokens,
    listPriceCentsPerMonth: cents,
    listPriceCentsPerYear: cents,
    hosting: answer<Estimate['hosting']>({ tokens, billableCampuses: count, billableCourses: count, billablePlaces: count }),
    storage: answer<Estimate['storage']>({ tokens, billableGigabytes: text }),
    memberAi: answer<Estimate['memberAi']>({ tokens, members: count, tokensPerMember: tokens, conversationsPerMember: count }),
    free: list(answer<Estimate['free'][number]>({ what: text, amount: text, why: text })),
  }),
  Pricing: answer<PricingAnswer>({
    version: text,
    currency: { type: 'string', enum: ['EUR'] },
    minimumTokens: tokens,
    centsPerToken: count,
    tiers: list(answer<PricingAnswer['tiers'][number]>({ fromCents: cents, percent: count })),
    usage: answer<PricingAnswer['usage']>({ percentOfCost: count }),
    ai: answer<PricingAnswer['ai']>({ percentOfCost: count, leastTokens: tokens }),
    hosting: answer<PricingAnswer['hosting']>({ tokensPerMemberPerMonth: tokens, freeCampuses: count, freeCourses: count }),
    storage: answer<PricingAnswer['storage']>({
      tokensPerGigabytePerMonth: exactTokens,
      freeGigabytes: text,
      bytesPerGigabyte: count,
      daysPerMonth: count,
    }),
  }),
  Quote: answer<QuoteAnswer>(
    {
      tokens,
      listPriceCents: cents,
      discountPercent: count,
      priceCents: cents,
      better: answer<NonNullable<QuoteAnswer['better']>>({ tokens, priceCents: cents }),
    },
    ['better'],
  ),
  ...STATEMENT_ANSWERS,
  ...BATCH_AND_FEED_ANSWERS,
} as const satisfies Record<string, JsonSchema>;

export type AnswerName = keyof typeof ANSWERS;
