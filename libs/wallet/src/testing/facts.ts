import { isoInstant, windowsAt } from '../calendar';
import type { DefaultLimits, LimitOverride, OrganisationEvent, UserBalance, UserEvent, WalletEvent, WindowId } from '../events';
import { UNLIMITED } from '../limits';
import type { OrganisationWallet } from '../organisation-wallet';
import type { UserWallet } from '../user-wallet';

/** What has happened before a decision, as the events that would be stored. Balances follow from the wallet so far. */
export type Fact<Wallet, Event extends WalletEvent = WalletEvent> = (wallet: Wallet, at: number) => Event;
export type OrganisationFact = Fact<OrganisationWallet, OrganisationEvent>;
export type UserFact = Fact<UserWallet, UserEvent>;

export const opened =
  (timeZone = 'UTC'): OrganisationFact =>
  ({ organisationId }, at) => ({
    type: 'OrganisationWalletOpened',
    data: { at: isoInstant(at), organisationId, timeZone, balanceAfter: { available: 0, balance: 0 } },
  });

export const zoneSet =
  (timeZone: string): OrganisationFact =>
  (_, at) => ({ type: 'TimeZoneSet', data: { at: isoInstant(at), timeZone } });

const priced = { purchaseId: 'purchase', listPriceCents: 0, discountPercent: 0, priceCents: 0, priceTable: 'test', owedPaid: 0 };

export const purchased =
  (tokens: number, paymentReference = 'paid'): OrganisationFact =>
  ({ available }, at) => ({
    type: 'TokensPurchased',
    data: {
      ...priced,
      at: isoInstant(at),
      tokens,
      paymentReference,
      balanceAfter: { available: available + tokens, balance: available + tokens },
    },
  });

export const permitted =
  (...userIds: string[]): OrganisationFact =>
  (_, at) => ({ type: 'MemberPermitted', data: { at: isoInstant(at), userIds } });

export const suspended =
  (...userIds: string[]): OrganisationFact =>
  (_, at) => ({ type: 'MemberSuspended', data: { at: isoInstant(at), userIds } });

export const resumed =
  (...userIds: string[]): OrganisationFact =>
  (_, at) => ({ type: 'MemberResumed', data: { at: isoInstant(at), userIds } });

export const removed =
  (...userIds: string[]): OrganisationFact =>
  (_, at) => ({ type: 'MemberRemoved', data: { at: isoInstant(at), userIds } });

/** The organisation's whole default: what is not given is unlimited. */
export const defaultLimits =
  ({ usage, allocation }: LimitOverride): OrganisationFact =>
  (_, at) => ({
    type: 'LimitSet',
    data: {
      at: isoInstant(at),
      default: { usage: { ...UNLIMITED.usage, ...usage }, allocation: { ...UNLIMITED.allocation, ...allocation } },
    },
  });

export const override =
  (userId: string, limits: LimitOverride): OrganisationFact =>
  (_, at) => ({ type: 'LimitSet', data: { at: isoInstant(at), overrides: [{ userId, limits }] } });

export const allocated =
  (...lines: [userId: string, tokens: number][]): OrganisationFact =>
  ({ available, timeZone, members }, at) => {
    const tokens = lines.reduce((sum, [, each]) => sum + each, 0);
    const windows = windowsAt(timeZone, at);
    return {
      type: 'TokensAllocated',
      data: {
        at: isoInstant(at),
        allocationId: 'earlier',
        part: 1,
        parts: 1,
        tokens,
        tokensTotal: tokens,
        lineCount: lines.length,
        windows: { daily: windows.daily.window, monthly: windows.monthly.window },
        lines: lines.map(([userId, each]) => [userId, each, (members.get(userId)?.allocations ?? 0) + 1]),
        balanceAfter: { available: available - tokens, balance: available - tokens },
      },
    };
  };

/** A user's wallet opened with this default allowance; nothing is granted by the opening itself. */
export const walletOpened =
  (freeTokensPerMonth = 0): UserFact =>
  ({ userId }, at) => ({
    type: 'UserWalletOpened',
    data: { at: isoInstant(at), userId, freeTokensPerMonth, balanceAfter: { balance: 0 } },
  });

const balanceOf = (wallet: UserWallet): number =>
  (wallet.free?.tokens ?? 0) + wallet.purchased + [...wallet.relationships.values()].reduce((sum, { tokens }) => sum + tokens, 0);

export const granted =
  (tokens: number, month: WindowId): UserFact =>
  (wallet, at) => {
    const lapsed = wallet.free?.tokens ?? 0;
    const balanceAfter: UserBalance = { free: { tokens, month }, balance: balanceOf(wallet) - lapsed + tokens };
    return { type: 'FreeAllowanceGranted', data: { at: isoInstant(at), month, tokens, lapsed, balanceAfter } };
  };

export const bought =
  (tokens: number, paymentReference = 'paid'): UserFact =>
  (wallet, at) => ({
    type: 'TokensPurchased',
    data: {
      ...priced,
      at: isoInstant(at),
      tokens,
      paymentReference,
      balanceAfter: { purchased: wallet.purchased + tokens, balance: balanceOf(wallet) + tokens },
    },
  });

export const received =
  (organisationId: string, tokens: number): UserFact =>
  (wallet, at) => {
    const before = wallet.relationships.get(organisationId);
    const allocatedAfter = [{ organisationId, tokens: (before?.tokens ?? 0) + tokens }];
    return {
      type: 'AllocationReceived',
      data: {
        at: isoInstant(at),
        organisationId,
        allocationId: 'earlier',
        number: (before?.received ?? 0) + 1,
        tokens,
        balanceAfter: { allocated: allocatedAfter, balance: balanceOf(wallet) + tokens },
      },
    };
  };

export const limits = (usage: DefaultLimits['usage'], allocation = UNLIMITED.allocation): DefaultLimits => ({ usage, allocation });
