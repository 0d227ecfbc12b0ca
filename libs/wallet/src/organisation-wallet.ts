import { type Billing, foldBill, nothingBilled } from './billing';
import { isoInstant, isTimeZone } from './calendar';
import type { OpenOrganisationWallet, PurchaseTokens } from './commands';
import { type Decision, invalid, Missing, type Policy } from './decision';
import type { DefaultLimits, LimitOverride, MemberStatus, OrganisationBalance, OrganisationEvent, WindowId } from './events';
import { effectiveLimit, prune, UNLIMITED } from './limits';
import { pricedPurchase } from './purchase';
import { Refusal } from './refusal';
import { remember, type Remembered, rememberedNothing } from './remembered';

/** An organisation's wallet: what it holds, who may receive from it, and how much. Members and allocations decide in files of their own. */

export interface Member {
  /** Its number in every meter: the members are counted from 0 in the order in which they were first named. */
  place: number;
  status: MemberStatus;
  /** What was allocated to a removed member stays as it was. */
  suspendedWhenRemoved: boolean;
  override?: LimitOverride;
  /** Allocations so far; the last line's running number. */
  allocations: number;
}

export interface OrganisationWallet {
  organisationId: string;
  opened: boolean;
  revision: number;
  timeZone: string;
  available: number;
  /** Bought in the wallet's life. */
  purchasedTotal: number;
  billing: Billing;
  defaults: DefaultLimits;
  members: Map<string, Member>;
  /** Allocation meter: what each member was allocated, by window id and the member's place. With maps a member would weigh half as much again. */
  allocated: Map<WindowId, number[]>;
  keys: Remembered;
  payments: Remembered;
  prunedDay: string;
}

export const emptyOrganisationWallet = (organisationId: string): OrganisationWallet => ({
  organisationId,
  opened: false,
  revision: -1,
  timeZone: 'UTC',
  available: 0,
  purchasedTotal: 0,
  billing: nothingBilled(),
  defaults: UNLIMITED,
  members: new Map(),
  allocated: new Map(),
  keys: rememberedNothing(),
  payments: rememberedNothing(),
  prunedDay: '',
});

/** Where an event stands in its stream, and the key of the command whose result it is. */
export interface Recorded {
  revision: number;
  key?: string;
  contentHash?: string;
}

/** The fold owns the state it builds, so it may mutate it. */
export function foldOrganisation(wallet: OrganisationWallet, event: OrganisationEvent, recorded: Recorded): void {
  wallet.revision = recorded.revision;
  rememberKey(wallet.keys, recorded);
  pruneAllocated(wallet, event.data.at);
  switch (event.type) {
    case 'OrganisationWalletOpened':
      wallet.opened = true;
      wallet.timeZone = event.data.timeZone;
      return;
    case 'TimeZoneSet':
      wallet.timeZone = event.data.timeZone;
      return;
    case 'TokensPurchased':
      wallet.available = event.data.balanceAfter.balance;
      wallet.purchasedTotal += event.data.tokens;
      wallet.billing.owed -= event.data.owedPaid;
      remember(wallet.payments, event.data.paymentReference, { revision: recorded.revision });
      return;
    case 'MemberPermitted':
    case 'MemberResumed':
      for (const userId of event.data.userIds) setStatus(memberOf(wallet, userId), 'permitted');
      return;
    case 'MemberSuspended':
      for (const userId of event.data.userIds) setStatus(memberOf(wallet, userId), 'suspended');
      return;
    case 'MemberRemoved':
      for (const userId of event.data.userIds) setStatus(memberOf(wallet, userId), 'removed');
      return;
    case 'LimitSet':
      if (event.data.default) wallet.defaults = event.data.default;
      for (const { userId, limits } of event.data.overrides ?? []) memberOf(wallet, userId).override = limits;
      return;
    case 'LimitCleared':
      for (const userId of event.data.userIds) delete memberOf(wallet, userId).override;
      return;
    case 'TokensAllocated': {
      const { windows, lines, balanceAfter } = event.data;
      wallet.available = balanceAfter.available;
      const meters = [meterOf(wallet, windows.daily), meterOf(wallet, windows.monthly)];
      for (const [userId, tokens, number] of lines) {
        const member = memberOf(wallet, userId);
        member.allocations = number;
        for (const meter of meters) meter[member.place] = (meter[member.place] ?? 0) + tokens;
      }
      return;
    }
    case 'BillCharged':
    case 'BillDeclined':
    case 'StorageAccrued':
      wallet.available = event.data.balanceAfter.available;
      foldBill(wallet.billing, event, recorded.revision);
      return;
    default:
      event satisfies never;
  }
}

