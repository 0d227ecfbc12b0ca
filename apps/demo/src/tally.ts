import { moveBucket, organisationOf, userOf, type Books } from './books';
import type { Problem } from './http-client';
import type { BlockingLimit, ChargeAnswer } from './ledger-api';

/** A limit that refused a member, as it stood at the last refusal. */
export interface Blocked extends BlockingLimit {
  refusals: number;
}

export type Owner = { organisation: string } | { user: string };

/** Keeps the books from what the service answered, and nothing else. */
export class Tally {
  readonly books: Required<Books> = {
    witness: 'answers',
    purchased: 0,
    granted: 0,
    spent: 0,
    billed: 0,
    lapsed: 0,
    owed: new Map(),
    organisations: new Map(),
    users: new Map(),
  };
  readonly refusals = new Map<string, number>();
  readonly blocked = new Map<string, Blocked>();
  /** Accepted usages and what they cost, by user. */
  readonly usages = new Map<string, { count: number; tokens: number }>();
  usageCount = 0;
  reversals = 0;

  /** `owedPaid` of the tokens paid an earlier debt and never reached the balance. */
  purchasedBy(wallet: Owner, tokens: number, owedPaid = 0): void {
    this.books.purchased += tokens;
    this.settled(owedPaid);
    this.owes(wallet, -owedPaid);
    if ('organisation' in wallet) organisationOf(this.books, wallet.organisation).available += tokens - owedPaid;
    else userOf(this.books, wallet.user).purchased += tokens - owedPaid;
  }

  /** A bill or a day of storage, as it was answered. */
  billed(wallet: Owner, { charged, owedTokens }: { charged: readonly ChargeAnswer[]; owedTokens: number }): void {
    for (const { source, organisationId, tokens } of charged) {
      this.settled(tokens);
      if ('organisation' in wallet) organisationOf(this.books, wallet.organisation).available -= tokens;
      else moveBucket(userOf(this.books, wallet.user), source, organisationId, -tokens);
    }
    this.owes(wallet, owedTokens);
  }

  private settled(tokens: number): void {
    this.books.spent += tokens;
    this.books.billed += tokens;
  }

  private owes(wallet: Owner, tokens: number): void {
    const owner = 'organisation' in wallet ? `organisation ${wallet.organisation}` : `user ${wallet.user}`;
    const owed = (this.books.owed.get(owner) ?? 0) + tokens;
    if (owed === 0) this.books.owed.delete(owner);
    else this.books.owed.set(owner, owed);
  }

  granted(userId: string, tokens: number): void {
    this.books.granted += tokens;
    userOf(this.books, userId).free += tokens;
  }

  allocated(organisationId: string, lines: readonly { userId: string; tokens: number }[]): void {
    for (const { userId, tokens } of lines) {
      organisationOf(this.books, organisationId).available -= tokens;
      moveBucket(userOf(this.books, userId), 'allocated', organisationId, tokens);
    }
  }

  charged(userId: string, tokens: number, charged: readonly ChargeAnswer[]): void {
    this.books.spent += tokens;
    this.usageCount += 1;
    const usages = this.usages.get(userId) ?? { count: 0, tokens: 0 };
    this.usages.set(userId, { count: usages.count + 1, tokens: usages.tokens + tokens });
    for (const charge of charged) moveBucket(userOf(this.books, userId), charge.source, charge.organisationId, -charge.tokens);
  }

  returned(userId: string, tokens: number, returned: readonly ChargeAnswer[]): void {
    this.books.spent -= tokens;
    this.reversals += 1;
    for (const charge of returned) moveBucket(userOf(this.books, userId), charge.source, charge.organisationId, charge.tokens);
  }

  refused(problem: Problem): void {
    this.refusals.set(problem.code, (this.refusals.get(problem.code) ?? 0) + 1);
    for (const limit of (problem.limits as BlockingLimit[] | undefined) ?? []) {
      const name = [limit.organisationId, limit.userId, limit.meter, limit.period, limit.source, limit.window].join(' ');
      const before = this.blocked.get(name);
      // Answers overtake each other, so the fullest window is the latest.
      const latest = before && before.used > limit.used ? before : limit;
      this.blocked.set(name, { ...latest, refusals: (before?.refusals ?? 0) + 1 });
    }
  }
}
