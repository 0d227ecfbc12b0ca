import { type Billing, foldBill, nothingBilled } from './billing';
import { isoInstant, monthAt, oldestWindows } from './calendar';
import type { PurchaseTokens, ReceiveAllocation, SetFreeAllowance } from './commands';
import { type Decision, type Given, Missing } from './decision';
import type { UserBalance, UserEvent, WindowId } from './events';
import { type Counters, isBefore, prune } from './limits';
import { type Recorded, rememberKey } from './organisation-wallet';
import { pricedPurchase } from './purchase';
import { remember, type Remembered, rememberedNothing } from './remembered';
import { balanceOfUser, freeHeld } from './user-balance';

/** A user's wallet: free, purchased and allocated tokens. Usage and its reversal decide in usage.ts. */

export interface FreeTokens {
  tokens: number;
  /** The month they were granted for; '' before the first. A wallet's month never goes back. */
  month: WindowId;
  /** Granted to that month so far. */
  granted: number;
  /** What the next month is granted. */
  tokensPerMonth: number;
}

/** What a user holds of one organisation. */
export interface Relationship {
  organisationId: string;
  tokens: number;
  /** Running number of the last allocation received. */
  received: number;
  /** Usage meter, by window id. */
  used: Counters;
  /** Limits already recorded as reached, as `window|limit`. */
  reached: ReadonlySet<string>;
  /** Latest revision of the organisation's stream that a draw was decided under. */
  policyRevision: number;
}

export interface UserWallet {
  userId: string;
  opened: boolean;
  revision: number;
  /** Undefined until the wallet is opened: then the configured default counts. */
  free?: FreeTokens;
  purchased: number;
  purchasedTotal: number;
  billing: Billing;
  /** In the order of the first AllocationReceived, which is the order of drawing. */
  relationships: Map<string, Relationship>;
  keys: Remembered;
  payments: Remembered;
  usages: Remembered;
  prunedDay: string;
}

export const emptyUserWallet = (userId: string): UserWallet => ({
  userId,
  opened: false,
  revision: -1,
  purchased: 0,
  purchasedTotal: 0,
  billing: nothingBilled(),
  relationships: new Map(),
  keys: rememberedNothing(),
  payments: rememberedNothing(),
  usages: rememberedNothing(),
  prunedDay: '',
});

/** The fold owns the state it builds, so it may mutate it. */
export function foldUser(wallet: UserWallet, event: UserEvent, recorded: Recorded): void {
  wallet.revision = recorded.revision;
  rememberKey(wallet.keys, recorded);
  pruneUsed(wallet, event.data.at);
  switch (event.type) {
    case 'UserWalletOpened':
      wallet.opened = true;
      wallet.free = { tokens: 0, month: '', granted: 0, tokensPerMonth: event.data.freeTokensPerMonth };
      return;
    case 'FreeAllowanceGranted': {
      const { tokens, month } = event.data;
      Object.assign(freeOf(wallet), { tokens, month, granted: tokens });
      return;
    }
    case 'FreeAllowanceSet': {
      const { tokensPerMonth, added, month } = event.data;
      const free = freeOf(wallet);
      const granted = (free.month === month ? free.granted : 0) + added;
      Object.assign(free, { tokens: free.tokens + added, month, granted, tokensPerMonth });
      return;
    }
    case 'TokensPurchased':
      wallet.purchased += event.data.tokens - event.data.owedPaid;
      wallet.purchasedTotal += event.data.tokens;
      wallet.billing.owed -= event.data.owedPaid;
      remember(wallet.payments, event.data.paymentReference, { revision: recorded.revision });
      return;
    case 'AllocationReceived': {
      const relationship = relationshipOf(wallet, event.data.organisationId);
      relationship.tokens += event.data.tokens;
      relationship.received = event.data.number;
      return;
    }
    case 'TokensUsed':
      take(wallet, event.data.balanceAfter);
      for (const { organisationId, revision, tokens, windows } of event.data.considered) {
        const relationship = relationshipOf(wallet, organisationId);
        relationship.policyRevision = Math.max(relationship.policyRevision, revision);
        if (tokens > 0) for (const { window, used } of [windows.daily, windows.monthly]) relationship.used.set(window, used);
      }
      remember(wallet.usages, event.data.usageId, { revision: recorded.revision });
      return;
    case 'UsageReversed': {
      const { usageId, balanceAfter, windows } = event.data;
      take(wallet, balanceAfter);
      for (const { organisationId, window, used } of windows) relationshipOf(wallet, organisationId).used.set(window, used);
      const revision = wallet.usages.recent.get(usageId)?.revision ?? recorded.revision;
      remember(wallet.usages, usageId, { revision, reversedRevision: recorded.revision });
      return;
    }
    case 'LimitReached':
      reach(relationshipOf(wallet, event.data.organisationId), reachedEntry(event.data.window, event.data.limit));
      return;
    case 'BillCharged':
    case 'BillDeclined':
    case 'StorageAccrued':
      take(wallet, event.data.balanceAfter);
      foldBill(wallet.billing, event, recorded.revision);
      return;
    default:
      event satisfies never;
  }
}

export const purchaseForUser: Decision<UserWallet, PurchaseTokens> = (wallet, command, given) => {
  const purchase = pricedPurchase(wallet, command, given);
  if (purchase instanceof Missing) return purchase;
  const free = freeNow(wallet, given);
  const credited = command.tokens - purchase.owedPaid;
  const balanceAfter = { ...freeHeld(free), purchased: wallet.purchased + credited, balance: balanceOfUser(wallet, free) + credited };
  return [...beginning(wallet, free, given), { type: 'TokensPurchased', data: { ...purchase, balanceAfter } }];
};

