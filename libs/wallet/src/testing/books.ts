import { postings } from '../postings';
import type { WalletEvent } from '../events';
import type { WalletRef } from '../wallet-ref';

/** Double entry over all wallets, event by event, and what must hold after each of them. */
export class Books {
  readonly accounts = new Map<string, number>();
  /** Allocated and received so far, by organisation, counted from the events' own amounts. */
  private readonly allocated = new Map<string, number>();
  private readonly received = new Map<string, number>();
  /** What each wallet was billed and has not paid, and what all of them were billed. */
  private readonly debts = new Map<string, number>();
  private billed = 0;

  of = (account: string): number => this.accounts.get(account) ?? 0;

  enter(wallet: WalletRef, event: WalletEvent): void {
    const lines = postings(wallet, event);
    // Zero counted per event: money neither comes nor goes.
    if (lines.reduce((sum, { tokens }) => sum + tokens, 0) !== 0) throw new Error(`${event.type} does not balance`);
    for (const { account, tokens } of lines) this.accounts.set(account, this.of(account) + tokens);
    if (event.type === 'TokensAllocated') add(this.allocated, wallet.id, event.data.tokens);
    if (event.type === 'AllocationReceived') add(this.received, event.data.organisationId, event.data.tokens);
    this.bill(wallet, event);
    this.check(wallet, event);
  }

  owedBy = ({ kind, id }: WalletRef): number => this.debts.get(`${kind}:${id}`) ?? 0;

  inTransit(organisationId: string): number {
    return (this.allocated.get(organisationId) ?? 0) - (this.received.get(organisationId) ?? 0);
  }

  /** free + purchased + all allocated of a user. */
  held(userId: string): number {
    let sum = 0;
    for (const [account, tokens] of this.accounts) if (account.startsWith(`user:${userId}:`)) sum += tokens;
    return sum;
  }

  /** Every token that was billed is either paid or owed, and a purchase pays the debt before anything else. */
  private bill(wallet: WalletRef, event: WalletEvent): void {
    const debt = this.owedBy(wallet);
    const owe = (tokens: number) => add(this.debts, `${wallet.kind}:${wallet.id}`, tokens);
    if (event.type === 'TokensPurchased') {
      must(event.data.owedPaid, Math.min(debt, event.data.tokens), 'debt paid');
      owe(-event.data.owedPaid);
    }
    if (event.type === 'BillCharged' || event.type === 'StorageAccrued') {
      const { chargedTokens, owedTokens, owed, charged } = event.data;
      must(
        chargedTokens,
        charged.reduce((sum, { tokens }) => sum + tokens, 0),
        'charged',
      );
      owe(owedTokens);
      must(owed, this.owedBy(wallet), `debt of ${wallet.id}`);
      this.billed += chargedTokens + owedTokens;
      if (event.type === 'BillCharged') must(event.data.tokens, chargedTokens + owedTokens, 'bill');
      if (charged.some(({ source, tokens }) => source === 'allocated' || tokens <= 0)) throw new Error('a bill took what it may not');
    }
    if (this.owedBy(wallet) < 0) throw new Error(`${wallet.id} owes ${this.owedBy(wallet)}`);
    let open = 0;
    for (const owed of this.debts.values()) open += owed;
    must(this.billed, this.of('platform:bills') + open, 'bills, paid or owed');
  }

  private check(wallet: WalletRef, event: WalletEvent): void {
    let total = 0;
    for (const [account, tokens] of this.accounts) {
      total += tokens;
      if (account !== 'world' && tokens < 0) throw new Error(`${account} has ${tokens} after ${event.type}`);
      if (!Number.isSafeInteger(tokens)) throw new Error(`${account} has ${tokens}`);
    }
    must(total, 0, 'sum of all accounts');
    if (wallet.kind === 'organisation') {
      must(this.of(`organisation:${wallet.id}:inTransit`), this.inTransit(wallet.id), 'in transit');
    }
    if (!('balanceAfter' in event.data)) return;
    const after = event.data.balanceAfter;
    if ('available' in after) {
      const available = this.of(`organisation:${wallet.id}:available`);
      must(after.available, available, 'available');
      must(after.balance, available, 'balance');
      return;
    }
    must(after.balance, this.held(wallet.id), `balance of ${wallet.id}`);
    if (after.free) must(after.free.tokens, this.of(`user:${wallet.id}:free`), 'free');
    if (after.purchased !== undefined) must(after.purchased, this.of(`user:${wallet.id}:purchased`), 'purchased');
    for (const { organisationId, tokens } of after.allocated ?? [])
      must(tokens, this.of(`user:${wallet.id}:allocated:${organisationId}`), 'allocated');
  }
}

const add = (sums: Map<string, number>, name: string, tokens: number): void => void sums.set(name, (sums.get(name) ?? 0) + tokens);

/** Jest's own matchers cost more than all the rest of a run that compares after every event. */
function must(said: number, counted: number, what: string): void {
  if (said !== counted) throw new Error(`${what}: the wallet says ${said}, the books ${counted}`);
}
