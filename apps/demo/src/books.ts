/**
 * Where all tokens are, told by one witness: what the answers to the commands said, what the service reads back, or what the
 * stored events come to. The three are kept apart until adding-up.ts compares them.
 */

export interface OrganisationHolding {
  available: number;
  inTransit: number;
}

export interface UserHolding {
  free: number;
  purchased: number;
  /** By organisation; an organisation that nothing is left of may be missing. */
  allocated: Map<string, number>;
}

export interface Books {
  witness: 'answers' | 'reads' | 'events';
  /** Undefined where the witness cannot know: reads show what is there, not how it came. */
  purchased?: number;
  granted?: number;
  /** By usages and by bills. */
  spent?: number;
  /** The part of `spent` that went to bills, debts that a purchase paid included. */
  billed?: number;
  lapsed?: number;
  /** What wallets owe for bills, by `organisation acme` or `user ann`; no token that is held. */
  owed?: Map<string, number>;
  organisations: Map<string, OrganisationHolding>;
  users: Map<string, UserHolding>;
}

export const emptyHolding = (): UserHolding => ({ free: 0, purchased: 0, allocated: new Map() });

export function organisationOf(books: Books, id: string): OrganisationHolding {
  let holding = books.organisations.get(id);
  if (!holding) books.organisations.set(id, (holding = { available: 0, inTransit: 0 }));
  return holding;
}

export function userOf(books: Books, id: string): UserHolding {
  let holding = books.users.get(id);
  if (!holding) books.users.set(id, (holding = emptyHolding()));
  return holding;
}

export type Source = 'free' | 'allocated' | 'purchased';

/** Moves a bucket of a user by a number of tokens, which may be negative, and says what is in it now. */
export function moveBucket(holding: UserHolding, source: Source, organisationId: string | undefined, tokens: number): number {
  if (source !== 'allocated') return (holding[source] += tokens);
  const id = organisationId ?? '(no organisation)';
  const left = (holding.allocated.get(id) ?? 0) + tokens;
  holding.allocated.set(id, left);
  return left;
}

export const balanceOf = ({ free, purchased, allocated }: UserHolding): number =>
  [...allocated.values()].reduce((sum, tokens) => sum + tokens, free + purchased);

export function held(books: Books): { organisations: number; users: number; inTransit: number } {
  let organisations = 0;
  let inTransit = 0;
  let users = 0;
  for (const holding of books.organisations.values()) {
    organisations += holding.available;
    inTransit += holding.inTransit;
  }
  for (const holding of books.users.values()) users += balanceOf(holding);
  return { organisations, users, inTransit };
}
