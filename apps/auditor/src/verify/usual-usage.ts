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
  /** The first organisation that was met; the others are mostly the same. */
  private idFrom = 0;
  private id = '';

  tokens = 0;
  charged: Charge[] = [];
  considered: Considered[] = [];
  balanceAfter: UserBalance = { balance: 0 };
  freeMonth?: string;
  variableCostEuros?: string;

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
    const balanceAfter = this.lookAtBalance();
    if (!balanceAfter || !glance.is(F.charged)) return false;
    this.balanceAfter = balanceAfter;
    const charge = this.lookAtCharge();
    if (!charge || !glance.is(F.considered)) return false;
    this.charged = [charge];
    if (!glance.is(F.one)) {
      this.considered = NONE;
      return this.lookAtRest(F.freeMonth, F.occurredAt);
    }
    const one = this.lookAtConsidered();
    if (!one) return false;
    this.considered = [one];
    return this.lookAtRest(F.freeMonthAfterOne, F.occurredAtAfterOne);
  }

  private lookAtRest(freeMonth: Fixed, occurredAt: Fixed): boolean {
    const { glance } = this;
    this.freeMonth = undefined;
    if (!glance.is(occurredAt)) {
      if (!glance.is(freeMonth)) return false;
      const month = this.lookAtMonth();
      if (month === undefined || !glance.is(F.occurredAtAfterMonth)) return false;
      this.freeMonth = month;
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
    this.variableCostEuros = undefined;
    if (glance.is(F.cost)) {
      const from = glance.at;
      if (!glance.decimal(COST_DIGITS, COST_DECIMALS)) return false;
      this.variableCostEuros = glance.name(from);
    }
    return glance.byte(QUOTE) && glance.byte(CLOSE);
  }

  private lookAtBalance(): UserBalance | undefined {
    const { glance } = this;
    let allocated: { organisationId: string; tokens: number }[] | undefined;
    if (glance.is(F.allocated)) {
      const organisationId = this.lookAtId();
      if (organisationId === '' || !glance.is(F.tokens)) return undefined;
      const tokens = glance.whole(TOKENS);
      if (tokens < 0 || !glance.is(F.allocatedEnd)) return undefined;
      allocated = [{ organisationId, tokens }];
    } else if (!glance.is(F.balance)) return undefined;
    const after: UserBalance = { balance: glance.whole(NUMBER) };
    if (after.balance < 0) return undefined;
    if (allocated) after.allocated = allocated;
    if (glance.is(F.free)) {
      const month = this.lookAtMonth();
      if (month === undefined || !glance.is(F.tokens)) return undefined;
      const tokens = glance.whole(FREE);
      if (tokens < 0 || !glance.byte(CLOSE)) return undefined;
      after.free = { tokens, month };
    }
    if (glance.is(F.purchased)) {
      after.purchased = glance.whole(TOKENS);
      if (after.purchased < 0) return undefined;
    }
    return after;
  }

  private lookAtCharge(): Charge | undefined {
    const { glance } = this;
    let charge: Charge;
    if (glance.is(F.ofOrganisation)) {
      const organisationId = this.lookAtId();
      if (organisationId === '' || !glance.is(F.fromAllocated)) return undefined;
      charge = { source: 'allocated', organisationId, tokens: glance.some(TOKENS) };
    } else if (glance.is(F.fromFree)) charge = { source: 'free', tokens: glance.some(TOKENS) };
    else if (glance.is(F.fromPurchased)) charge = { source: 'purchased', tokens: glance.some(TOKENS) };
    else return undefined;
    return charge.tokens < 0 ? undefined : charge;
  }

  private lookAtConsidered(): Considered | undefined {
    const { glance } = this;
    const organisationId = this.lookAtId();
    if (organisationId === '' || !glance.is(F.revision)) return undefined;
    const revision = glance.whole(NUMBER);
    if (revision < 0) return undefined;
    const status = glance.is(F.permitted) ? 'permitted' : glance.is(F.suspended) ? 'suspended' : glance.is(F.removed) ? 'removed' : '';
    if (status === '') return undefined;
    const tokens = glance.whole(TOKENS);
    if (tokens < 0 || !glance.is(F.usable)) return undefined;
    const usable = glance.true();
    if ((!usable && !glance.false()) || !glance.is(F.daily)) return undefined;
    const daily = this.lookAtWindow(true);
    if (!daily || !glance.is(F.monthly)) return undefined;
    const monthly = this.lookAtWindow(false);
    return monthly && { organisationId, revision, status, tokens, usable, windows: { daily, monthly } };
  }

  private lookAtWindow(daily: boolean): WindowAfter | undefined {
    const { glance } = this;
    let limit: number | null = null;
    if (!glance.null() && (limit = glance.whole(NUMBER)) < 0) return undefined;
    if (!glance.is(F.used)) return undefined;
    const used = glance.whole(NUMBER);
    if (used < 0 || !glance.is(F.window)) return undefined;
    const window = daily ? this.lookAtDay() : this.lookAtMonth();
    return window === undefined ? undefined : { limit, used, window };
  }

  private lookAtDay(): string | undefined {
    const { glance } = this;
    if (glance.repeats(this.atFrom, DAY)) return this.day;
    return glance.day() ? glance.lastDay : undefined;
  }

  private lookAtMonth(): string | undefined {
    const { glance } = this;
    if (glance.repeats(this.atFrom, MONTH)) return this.month;
    const from = glance.at;
    return glance.month() ? glance.name(from) : undefined;
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