/** Raising adds, at once, the difference to what this month was granted; lowering counts from the next month. */
export const setFreeAllowance: Decision<UserWallet, SetFreeAllowance> = (wallet, { tokensPerMonth, envelope }, given) => {
  const free = freeNow(wallet, given);
  if (wallet.opened && free.tokensPerMonth === tokensPerMonth && envelope.key === undefined) return [];
  const added = Math.max(0, tokensPerMonth - free.granted);
  const balanceAfter = { free: { tokens: free.tokens + added, month: free.month }, balance: balanceOfUser(wallet, free) + added };
  const data = { at: isoInstant(given.at), tokensPerMonth, added, month: free.month, balanceAfter };
  return [...beginning(wallet, free, given), { type: 'FreeAllowanceSet', data }];
};

/** A line of an allocation whose number leaves a gap: settlement of this member must stop, for an event is missing. */
export class SettlementGap extends Error {
  constructor(organisationId: string, userId: string, received: number, number: number) {
    super(`${userId} has received allocation ${received} of ${organisationId} and is offered ${number}: those between are missing`);
    this.name = 'SettlementGap';
  }
}

/** Never refused: the organisation was debited already. Repeats are known by the member's running number. */
export const receiveAllocation: Decision<UserWallet, ReceiveAllocation> = (wallet, command, given) => {
  const { organisationId, allocationId, number, tokens } = command;
  const relationship = wallet.relationships.get(organisationId);
  const received = relationship?.received ?? 0;
  if (number <= received) return [];
  if (number > received + 1) throw new SettlementGap(organisationId, wallet.userId, received, number);
  const free = freeNow(wallet, given);
  const allocated = [{ organisationId, tokens: (relationship?.tokens ?? 0) + tokens }];
  const balanceAfter = { ...freeHeld(free), allocated, balance: balanceOfUser(wallet, free) + tokens };
  const data = { at: isoInstant(given.at), organisationId, allocationId, number, tokens, balanceAfter };
  return [...beginning(wallet, free, given), { type: 'AllocationReceived', data }];
};

/** An instant, and what the platform grants at it. */
export interface FreeAt {
  at: number;
  settings: Pick<Given['settings'], 'freeTokensPerMonth' | 'platformTimeZone'>;
}

/** The free tokens of the decision's month: in a new month the unused rest is gone and the allowance is there. */
export function freeNow(wallet: Pick<UserWallet, 'free'>, given: FreeAt): FreeTokens {
  const tokensPerMonth = wallet.free?.tokensPerMonth ?? given.settings.freeTokensPerMonth;
  const month = monthAt(given.settings.platformTimeZone, given.at).window;
  if (wallet.free && month <= wallet.free.month) return wallet.free;
  return { tokens: tokensPerMonth, month, granted: tokensPerMonth, tokensPerMonth };
}

/** What is written before any other event: the opening, and the lapse and grant of a new month as one event. */
export function beginning(wallet: UserWallet, free: FreeTokens, given: Given): UserEvent[] {
  const at = isoInstant(given.at);
  const events: UserEvent[] = [];
  if (!wallet.opened) {
    const data = { at, userId: wallet.userId, freeTokensPerMonth: free.tokensPerMonth, balanceAfter: { balance: 0 } };
    events.push({ type: 'UserWalletOpened', data });
  }
  const lapsed = wallet.free?.tokens ?? 0;
  if (free.month !== wallet.free?.month && (free.tokens > 0 || lapsed > 0)) {
    const balanceAfter = { free: { tokens: free.tokens, month: free.month }, balance: balanceOfUser(wallet, free) };
    events.push({ type: 'FreeAllowanceGranted', data: { at, month: free.month, tokens: free.tokens, lapsed, balanceAfter } });
  }
  return events;
}

export const reachedEntry = (window: WindowId, limit: number): string => `${window}|${limit}`;

/** Sets the buckets that an event names to what they are after it. */
function take(wallet: UserWallet, after: UserBalance): void {
  if (after.free) Object.assign(freeOf(wallet), after.free);
  if (after.purchased !== undefined) wallet.purchased = after.purchased;
  for (const { organisationId, tokens } of after.allocated ?? []) relationshipOf(wallet, organisationId).tokens = tokens;
}

function freeOf(wallet: UserWallet): FreeTokens {
  wallet.free ??= { tokens: 0, month: '', granted: 0, tokensPerMonth: 0 };
  return wallet.free;
}

/** One for all relationships in which no limit was reached, as it is in most: an empty set weighs 200 bytes. */
const NOTHING_REACHED: ReadonlySet<string> = new Set<string>();

function reach(relationship: Relationship, entry: string): void {
  relationship.reached = new Set(relationship.reached).add(entry);
}

function relationshipOf(wallet: UserWallet, organisationId: string): Relationship {
  let relationship = wallet.relationships.get(organisationId);
  if (relationship === undefined) {
    relationship = { organisationId, tokens: 0, received: 0, used: new Map(), reached: NOTHING_REACHED, policyRevision: -1 };
    wallet.relationships.set(organisationId, relationship);
  }
  return relationship;
}

function pruneUsed(wallet: UserWallet, at: string): void {
  if (wallet.prunedDay !== '' && at.startsWith(wallet.prunedDay)) return;
  wallet.prunedDay = at.slice(0, 10);
  const instant = Date.parse(at);
  const oldest = oldestWindows(instant);
  const isOpen = (entry: string) => !isBefore(entry.slice(0, entry.indexOf('|')), oldest);
  for (const relationship of wallet.relationships.values()) {
    prune(relationship.used, instant);
    if (relationship.reached.size > 0) relationship.reached = new Set([...relationship.reached].filter(isOpen));
  }
}
