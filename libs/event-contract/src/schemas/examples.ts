import type { EventType } from '@ledger/wallet';
import type { EVENT_SHAPES } from './schemas';
import type { Shape } from './shape';

/** Samples of every event as it is stored. They stand in the published schemas, and every later version's upcaster must read them. */

const at = '2026-11-23T09:05:00.000Z';
const id = (last: string): string => `019aafca-07e8-7000-8000-5d5c2b1f0a${last}`;
const hosting = { billableCampuses: 1, billableCourses: 1, billablePlaces: 105 };
const purchase = { at, tokens: 1_000, listPriceCents: 1_000, discountPercent: 5, priceCents: 950, priceTable: '2026-01', owedPaid: 0 };

type DataOf<S> = S extends Shape<infer Data> ? Data : never;
type Examples = { [Type in EventType]: DataOf<(typeof EVENT_SHAPES)[Type]>[] };

export const EXAMPLES: Examples = {
  OrganisationWalletOpened: [{ at, organisationId: 'acme', timeZone: 'Europe/Berlin', balanceAfter: { available: 0, balance: 0 } }],
  TimeZoneSet: [{ at, timeZone: 'America/Sao_Paulo' }],
  TokensPurchased: [
    { ...purchase, purchaseId: id('01'), paymentReference: 'invoice 4711', balanceAfter: { available: 1_000, balance: 1_000 } },
    {
      ...purchase,
      purchaseId: id('02'),
      paymentReference: 'invoice 4712',
      purchasedBy: 'a parent',
      owedPaid: 50,
      balanceAfter: { free: { tokens: 10, month: '2026-11' }, purchased: 950, balance: 990 },
    },
  ],
  MemberPermitted: [{ at, userIds: ['u1', 'u2'], batch: { members: 2, changed: 2 } }],
  MemberSuspended: [{ at, userIds: ['u1'] }],
  MemberResumed: [{ at, userIds: ['u1'] }],
  MemberRemoved: [{ at, userIds: ['u2'] }],
  LimitSet: [
    { at, default: { usage: { daily: 50, monthly: 1_000 }, allocation: { daily: null, monthly: null } } },
    {
      at,
      overrides: [
        { userId: 'u1', limits: { usage: { daily: 100 } } },
        { userId: 'u2', limits: {} },
      ],
    },
  ],
  LimitCleared: [{ at, userIds: ['u1'] }],
  TokensAllocated: [
    {
      at,
      allocationId: id('03'),
      part: 1,
      parts: 1,
      tokens: 60,
      tokensTotal: 60,
      lineCount: 2,
      memo: 'for the exams',
      windows: { daily: '2026-11-23', monthly: '2026-11' },
      lines: [
        ['u1', 40, 1],
        ['u2', 20, 3],
      ],
      reached: { daily: [0] },
      balanceAfter: { available: 940, balance: 940 },
    },
  ],
  UserWalletOpened: [{ at, userId: 'u1', freeTokensPerMonth: 20, balanceAfter: { balance: 0 } }],
  FreeAllowanceSet: [
    { at, tokensPerMonth: 30, added: 10, month: '2026-11', balanceAfter: { free: { tokens: 30, month: '2026-11' }, balance: 30 } },
  ],
  FreeAllowanceGranted: [
    { at, month: '2026-11', tokens: 20, lapsed: 7, balanceAfter: { free: { tokens: 20, month: '2026-11' }, balance: 20 } },
  ],
  AllocationReceived: [
    {
      at,
      organisationId: 'acme',
      allocationId: id('03'),
      number: 1,
      tokens: 40,
      balanceAfter: { free: { tokens: 20, month: '2026-11' }, allocated: [{ organisationId: 'acme', tokens: 40 }], balance: 60 },
    },
  ],
  TokensUsed: [
    {
      at,
      usageId: id('04'),
      tokens: 19,
      occurredAt: '2026-11-23T08:59:12.000Z',
      variableCostEuros: '0.10',
      service: 'tutor',
      reference: 'conversation 17',
      charged: [
        { source: 'free', tokens: 5 },
        { source: 'allocated', organisationId: 'acme', tokens: 14 },
      ],
      freeMonth: '2026-11',
      considered: [
        {
          organisationId: 'acme',
          revision: 6,
          status: 'permitted',
          usable: true,
          tokens: 14,
          windows: {
            daily: { window: '2026-11-23', used: 50, limit: 50 },
            monthly: { window: '2026-11', used: 114, limit: null },
          },
        },
      ],
      balanceAfter: { free: { tokens: 0, month: '2026-11' }, allocated: [{ organisationId: 'acme', tokens: 26 }], balance: 26 },
    },
  ],
  UsageReversed: [
    {
      at,
      usageId: id('04'),
      tokens: 19,
      reason: 'the answer never came',
      returned: [{ source: 'allocated', organisationId: 'acme', tokens: 14 }],
      lapsed: 5,
      windows: [
        { organisationId: 'acme', window: '2026-11-23', used: 36 },
        { organisationId: 'acme', window: '2026-11', used: 100 },
      ],
      balanceAfter: { allocated: [{ organisationId: 'acme', tokens: 40 }], balance: 40 },
    },
  ],
  LimitReached: [
    {
      at,
      organisationId: 'acme',
      meter: 'usage',
      period: 'daily',
      window: '2026-11-23',
      limit: 50,
      used: 50,
      resetsAt: '2026-11-23T23:00:00.000Z',
      by: 'draw',
    },
  ],
  BillCharged: [
    {
      at,
      billId: id('05'),
      kind: 'hosting',
      month: '2026-10',
      tokens: 1_050,
      chargedTokens: 940,
      owedTokens: 110,
      breakdown: hosting,
      charged: [{ source: 'purchased', tokens: 940 }],
      owed: 110,
      balanceAfter: { available: 0, balance: 0 },
    },
  ],
  BillDeclined: [
    {
      at,
      billId: id('06'),
      kind: 'hosting',
      month: '2026-10',
      tokens: 1_050,
      missing: 110,
      breakdown: hosting,
      balanceAfter: { available: 940, balance: 940 },
    },
    { at, billId: id('07'), kind: 'storage', month: '2026-11', tokens: 16, missing: 12, balanceAfter: { purchased: 4, balance: 4 } },
  ],
  StorageAccrued: [
    {
      at,
      day: '2026-11-22',
      bytes: 120_000_000_000,
      accruedTokens: '15.827',
      chargedTokens: 16,
      carriedTokens: '0.302',
      owedTokens: 0,
      declined: false,
      charged: [
        { source: 'free', tokens: 10 },
        { source: 'purchased', tokens: 6 },
      ],
      owed: 0,
      balanceAfter: { free: { tokens: 0, month: '2026-11' }, purchased: 4, balance: 4 },
    },
  ],
};
