import type { BatchResult, Charge, DefaultLimits, PeriodLimits } from '@ledger/wallet';
import type {
  AllocationAnswer,
  AllocationDetail,
  LimitsAnswer,
  MemberAnswer,
  OrganisationAnswer,
  RelationshipAnswer,
  UsageAnswer,
  UserAnswer,
  WindowAnswer,
} from '../views/answers';
import type { AllocationMade, PurchaseMade, UsageCharged, UsageReturned } from './answers-from-events';
import type { AffordabilityAnswer } from './affordability.controller';
import type { QuoteAnswer } from './pricing.controller';
import type { FreeAllowanceAnswer } from './users.controller';
import { SCHEMAS_AT, type JsonSchema } from './validation/schemas';

/** What the answers look like, for the OpenAPI document. A field that an answer has and its schema lacks does not compile. */

const text: JsonSchema = { type: 'string' };
const id: JsonSchema = { type: 'string', minLength: 1, maxLength: 64 };
const instant: JsonSchema = { type: 'string', format: 'date-time', description: 'ISO 8601 UTC with milliseconds' };
const tokens: JsonSchema = { type: 'integer', minimum: 0, description: 'Tokens' };
const count: JsonSchema = { type: 'integer', minimum: 0 };
const cents: JsonSchema = { type: 'integer', minimum: 0, description: 'EUR cents, exclusive of tax' };
const flag: JsonSchema = { type: 'boolean' };
const tokensOrNull: JsonSchema = { type: ['integer', 'null'], description: 'Tokens; null is unlimited' };
const status: JsonSchema = { type: 'string', enum: ['permitted', 'suspended', 'removed'] };
const revision: JsonSchema = { type: 'integer', minimum: -1, description: "Revision of the wallet's stream" };
const nextCursor: JsonSchema = { type: ['string', 'null'] };
const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const ref = (name: string): JsonSchema => ({ $ref: `${SCHEMAS_AT}${name}` });

function answer<Answer>(
  properties: { [Field in keyof Required<Answer>]: JsonSchema },
  optional: (keyof Answer & string)[] = [],
): JsonSchema {
  const required = Object.keys(properties).filter((field) => !(optional as string[]).includes(field));
  return { type: 'object', properties, required };
}

const periods = (of: JsonSchema) => answer<PeriodLimits>({ daily: of, monthly: of });
const pageOf = (row: string) => answer<{ data: unknown; nextCursor: unknown }>({ data: list(ref(row)), nextCursor });
const charges = list(ref('Charge'));
const allocation = { allocationId: id, tokens, lineCount: count, settled: flag, settledLines: count, memo: text, at: instant, actor: text };

export const ANSWERS = {
  Organisation: answer<OrganisationAnswer>({
    organisationId: id,
    timeZone: text,
    available: tokens,
    inTransit: tokens,
    owed: tokens,
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
  Pricing: { type: 'object', description: 'The price table, its version, and the rates of AI, hosting and storage' },
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
} as const satisfies Record<string, JsonSchema>;

export type AnswerName = keyof typeof ANSWERS;
