import { freeNow, isoInstant, monthAt, postings, type WalletEvent, type WalletRef } from '@ledger/wallet';
import { type Platform, walletName } from './arguments';

/** What a user held at an instant, in the words of `GET /v1/users/{userId}/balance?at=`. */
export interface UserHeld {
  at: string;
  /** Of the wallet's last event at or before the instant; -1 before the first. */
  revision: number;
  balance: number;
  free: { tokens: number; tokensPerMonth: number; month: string; resetsAt: string };
  purchased: number;
  allocated: { organisationId: string; tokens: number }[];
  owed: number;
}

/** What an organisation held, in the words of `GET /v1/organisations/{organisationId}/balance?at=`. */
export interface OrganisationHeld {
  at: string;
  revision: number;
  available: number;
  /** Allocated and not yet received by its members. */
  inTransit: number;
  owed: number;
}

/** One wallet under way: its accounts by the end of their names, such as `free` or `allocated:acme`. */
interface Holding {
  wallet: WalletRef;
  revision: number;
  owed: number;
  accounts: Map<string, number>;
  /** Free tokens: the month they are of, and what a new month is granted. Undefined before the wallet is opened. */
  allowance?: { month: string; tokensPerMonth: number };
}

/** What a part of the streams says, as one thread posts it to another. */
export interface PostedHoldings {
  platform: [account: string, tokens: number][];
  wallets: (Omit<Holding, 'accounts'> & { accounts: [string, number][] })[];
}

/**
 * What every wallet held at one instant. It adds up the postings of all events up to then and believes no `balanceAfter`: so it is
 * a second answer beside the service's own fold. Its memory is bounded by wallets, and by the allocations made after the instant.
 */
export class Holdings {
  /** Tokens of the accounts that belong to no wallet: world, platform:usage, platform:bills, lapsed. */
  readonly platform = new Map<string, number>();
  private readonly wallets = new Map<string, Holding>();
  /** A member's stream may run on a clock that is behind: what was allocated after the instant did not arrive before it. */
  private readonly allocatedLater = new Set<string>();
  private readonly instant: string;

  constructor(private readonly at: number) {
    this.instant = isoInstant(at);
  }

  /** Events of one stream in their order, and an allocation before its receipts. @throws TypeError for amounts that are none */
  add(wallet: WalletRef, revision: number, event: WalletEvent): void {
    if (event.data.at > this.instant) return this.learn(wallet, event);
    const holding = this.holdingOf(wallet);
    holding.revision = revision;
    note(holding, event);
    for (const { account, tokens } of postings(wallet, event)) {
      if (account.endsWith(':inTransit') && event.type === 'AllocationReceived' && this.isLater(event.data)) continue;
      this.post(account, tokens);
    }
  }

  /** Notes of an event of a stream that somebody else adds what those of other streams are judged by. */
  learn({ id }: WalletRef, { type, data }: WalletEvent): void {
    if (type === 'TokensAllocated' && data.at > this.instant) this.allocatedLater.add(`${id}/${data.allocationId}`);
  }

  /** A wallet that was never heard of is empty, and has the default allowance. */
  user(userId: string, settings: Platform): UserHeld {
    const holding = this.wallets.get(`user:${userId}`);
    const held = (account: string): number => holding?.accounts.get(account) ?? 0;
    const allowance = holding?.allowance;
    const free = allowance && { ...allowance, tokens: held('free'), granted: 0 };
    const { tokens, tokensPerMonth, month } = freeNow({ free }, { at: this.at, settings });
    const current = monthAt(settings.platformTimeZone, this.at);
    // Another instance's clock may have granted the next month already.
    const { resetsAt } = month === current.window ? current : monthAt(settings.platformTimeZone, current.resetsAt);
    const allocated = allocatedIn(holding);
    return {
      at: this.instant,
      revision: holding?.revision ?? -1,
      balance: allocated.reduce((sum, one) => sum + one.tokens, tokens + held('purchased')),
      free: { tokens, tokensPerMonth, month, resetsAt: isoInstant(resetsAt) },
      purchased: held('purchased'),
      allocated,
      owed: holding?.owed ?? 0,
    };
  }

  organisation(organisationId: string): OrganisationHeld {
    const holding = this.wallets.get(`organisation:${organisationId}`);
    return {
      at: this.instant,
      revision: holding?.revision ?? -1,
      available: holding?.accounts.get('available') ?? 0,
      inTransit: holding?.accounts.get('inTransit') ?? 0,
      owed: holding?.owed ?? 0,
    };
  }

