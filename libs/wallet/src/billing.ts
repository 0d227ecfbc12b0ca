import type { EventOf, WalletEvent } from './events';
import { picoTokensOf } from './hosting-and-storage';
import { remember, type Remembered, rememberedNothing } from './remembered';

/** What a wallet of either kind remembers of its bills. */
export interface Billing {
  /** Taken first from the next purchase, never from grants, reversals or allocations. */
  owed: number;
  /** Storage accrued and not yet charged, in pico-tokens. */
  carriedPico: bigint;
  /** The last accrual of storage was declined. */
  storageDeclined: boolean;
  /** One hosting bill per month, one accrual per day, one BillDeclined per kind and month. */
  bills: Remembered;
}

export const nothingBilled = (): Billing => ({ owed: 0, carriedPico: 0n, storageDeclined: false, bills: rememberedNothing() });

export const hostingEntry = (month: string): string => `hosting:${month}`;
export const storageEntry = (day: string): string => `storage:${day}`;
export const declinedEntry = (kind: 'hosting' | 'storage', month: string): string => `declined:${kind}:${month}`;

export type BillEvent = EventOf<'BillCharged'> | EventOf<'BillDeclined'> | EventOf<'StorageAccrued'>;

export const isBill = (event: WalletEvent): event is BillEvent =>
  event.type === 'BillCharged' || event.type === 'BillDeclined' || event.type === 'StorageAccrued';

/** What a bill is unique by in its wallet, for ever. */
export function billEntry(event: BillEvent): string {
  switch (event.type) {
    case 'BillCharged':
      return hostingEntry(event.data.month);
    case 'BillDeclined':
      return declinedEntry(event.data.kind, event.data.month);
    case 'StorageAccrued':
      return storageEntry(event.data.day);
    default:
      return event satisfies never;
  }
}

/** The fold owns the state it builds, so it may mutate it. */
export function foldBill(billing: Billing, event: BillEvent, revision: number): void {
  remember(billing.bills, billEntry(event), { revision });
  if (event.type === 'BillDeclined') return;
  billing.owed = event.data.owed;
  if (event.type !== 'StorageAccrued') return;
  billing.carriedPico = picoTokensOf(event.data.carriedTokens);
  billing.storageDeclined = event.data.declined;
}