/** Opens the wallet, or sets its zone. Windows already counted keep the ids they were counted in. */
export const openOrganisation: Decision<OrganisationWallet, OpenOrganisationWallet> = (wallet, command, given) => {
  const { timeZone } = command;
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    throw invalid('/timeZone', timeZone, 'must be the name of an IANA time zone such as Europe/Berlin');
  }
  const at = isoInstant(given.at);
  if (!wallet.opened) {
    const data = { at, organisationId: wallet.organisationId, timeZone: timeZone ?? 'UTC', balanceAfter: balanceOf(0) };
    return [{ type: 'OrganisationWalletOpened', data }];
  }
  const zone = timeZone ?? wallet.timeZone;
  if (zone === wallet.timeZone && command.envelope.key === undefined) return [];
  return [{ type: 'TimeZoneSet', data: { at, timeZone: zone } }];
};

export const purchaseForOrganisation: Decision<OrganisationWallet, PurchaseTokens> = (wallet, command, given) => {
  mustExist(wallet);
  const purchase = pricedPurchase(wallet, command, given);
  if (purchase instanceof Missing) return purchase;
  const balanceAfter = balanceOf(wallet.available + command.tokens - purchase.owedPaid);
  return [{ type: 'TokensPurchased', data: { ...purchase, balanceAfter } }];
};

/** What this organisation lets a user do with allocated tokens; null when it has no wallet. */
export function policyFor(wallet: OrganisationWallet, userId: string): Policy | null {
  if (!wallet.opened) return null;
  const member = wallet.members.get(userId);
  const { defaults, organisationId, revision, timeZone } = wallet;
  return {
    organisationId,
    revision,
    timeZone,
    status: member?.status ?? 'removed',
    usable: !(member?.status === 'suspended' || member?.suspendedWhenRemoved),
    limits: {
      daily: effectiveLimit(defaults, member?.override, 'usage', 'daily'),
      monthly: effectiveLimit(defaults, member?.override, 'usage', 'monthly'),
    },
  };
}

export const balanceOf = (available: number): OrganisationBalance => ({ available, balance: available });

export function mustExist(wallet: OrganisationWallet): void {
  if (wallet.opened) return;
  const { organisationId } = wallet;
  throw new Refusal('ORGANISATION_NOT_FOUND', `There is no organisation ${organisationId}; open it with PUT first.`, { organisationId });
}

/** Several events in a row can be the result of one key; the first one names it. */
export function rememberKey(keys: Remembered, { key, contentHash, revision }: Recorded): void {
  if (key !== undefined && !keys.recent.has(key)) remember(keys, key, { revision, contentHash });
}

function memberOf(wallet: OrganisationWallet, userId: string): Member {
  let member = wallet.members.get(userId);
  if (member === undefined) {
    member = { place: wallet.members.size, status: 'permitted', suspendedWhenRemoved: false, allocations: 0 };
    wallet.members.set(userId, member);
  }
  return member;
}

function meterOf({ allocated }: OrganisationWallet, window: WindowId): number[] {
  let meter = allocated.get(window);
  if (meter === undefined) allocated.set(window, (meter = []));
  return meter;
}

/** What a member was allocated in a window that is still counted. */
export function allocatedTo({ allocated, members }: OrganisationWallet, userId: string, window: WindowId): number {
  const member = members.get(userId);
  return member === undefined ? 0 : (allocated.get(window)?.[member.place] ?? 0);
}

function setStatus(member: Member, status: MemberStatus): void {
  if (status !== 'removed') member.suspendedWhenRemoved = false;
  else if (member.status !== 'removed') member.suspendedWhenRemoved = member.status === 'suspended';
  member.status = status;
}

function pruneAllocated(wallet: OrganisationWallet, at: string): void {
  if (wallet.prunedDay !== '' && at.startsWith(wallet.prunedDay)) return;
  wallet.prunedDay = at.slice(0, 10);
  prune(wallet.allocated, Date.parse(at));
}
