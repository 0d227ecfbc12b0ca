import type { Charge, Considered, EventOf, UserBalance, WindowAfter } from '@ledger/wallet';
import { F } from './usual-usage-texts';
import { DAY, Glance, INSTANT, MONTH, UUID } from './glance';
import { type Fixed, kindOf, PLAIN } from './texts';

/**
 * The data of a usage with one charge and at most one organisation considered, in one look along its bytes. Like `usual-facts.ts` it
 * matches less than the schema allows, never more; a ledger is so full of usages that an expression would be a good part of the audit.
 */

const NUMBER = 15;
const TOKENS = 12;
const FREE = 9;
const ID_MAX = 64;
const WORDS_MAX = 200;
const COST_DIGITS = 9;
const COST_DECIMALS = 12;

const ID = kindOf(/[A-Za-z0-9._~-]/);
type Usage = EventOf<'TokensUsed'>['data'];
const CLOSE = 125;
const QUOTE = 34;

/** The usage that was looked at last. Its longer texts are made when they are asked for, which they are when something is wrong. */
export class UsualUsage implements Usage {
  readonly glance = new Glance();
  /** Of the instants, in epoch ms. */
  atMs = 0;
  occurredAtMs = 0;
  /** Of `at`. */
  day = '';
  private month = '';
  /** Where texts begin. */
  usageFrom = 0;
  private atFrom = 0;
  private occurredFrom = 0;
  private referenceFrom = 0;
  private serviceFrom = 0;
  private costFrom = 0;
  /** The first organisation that was met; the others are mostly the same. */
  private idFrom = 0;
  private id = '';

  tokens = 0;
  charged: [Charge] = [{ source: 'free', organisationId: undefined, tokens: 0 }];
  considered: Considered[] = NONE;
  balanceAfter: UserBalance = { balance: 0, allocated: undefined, free: undefined, purchased: undefined };
  freeMonth: string | undefined = undefined;
  /** The parts that not every usage has. The next usage fills all of them anew: nobody keeps them. */
  private readonly one: [Considered] = [
    {
      organisationId: '',
      revision: 0,
      status: 'permitted',
      tokens: 0,
      usable: true,
      windows: { daily: { limit: null, used: 0, window: '' }, monthly: { limit: null, used: 0, window: '' } },
    },
  ];
  private readonly allocated = [{ organisationId: '', tokens: 0 }];
  private readonly free = { tokens: 0, month: '' };

  get at(): string {
    return this.textAt(this.atFrom, INSTANT);
  }
  get occurredAt(): string {
    return this.textAt(this.occurredFrom, INSTANT);
  }
  get usageId(): string {
    return this.textAt(this.usageFrom, UUID);
  }
  get reference(): string | undefined {
    return this.wordsAt(this.referenceFrom);
  }
  get service(): string | undefined {
    return this.wordsAt(this.serviceFrom);
  }

  get variableCostEuros(): string | undefined {
    return this.wordsAt(this.costFrom);
  }
  /** The cost of a usage that has one: `costUnits` / 10^`costDecimals` EUR, else 0. */
  get costUnits(): number {
    return this.costFrom > 0 ? this.glance.units : 0;
  }
  get costDecimals(): number {
    return this.glance.decimals;
  }

  /** Whether a usual usage lies where the glance is, behind the name of its type; only then is anything here of it. */
  look(): boolean {
    const { glance } = this;
    this.id = '';
    if (!glance.is(F.at)) return false;
    this.atFrom = glance.at;
    this.atMs = glance.instant();
    this.day = glance.lastDay;
    this.month = glance.lastMonth;
    if (Number.isNaN(this.atMs) || !glance.is(F.balanceAfter)) return false;
    if (!this.lookAtBalance() || !glance.is(F.charged) || !this.lookAtCharge() || !glance.is(F.considered)) return false;
    if (!glance.is(F.one)) {
      this.considered = NONE;
      return this.lookAtRest(F.freeMonth, F.occurredAt);
    }
    this.considered = this.one;
    return this.lookAtConsidered() && this.lookAtRest(F.freeMonthAfterOne, F.occurredAtAfterOne);
  }

  private lookAtRest(freeMonth: Fixed, occurredAt: Fixed): boolean {
    const { glance } = this;
    this.freeMonth = undefined;
    if (!glance.is(occurredAt)) {
      if (!glance.is(freeMonth)) return false;
      this.freeMonth = this.lookAtMonth();
      if (this.freeMonth === '' || !glance.is(F.occurredAtAfterMonth)) return false;
    }
    this.occurredFrom = glance.at;
    this.occurredAtMs = glance.repeats(this.atFrom, INSTANT) ? this.atMs : glance.instant();
    if (Number.isNaN(this.occurredAtMs)) return false;
    this.referenceFrom = glance.is(F.reference) ? this.lookAtWords() : 0;
    this.serviceFrom = glance.is(F.service) ? this.lookAtWords() : 0;
    if (this.referenceFrom < 0 || this.serviceFrom < 0 || !glance.is(F.tokens)) return false;
    this.tokens = glance.some(TOKENS);
    if (this.tokens < 0 || !glance.is(F.usageId)) return false;
    this.usageFrom = glance.at;
    if (!glance.uuid()) return false;
    this.costFrom = glance.is(F.cost) ? glance.at : 0;
    if (this.costFrom > 0 && !glance.decimal(COST_DIGITS, COST_DECIMALS)) return false;
    return glance.byte(QUOTE) && glance.byte(CLOSE);
  }

