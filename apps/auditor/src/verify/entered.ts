import type { StoredEvent } from '@ledger/event-store';
import { billEntry, type BillEvent, type WalletEvent } from '@ledger/wallet';
import { parsed } from './chain';
import type { EntryLog } from './entries';
import type { Entry, EntryKind } from './entry';
import type { Seed } from './fingerprint';
import { returnable } from './reversal-rules';

/** What an event that is read again was entered under: the same parts, in the same order, as where the rules enter it. */

export interface Fact {
  stored: StoredEvent;
  event: WalletEvent;
}

export const walletIdOf = ({ stream }: StoredEvent): string => stream.slice(stream.indexOf('-') + 1);

/** One list of parts for each entry of the kind; none where the event is of a type that has no such entry. */
export function partsOf(kind: EntryKind, { stored, event }: Fact): string[][] {
  const { type, data } = event;
  switch (kind) {
    case 'key': {
      const { key } = parsed(stored.metadata) as { key?: string };
      return key === undefined ? [] : [[stored.stream, key]];
    }
    case 'payment':
      return type === 'TokensPurchased' ? [[stored.stream, data.paymentReference]] : [];
    case 'bill':
      return [[stored.stream, billEntry(event as BillEvent)]];
    case 'id':
      if ('purchaseId' in data) return [['purchase', data.purchaseId]];
      if ('billId' in data) return [['bill', data.billId]];
      return 'allocationId' in data ? [['allocation', data.allocationId]] : [];
    case 'usage':
      return type === 'TokensUsed' ? [[data.usageId]] : [];
    case 'reversal':
    case 'returned':
      return type === 'UsageReversed' ? [[data.usageId]] : [];
    case 'line':
      if (type !== 'TokensAllocated') return [];
      return data.lines.map(([userId, , number]) => [walletIdOf(stored), userId, String(number), data.allocationId]);
    case 'received':
      return type === 'AllocationReceived' ? [[data.organisationId, walletIdOf(stored), String(data.number), data.allocationId]] : [];
  }
}

/**
 * Whether the event still says what was entered of it. Events that an earlier audit has entered are not read in their turn, so somebody
 * may have changed one of them to make a new event fit it.
 */
export function isAsEntered(entries: EntryLog, { kind, extra }: Entry, fingerprint: Seed, fact: Fact): boolean {
  try {
    // An allocation may name a member twice.
    return partsOf(kind, fact).some((parts, at) => {
      if (!entries.isUnder(fingerprint, kind, ...parts)) return false;
      const wanted = extraOf(entries, kind, fact, at);
      return wanted === undefined || wanted === extra;
    });
  } catch {
    // It lacks what an event of its type has.
    return false;
  }
}

/** Of one of the entries of the kind; undefined where the event alone does not tell it. */
function extraOf(entries: EntryLog, kind: EntryKind, { stored, event }: Fact, at: number): number | undefined {
  if (kind === 'usage' && event.type === 'TokensUsed') return returnable(entries, walletIdOf(stored), event.data);
  if (kind === 'line' && event.type === 'TokensAllocated') return event.data.lines[at]![1];
  if (kind === 'received' && event.type === 'AllocationReceived') return event.data.tokens;
  return undefined;
}
