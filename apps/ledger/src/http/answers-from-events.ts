import type { BatchResult, Charge, EventOf, EventType, WalletEvent } from '@ledger/wallet';

/**
 * Answers of POSTs, made from the command's events and from nothing else: so the answer to a repeated key is the first one, to
 * the letter, for ever.
 */

export interface PurchaseMade {
  purchaseId: string;
  tokens: number;
  listPriceCents: number;
  discountPercent: number;
  priceCents: number;
  priceTable: string;
  /** The part that paid an earlier debt. */
  owedPaid: number;
  /** The wallet's total after it. */
  available: number;
}
export interface AllocationMade {
  /** Missing in a dry run. */
  allocationId?: string;
  tokens: number;
  lineCount: number;
  available: number;
}
export interface UsageCharged {
  usageId: string;
  tokens: number;
  charged: Charge[];
  balance: number;
}
export interface UsageReturned {
  usageId: string;
  tokens: number;
  returned: Charge[];
  balance: number;
}

/** The last event of a type. An event that is missing here is a defect of the decision. */
export function lastOf<Type extends EventType>(events: readonly WalletEvent[], type: Type): EventOf<Type>['data'] {
  const event = events.findLast((candidate): candidate is EventOf<Type> => candidate.type === type);
  if (event === undefined) throw new Error(`A command was answered without its ${type}.`);
  return event.data as EventOf<Type>['data'];
}

export function purchaseMade(events: readonly WalletEvent[]): PurchaseMade {
  const { purchaseId, tokens, listPriceCents, discountPercent, priceCents, priceTable, owedPaid, balanceAfter } = lastOf(
    events,
    'TokensPurchased',
  );
  return { purchaseId, tokens, listPriceCents, discountPercent, priceCents, priceTable, owedPaid, available: balanceAfter.balance };
}

export function allocationMade(events: readonly WalletEvent[]): AllocationMade {
  const { allocationId, tokensTotal, lineCount, balanceAfter } = lastOf(events, 'TokensAllocated');
  return { allocationId, tokens: tokensTotal, lineCount, available: balanceAfter.available };
}

/** An allocation that was not made has no id. */
export function allocationPreviewed(events: readonly WalletEvent[]): AllocationMade {
  const { tokens, lineCount, available } = allocationMade(events);
  return { tokens, lineCount, available };
}

export function usageCharged(events: readonly WalletEvent[]): UsageCharged {
  const { usageId, tokens, charged, balanceAfter } = lastOf(events, 'TokensUsed');
  return { usageId, tokens, charged: charged.map(inOrder), balance: balanceAfter.balance };
}

export function usageReturned(events: readonly WalletEvent[]): UsageReturned {
  const { usageId, tokens, returned, balanceAfter } = lastOf(events, 'UsageReversed');
  return { usageId, tokens, returned: returned.map(inOrder), balance: balanceAfter.balance };
}

/** Stored facts have their fields in the order of canonical JSON, fresh ones as they were written: an answer has one order. */
const inOrder = ({ source, organisationId, tokens }: Charge): Charge =>
  organisationId === undefined ? { source, tokens } : { source, organisationId, tokens };

/** Every event of a batch carries its result; a dry run that would change nothing has no event at all. */
export function membersSet(events: readonly WalletEvent[], members: number): BatchResult {
  for (const { data } of events) if ('batch' in data && data.batch) return { members: data.batch.members, changed: data.batch.changed };
  return { members, changed: 0 };
}
