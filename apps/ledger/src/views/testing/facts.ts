import type { AllocationLine, Considered, DefaultLimits, LimitOverride, OrganisationEvent, UserEvent } from '@ledger/wallet';

/** Facts by the fields that a test is about; the others have the figures of a plain day. */

export const NOON = Date.parse('2026-11-23T12:00:00.000Z');
export const at = '2026-11-23T12:00:00.000Z';

export const opened = (organisationId: string, timeZone = 'UTC'): OrganisationEvent => ({
  type: 'OrganisationWalletOpened',
  data: { at, organisationId, timeZone, balanceAfter: { available: 0, balance: 0 } },
});

const paid = { listPriceCents: 1_000, discountPercent: 5, priceCents: 950, priceTable: '1', owedPaid: 0 };

export const purchased = (tokens: number, available: number, paymentReference: string): OrganisationEvent => ({
  type: 'TokensPurchased',
  data: {
    at,
    purchaseId: `purchase-${paymentReference}`,
    tokens,
    paymentReference,
    ...paid,
    balanceAfter: { available, balance: available },
  },
});

export const permitted = (...userIds: string[]): OrganisationEvent => ({ type: 'MemberPermitted', data: { at, userIds } });
export const suspended = (...userIds: string[]): OrganisationEvent => ({ type: 'MemberSuspended', data: { at, userIds } });
export const resumed = (...userIds: string[]): OrganisationEvent => ({ type: 'MemberResumed', data: { at, userIds } });
export const removed = (...userIds: string[]): OrganisationEvent => ({ type: 'MemberRemoved', data: { at, userIds } });
export const zoneSet = (timeZone: string): OrganisationEvent => ({ type: 'TimeZoneSet', data: { at, timeZone } });

export const defaults = (daily: number | null, monthly: number | null = null): DefaultLimits => ({
  usage: { daily, monthly },
  allocation: { daily: null, monthly: null },
});
export const defaultSet = (limits: DefaultLimits): OrganisationEvent => ({ type: 'LimitSet', data: { at, default: limits } });
export const overrideSet = (userId: string, limits: LimitOverride): OrganisationEvent => ({
  type: 'LimitSet',
  data: { at, overrides: [{ userId, limits }] },
});
export const overrideCleared = (...userIds: string[]): OrganisationEvent => ({ type: 'LimitCleared', data: { at, userIds } });

/** One part; `of` makes it part of a larger allocation. */
export function allocated(
  allocationId: string,
  lines: AllocationLine[],
  available: number,
  of: { part: number; parts: number; tokensTotal: number; lineCount: number } | undefined = undefined,
): OrganisationEvent {
  const tokens = lines.reduce((sum, [, count]) => sum + count, 0);
  const whole = of ?? { part: 1, parts: 1, tokensTotal: tokens, lineCount: lines.length };
  const windows = { daily: '2026-11-23', monthly: '2026-11' };
  const balanceAfter = { available, balance: available };
  return { type: 'TokensAllocated', data: { at, allocationId, tokens, ...whole, windows, lines, balanceAfter } };
}

export const walletOpened = (userId: string, freeTokensPerMonth: number): UserEvent => ({
  type: 'UserWalletOpened',
  data: { at, userId, freeTokensPerMonth, balanceAfter: { balance: 0 } },
});

export const granted = (month: string, tokens: number): UserEvent => ({
  type: 'FreeAllowanceGranted',
  data: { at, month, tokens, lapsed: 0, balanceAfter: { free: { tokens, month }, balance: tokens } },
});

export const received = (organisationId: string, allocationId: string, number: number, tokens: number, held = tokens): UserEvent => ({
  type: 'AllocationReceived',
  data: {
    at,
    organisationId,
    allocationId,
    number,
    tokens,
    balanceAfter: { allocated: [{ organisationId, tokens: held }], balance: held },
  },
});

export const bought = (tokens: number, purchasedAfter: number, paymentReference: string): UserEvent => ({
  type: 'TokensPurchased',
  data: {
    at,
    purchaseId: `purchase-${paymentReference}`,
    tokens,
    paymentReference,
    ...paid,
    balanceAfter: { purchased: purchasedAfter, balance: purchasedAfter },
  },
});

interface Use {
  usageId: string;
  organisationId: string;
  tokens: number;
  /** What the member holds of the organisation after it. */
  held: number;
  /** Used after it, by window: the day, then the month. */
  used: [number, number];
  days?: [string, string];
  reference?: string;
}

export function used({ usageId, organisationId, tokens, held, used: after, days, reference }: Use): UserEvent {
  const [day, month] = days ?? ['2026-11-23', '2026-11'];
  const windows = { daily: { window: day, used: after[0], limit: null }, monthly: { window: month, used: after[1], limit: null } };
  const considered: Considered = { organisationId, revision: 1, status: 'permitted', usable: true, tokens, windows };
  const skipped: Considered = {
    ...considered,
    organisationId: 'skipped',
    tokens: 0,
    windows: { daily: { ...windows.daily, used: 999 }, monthly: { ...windows.monthly, used: 999 } },
  };
  return {
    type: 'TokensUsed',
    data: {
      at,
      usageId,
      tokens,
      occurredAt: at,
      ...(reference === undefined ? {} : { reference }),
      service: 'chat',
      charged: [{ source: 'allocated', organisationId, tokens }],
      considered: [skipped, considered],
      balanceAfter: { allocated: [{ organisationId, tokens: held }], balance: held },
    },
  };
}

export const reversed = (usageId: string, organisationId: string, tokens: number, held: number, after: [number, number]): UserEvent => ({
  type: 'UsageReversed',
  data: {
    at,
    usageId,
    tokens,
    returned: [{ source: 'allocated', organisationId, tokens }],
    lapsed: 0,
    windows: [
      { organisationId, window: '2026-11-23', used: after[0] },
      { organisationId, window: '2026-11', used: after[1] },
    ],
    balanceAfter: { allocated: [{ organisationId, tokens: held }], balance: held },
  },
});

export const allowanceSet = (tokensPerMonth: number, tokens: number, month = '2026-11'): UserEvent => ({
  type: 'FreeAllowanceSet',
  data: { at, tokensPerMonth, added: 0, month, balanceAfter: { free: { tokens, month }, balance: tokens } },
});
