import type { AccrueStorage, ChargeBill } from '../commands';
import type { ShortfallPolicy, WalletEvent } from '../events';
import type { OrganisationWallet } from '../organisation-wallet';
import type { UserWallet } from '../user-wallet';
import { Books } from './books';
import type { Body, WalletLog } from './log';

/** Bodies of bills as tests write them, and the bookkeeping of one wallet that owes. */

/** A month's hosting of so many billable members; each costs 10 tokens. */
export const hostingOfPlaces = (month: string, places: number, onShortfall: ShortfallPolicy = 'decline'): Body<ChargeBill> => ({
  kind: 'hosting',
  month,
  campuses: [75, places],
  courses: [30, 30, 30],
  onShortfall,
});

export const GIGABYTE = 1_000_000_000;

/** A day of so many bytes; with 120 GB it costs 15.827 tokens. */
export const storageOf = (day: string, bytes = 120 * GIGABYTE, onShortfall: ShortfallPolicy = 'decline'): Body<AccrueStorage> => ({
  day,
  bytes,
  onShortfall,
});

/** Enters all that is stored into fresh books, which throw at the first event that does not balance. */
export function booked(log: WalletLog<OrganisationWallet> | WalletLog<UserWallet>): Books {
  const books = new Books();
  for (const { event } of log.events as { event: WalletEvent }[]) books.enter(log.ref, event);
  return books;
}
