import type { Charge, EventOf, WalletEvent } from '@ledger/wallet';
import { lastOf } from './answers-from-events';

/** Answers of bills, made from their events alone, as those of all POSTs are (see answers-from-events.ts). */

type Breakdown = EventOf<'BillCharged'>['data']['breakdown'];

export interface BillMade {
  billId: string;
  kind: 'hosting';
  month: string;
  /** All that the month costs. */
  tokens: number;
  chargedTokens: number;
  owedTokens: number;
  /** Nothing was charged, nothing is owed, and the month stays open. */
  declined: boolean;
  breakdown: Breakdown;
  /** What was taken from which source. */
  charged: Charge[];
}
export interface StorageMade {
  day: string;
  /** What the day costs, an exact decimal. */
  accruedTokens: string;
  chargedTokens: number;
  /** Accrued and not yet charged, an exact decimal. */
  carriedTokens: string;
  owedTokens: number;
  declined: boolean;
  /** What was taken from which source. */
  charged: Charge[];
}

export function billMade(events: readonly WalletEvent[]): BillMade {
  const declined = events.find((event): event is EventOf<'BillDeclined'> => event.type === 'BillDeclined');
  const { billId, month, tokens, breakdown } = declined?.data ?? lastOf(events, 'BillCharged');
  if (breakdown === undefined) throw new Error('A hosting bill was answered without its breakdown.');
  const { chargedTokens, owedTokens, charged } = declined === undefined ? lastOf(events, 'BillCharged') : NOTHING;
  const amounts = { tokens, chargedTokens, owedTokens, declined: declined !== undefined };
  return { billId, kind: 'hosting', month, ...amounts, breakdown: inOrder(breakdown), charged: charged.map(part) };
}

export function storageMade(events: readonly WalletEvent[]): StorageMade {
  const { day, accruedTokens, chargedTokens, carriedTokens, owedTokens, declined, charged } = lastOf(events, 'StorageAccrued');
  return { day, accruedTokens, chargedTokens, carriedTokens, owedTokens, declined, charged: charged.map(part) };
}

const NOTHING: Pick<EventOf<'BillCharged'>['data'], 'chargedTokens' | 'owedTokens' | 'charged'> = {
  chargedTokens: 0,
  owedTokens: 0,
  charged: [],
};

/** Stored facts have their fields in the order of canonical JSON, fresh ones as they were written: an answer has one order. */
const inOrder = ({ billableCampuses, billableCourses, billablePlaces }: Breakdown): Breakdown => ({
  billableCampuses,
  billableCourses,
  billablePlaces,
});
const part = ({ source, tokens }: Charge): Charge => ({ source, tokens });