  /** All accounts by their names, as postings have them: free tokens of a month that has passed lapse by an event, not by a clock. */
  *accounts(): Generator<[account: string, tokens: number]> {
    yield* this.platform;
    for (const [name, { accounts }] of this.wallets) for (const [account, tokens] of accounts) yield [`${name}:${account}`, tokens];
  }

  /** The wallets that had an event by then, organisations first, by name. */
  known(): WalletRef[] {
    const named = [...this.wallets].filter(([, { revision }]) => revision >= 0).sort(([a], [b]) => (a < b ? -1 : 1));
    return named.map(([, { wallet }]) => wallet);
  }

  posted(): PostedHoldings {
    const wallets = Array.from(this.wallets.values(), (holding) => ({ ...holding, accounts: [...holding.accounts] }));
    return { platform: [...this.platform], wallets };
  }

  /** Adds what other streams say: every stream belongs to one part, and its receipts speak of an organisation that another may have. */
  merge({ platform, wallets }: PostedHoldings): void {
    for (const [account, tokens] of platform) addTo(this.platform, account, tokens);
    for (const { wallet, revision, owed, allowance, accounts } of wallets) {
      const holding = this.holdingOf(wallet);
      holding.revision = Math.max(holding.revision, revision);
      holding.owed += owed;
      if (allowance) holding.allowance = allowance;
      for (const [account, tokens] of accounts) addTo(holding.accounts, account, tokens);
    }
  }

  private isLater({ organisationId, allocationId }: { organisationId: string; allocationId: string }): boolean {
    return this.allocatedLater.has(`${organisationId}/${allocationId}`);
  }

  private post(account: string, tokens: number): void {
    const behindKind = account.indexOf(':');
    const kind = account.slice(0, behindKind);
    if (kind !== 'user' && kind !== 'organisation') return addTo(this.platform, account, tokens);
    const behindId = account.indexOf(':', behindKind + 1);
    const holding = this.wallets.get(account.slice(0, behindId)) ?? this.holdingOf({ kind, id: account.slice(behindKind + 1, behindId) });
    addTo(holding.accounts, account.slice(behindId + 1), tokens);
  }

  private holdingOf(wallet: WalletRef): Holding {
    const name = walletName(wallet);
    let holding = this.wallets.get(name);
    if (holding === undefined) this.wallets.set(name, (holding = { wallet, revision: -1, owed: 0, accounts: new Map() }));
    return holding;
  }
}

/** What an event says of the allowance and of debts, which are no tokens and have no postings. */
function note(holding: Holding, { type, data }: WalletEvent): void {
  const { allowance } = holding;
  if (type === 'UserWalletOpened') holding.allowance = { month: '', tokensPerMonth: whole(data.freeTokensPerMonth) };
  else if (type === 'FreeAllowanceGranted') holding.allowance = { month: text(data.month), tokensPerMonth: allowance?.tokensPerMonth ?? 0 };
  else if (type === 'FreeAllowanceSet') holding.allowance = { month: text(data.month), tokensPerMonth: whole(data.tokensPerMonth) };
  else if (type === 'TokensPurchased') holding.owed -= whole(data.owedPaid);
  else if (type === 'BillCharged' || type === 'StorageAccrued') holding.owed += whole(data.owedTokens);
}

const addTo = (accounts: Map<string, number>, account: string, tokens: number): void => {
  accounts.set(account, (accounts.get(account) ?? 0) + whole(tokens));
};

/** @throws TypeError for what somebody has put where tokens were */
function whole(tokens: number): number {
  if (!Number.isSafeInteger(tokens)) throw new TypeError(`${String(tokens)} is no number of tokens`);
  return tokens;
}

/** @throws TypeError */
function text(month: string): string {
  if (typeof month !== 'string') throw new TypeError(`${String(month)} is no month`);
  return month;
}

/** In the order of the first receipt. */
function allocatedIn(holding: Holding | undefined): { organisationId: string; tokens: number }[] {
  const prefix = 'allocated:';
  return [...(holding?.accounts ?? [])]
    .filter(([account]) => account.startsWith(prefix))
    .map(([account, tokens]) => ({ organisationId: account.slice(prefix.length), tokens }));
}
