import type { Charge, EventOf, UserBalance, WalletEvent } from '@ledger/wallet';
import { balanceOf, moveBucket, organisationOf, userOf, type Books } from './books';
import { BillsRecomputed, type BillEvent } from './recompute-bills';

/**
 * The books told by the stored events alone. It is written a second time on purpose: it shares only the shapes of the events
 * with the ledger, no fold, so a mistake in one of them shows. Each event is also checked against all before it: balances,
 * sums, revisions, numbers of allocations, and that no draw passed a limit.
 */
export interface StoredFact {
  stream: string;
  revision: number;
  event: WalletEvent;
}

export interface Recomputed extends Required<Books> {
  events: number;
  streams: number;
  /** What does not add up, a sentence each; the first FAULTS_MAX. */
  faults: string[];
}

const FAULTS_MAX = 20;

export function recompute(facts: Iterable<StoredFact>): Recomputed {
  const folding = new Recomputing();
  for (const fact of facts) folding.add(fact);
  return folding.result();
}

/** The same of facts that come one page after the other. */
export async function recomputeAsTheyCome(facts: AsyncIterable<StoredFact>): Promise<Recomputed> {
  const folding = new Recomputing();
  for await (const fact of facts) folding.add(fact);
  return folding.result();
}

class Recomputing {
  private readonly books: Recomputed = {
    witness: 'events',
    purchased: 0,
    granted: 0,
    spent: 0,
    billed: 0,
    lapsed: 0,
    owed: new Map(),
    organisations: new Map(),
    users: new Map(),
    events: 0,
    streams: 0,
    faults: [],
  };
  private readonly bills = new BillsRecomputed({
    same: (what, said, recomputed) => this.same(what, said, recomputed),
    fault: (sentence) => this.fault(sentence),
  });
  private readonly revisions = new Map<string, number>();
  /** Last running number of a member in an organisation, as allocated and as received. */
  private readonly allocatedNumbers = new Map<string, number>();
  private readonly receivedNumbers = new Map<string, number>();
  /** Tokens drawn by window of a relationship. */
  private readonly drawn = new Map<string, number>();
  private where = '';

  add({ stream, revision, event }: StoredFact): void {
    const { books, revisions } = this;
    this.where = `${stream} revision ${revision} (${event.type})`;
    books.events += 1;
    const wanted = (revisions.get(stream) ?? -1) + 1;
    if (revision !== wanted) this.fault(`comes where revision ${wanted} should be`);
    if (revision === 0) books.streams += 1;
    revisions.set(stream, revision);
    const dash = stream.indexOf('-');
    const id = stream.slice(dash + 1);
    if (stream.slice(0, dash) === 'organisationWallet') this.addToOrganisation(id, event);
    else if (stream.slice(0, dash) === 'userWallet') this.addToUser(id, event);
    else this.fault('is on a stream of no wallet');
  }

  result(): Recomputed {
    const { books } = this;
    this.where = 'the end';
    for (const [owner, owed] of this.bills.owed) if (owed !== 0) books.owed.set(owner, owed);
    for (const [id, { available, inTransit }] of books.organisations)
      if (available < 0 || inTransit < 0) this.fault(`leaves ${id} with ${available} tokens, ${inTransit} in transit`);
    for (const [name, number] of this.allocatedNumbers) {
      const received = this.receivedNumbers.get(name) ?? 0;
      if (received !== number) this.fault(`has ${name} credited up to allocation ${received} of ${number}`);
    }
    return books;
  }

  private addToOrganisation(id: string, event: WalletEvent): void {
    const { books } = this;
    const wallet = organisationOf(books, id);
    if (event.type === 'TokensPurchased') {
      this.purchase(`organisation ${id}`, event.data);
      wallet.available += event.data.tokens - event.data.owedPaid;
    } else if (event.type === 'TokensAllocated') {
      const { tokens, lines } = event.data;
      this.same('lines', sum(lines.map(([, each]) => each)), tokens);
      for (const [userId, , number] of lines) this.nextNumber(this.allocatedNumbers, `${userId} of ${id}`, number);
      wallet.available -= tokens;
      wallet.inTransit += tokens;
    } else if (isBill(event)) wallet.available -= this.bill(`organisation ${id}`, event);
    else if (!MOVE_NOTHING.has(event.type)) this.fault('is of a type that this recomputation does not know');
    if ('balanceAfter' in event.data) {
      this.same('balance', event.data.balanceAfter.balance, wallet.available);
      if ('available' in event.data.balanceAfter) this.same('available', event.data.balanceAfter.available, wallet.available);
    }
  }