  private lookAtBalance(): boolean {
    const { glance, balanceAfter, allocated, free } = this;
    balanceAfter.allocated = balanceAfter.free = balanceAfter.purchased = undefined;
    if (glance.is(F.allocated)) {
      const [one] = allocated;
      one!.organisationId = this.lookAtId();
      if (one!.organisationId === '' || !glance.is(F.tokens)) return false;
      one!.tokens = glance.whole(TOKENS);
      if (one!.tokens < 0 || !glance.is(F.allocatedEnd)) return false;
      balanceAfter.allocated = allocated;
    } else if (!glance.is(F.balance)) return false;
    balanceAfter.balance = glance.whole(NUMBER);
    if (balanceAfter.balance < 0) return false;
    if (glance.is(F.free)) {
      free.month = this.lookAtMonth();
      if (free.month === '' || !glance.is(F.tokens)) return false;
      free.tokens = glance.whole(FREE);
      if (free.tokens < 0 || !glance.byte(CLOSE)) return false;
      balanceAfter.free = free;
    }
    if (!glance.is(F.purchased)) return true;
    balanceAfter.purchased = glance.whole(TOKENS);
    return balanceAfter.purchased >= 0;
  }

  private lookAtCharge(): boolean {
    const { glance } = this;
    const [charge] = this.charged;
    charge.organisationId = undefined;
    if (glance.is(F.ofOrganisation)) {
      charge.source = 'allocated';
      charge.organisationId = this.lookAtId();
      if (charge.organisationId === '' || !glance.is(F.fromAllocated)) return false;
    } else if (glance.is(F.fromFree)) charge.source = 'free';
    else if (glance.is(F.fromPurchased)) charge.source = 'purchased';
    else return false;
    charge.tokens = glance.some(TOKENS);
    return charge.tokens >= 0;
  }

  private lookAtConsidered(): boolean {
    const { glance } = this;
    const [one] = this.one;
    one.organisationId = this.lookAtId();
    if (one.organisationId === '' || !glance.is(F.revision)) return false;
    one.revision = glance.whole(NUMBER);
    if (one.revision < 0) return false;
    if (glance.is(F.permitted)) one.status = 'permitted';
    else if (glance.is(F.suspended)) one.status = 'suspended';
    else if (glance.is(F.removed)) one.status = 'removed';
    else return false;
    one.tokens = glance.whole(TOKENS);
    if (one.tokens < 0 || !glance.is(F.usable)) return false;
    one.usable = glance.true();
    if ((!one.usable && !glance.false()) || !glance.is(F.daily) || !this.lookAtWindow(one.windows.daily)) return false;
    one.windows.daily.window = this.lookAtDay();
    if (one.windows.daily.window === '' || !glance.is(F.monthly) || !this.lookAtWindow(one.windows.monthly)) return false;
    one.windows.monthly.window = this.lookAtMonth();
    return one.windows.monthly.window !== '';
  }

  /** Up to its id. */
  private lookAtWindow(window: WindowAfter): boolean {
    const { glance } = this;
    window.limit = glance.null() ? null : glance.whole(NUMBER);
    if ((window.limit !== null && window.limit < 0) || !glance.is(F.used)) return false;
    window.used = glance.whole(NUMBER);
    return window.used >= 0 && glance.is(F.window);
  }

  /** Empty when it is none. */
  private lookAtDay(): string {
    const { glance } = this;
    if (glance.repeats(this.atFrom, DAY)) return this.day;
    return glance.day() ? glance.lastDay : '';
  }

  /** Empty when it is none. */
  private lookAtMonth(): string {
    const { glance } = this;
    if (glance.repeats(this.atFrom, MONTH)) return this.month;
    const from = glance.at;
    return glance.month() ? glance.name(from) : '';
  }

  /** Empty when it is none. */
  private lookAtId(): string {
    const { glance, id } = this;
    const from = glance.at;
    if (id !== '') {
      if (glance.repeats(this.idFrom, id.length) && glance.bytes[glance.at] === QUOTE) return id;
      glance.at = from;
    }
    const length = glance.run(ID);
    if (length < 1 || length > ID_MAX) return '';
    const found = glance.name(from);
    if (found === '.' || found === '..') return '';
    this.idFrom = from;
    return (this.id = found);
  }

  /** Answers where they begin, -1 when there are none. */
  private lookAtWords(): number {
    const from = this.glance.at;
    const length = this.glance.run(PLAIN);
    return length < 1 || length > WORDS_MAX ? -1 : from;
  }

  private wordsAt(from: number): string | undefined {
    return from === 0 ? undefined : this.textAt(from, this.glance.bytes.indexOf(QUOTE, from) - from);
  }

  private textAt(from: number, length: number): string {
    return this.glance.bytes.toString('latin1', from, from + length);
  }
}

const NONE: Considered[] = [];
