import { moveBucket, organisationOf, userOf, type Books } from './books';
import type { Problem } from './http-client';
import type { BlockingLimit, ChargeAnswer } from './ledger-api';

/** A limit that refused a member, as it stood at the last refusal. */
export interface Blocked extends BlockingLimit {
  refusals: number;
}

/** Keeps the books from what the service answered, and nothing else. */
export class Tally {
  readonly books: Required<Books> = {
    witness: 'answers',
    purchased: 0,
    granted: 0,
    spent: 0,
    lapsed: 0,
    organisations: new Map(),
    users: new Map(),
  };
  readonly refusals = new Map<string, number>();
  readonly blocked = new Map<string, Blocked>();
  /** Accepted usages and what they cost, by user. */
  readonly usages = new Map<string, { count: number; tokens: number }>();
  usageCount = 0;
  reversals = 0;

  purchasedBy(wallet: { organisation: string } | { user: string }, tokens: number): void {
    this.books.purchased += tokens;
    if ('organisation' in wallet) organisationOf(this.books, wallet.organisation).available += tokens;
    else userOf(this.books, wallet.user).purchased += tokens;
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