  private addToUser(id: string, event: WalletEvent): void {
    const { books } = this;
    const wallet = userOf(books, id);
    if (event.type === 'TokensPurchased') {
      this.purchase(`user ${id}`, event.data);
      wallet.purchased += event.data.tokens - event.data.owedPaid;
    } else if (event.type === 'FreeAllowanceSet') {
      books.granted += event.data.added;
      wallet.free += event.data.added;
    } else if (event.type === 'FreeAllowanceGranted') {
      this.same('lapsed', event.data.lapsed, wallet.free);
      books.lapsed += event.data.lapsed;
      books.granted += event.data.tokens;
      wallet.free += event.data.tokens - event.data.lapsed;
    } else if (event.type === 'AllocationReceived') {
      const { organisationId, tokens, number } = event.data;
      this.nextNumber(this.receivedNumbers, `${id} of ${organisationId}`, number);
      organisationOf(books, organisationId).inTransit -= tokens;
      moveBucket(wallet, 'allocated', organisationId, tokens);
    } else if (event.type === 'TokensUsed') this.use(id, event);
    else if (event.type === 'UsageReversed') this.reverse(id, event);
    else if (isBill(event)) {
      this.bill(`user ${id}`, event);
      if ('charged' in event.data) this.draw(id, event.data.charged);
    } else if (!MOVE_NOTHING.has(event.type)) this.fault('is of a type that this recomputation does not know');
    if ('balanceAfter' in event.data) this.checkBalance(id, event.data.balanceAfter);
  }

  private use(id: string, { data }: EventOf<'TokensUsed'>): void {
    this.same('charged', sumOf(data.charged), data.tokens);
    this.books.spent += data.tokens;
    this.draw(id, data.charged);
    for (const { organisationId, tokens, windows } of data.considered) {
      this.same(`drawn from ${organisationId}`, tokens, sumOf(data.charged.filter((charge) => charge.organisationId === organisationId)));
      for (const { window, used, limit } of [windows.daily, windows.monthly]) {
        const name = `${id} ${organisationId} ${window}`;
        const now = (this.drawn.get(name) ?? 0) + tokens;
        this.drawn.set(name, now);
        this.same(`used in ${window}`, used, now);
        if (tokens > 0 && limit !== null && now > limit) this.fault(`passes the limit of ${limit} in ${window} with ${now}`);
      }
    }
  }

  private draw(id: string, charged: readonly Charge[]): void {
    for (const { source, organisationId, tokens } of charged) {
      const left = moveBucket(userOf(this.books, id), source, organisationId, -tokens);
      if (left < 0) this.fault(`draws ${source} tokens below zero: ${left}`);
    }
  }

  private purchase(owner: string, { tokens, owedPaid }: { tokens: number; owedPaid: number }): void {
    this.books.purchased += tokens;
    this.books.spent += owedPaid;
    this.books.billed += owedPaid;
    this.bills.paid(owner, tokens, owedPaid);
  }

  /** What the bill took. */
  private bill(owner: string, event: BillEvent): number {
    this.bills.add(owner, event);
    const tokens = 'charged' in event.data ? sumOf(event.data.charged) : 0;
    this.books.spent += tokens;
    this.books.billed += tokens;
    return tokens;
  }

  private reverse(id: string, { data }: EventOf<'UsageReversed'>): void {
    this.same('returned and lapsed', sumOf(data.returned) + data.lapsed, data.tokens);
    this.books.spent -= data.tokens;
    this.books.lapsed += data.lapsed;
    for (const { source, organisationId, tokens } of data.returned) moveBucket(userOf(this.books, id), source, organisationId, tokens);
    for (const { organisationId, window, used } of data.windows) {
      const name = `${id} ${organisationId} ${window}`;
      const drawn = this.drawn.get(name) ?? 0;
      this.same(`given back in ${window}`, drawn - used, sumOf(data.returned.filter((charge) => charge.organisationId === organisationId)));
      this.drawn.set(name, used);
    }
  }

  private checkBalance(id: string, after: UserBalance): void {
    const wallet = userOf(this.books, id);
    this.same('balance', after.balance, balanceOf(wallet));
    if (after.free) this.same('free', after.free.tokens, wallet.free);
    if (after.purchased !== undefined) this.same('purchased', after.purchased, wallet.purchased);
    for (const { organisationId, tokens } of after.allocated ?? [])
      this.same(organisationId, tokens, wallet.allocated.get(organisationId) ?? 0);
  }

  private nextNumber(numbers: Map<string, number>, name: string, number: number): void {
    this.same(`number of ${name}`, number, (numbers.get(name) ?? 0) + 1);
    numbers.set(name, number);
  }

  private same(what: string, said: number | bigint, recomputed: number | bigint): void {
    if (said !== recomputed) this.fault(`says ${what} ${said}; the events come to ${recomputed}`);
  }

  private fault(sentence: string): void {
    if (this.books.faults.length < FAULTS_MAX) this.books.faults.push(`${this.where} ${sentence}`);
  }
}

const isBill = (event: WalletEvent): event is BillEvent => /^(BillCharged|BillDeclined|StorageAccrued)$/.test(event.type);

/** Events without tokens. */
const MOVE_NOTHING: ReadonlySet<string> = new Set([
  'OrganisationWalletOpened',
  'TimeZoneSet',
  'MemberPermitted',
  'MemberSuspended',
  'MemberResumed',
  'MemberRemoved',
  'LimitSet',
  'LimitCleared',
  'UserWalletOpened',
  'LimitReached',
]);

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
const sumOf = (charges: readonly Charge[]): number => sum(charges.map(({ tokens }) => tokens));
