import { allocate } from '../allocation';
import { accrueStorageForOrganisation, accrueStorageForUser, chargeBillForOrganisation, chargeBillForUser } from '../bills';
import { windowsAt } from '../calendar';
import type { ReceiveAllocation, WalletCommand } from '../commands';
import type { Decision, PlatformSettings, Verdict } from '../decision';
import type { AllocationLine, WalletEvent } from '../events';
import { clearMemberLimits, removeMember, setDefaultLimits, setMember, setMemberLimits, setMembers } from '../members';
import { openOrganisation, type OrganisationWallet, purchaseForOrganisation } from '../organisation-wallet';
import { PRICE_TABLE, tokensForCost } from '../pricing';
import type { Remembered } from '../remembered';
import { reverse, use } from '../usage';
import { purchaseForUser, receiveAllocation, setFreeAllowance, SettlementGap, type UserWallet } from '../user-wallet';
import {
  type BillGiven,
  type BillVerdict,
  dayBack,
  hostingVerdict,
  isBill,
  monthBack,
  organisationGiven,
  precedesBill,
  storageVerdict,
  userGiven,
} from './bill-oracle';
import { Books } from './books';
import { type Body, organisationLog, policyOf, type Surroundings, userLog, type WalletLog } from './log';
import { type Move, type MoveOf, ORGANISATIONS, USERS } from './moves';
import { allocationVerdict, drawVerdict, organisationOf, usedIn, windowsByIntl } from './oracle';

interface Performed {
  key: string;
  /** Revision of the first event that carries the key; undefined while the key is not used up. */
  first?: number;
  repeat(contentHash: string): Verdict;
  contentHash: string;
  log: { events: unknown[] };
}

interface Line {
  userId: string;
  body: Body<ReceiveAllocation>;
}

/** A few wallets in memory, a clock, and settlement that comes when it likes. Every command is checked against the oracle and the books. */
export class World {
  readonly organisations = new Map(ORGANISATIONS.map((id) => [id as string, organisationLog(id)]));
  readonly users = new Map(USERS.map((id) => [id as string, userLog(id)]));
  readonly books = new Books();
  readonly performed: Performed[] = [];
  commands = 0;
  /** By code, and `accepted`: a run in which nothing is ever accepted, or refused, tests little. */
  readonly outcomes = new Map<string, number>();
  private readonly around: Surroundings;
  private readonly settings: PlatformSettings;
  private readonly reversed = new Set<string>();
  private mark = 0;

  constructor(
    private now: number,
    platformTimeZone: string,
    freeTokensPerMonth: number,
  ) {
    this.settings = { freeTokensPerMonth, platformTimeZone, priceTable: PRICE_TABLE };
    this.around = { settings: this.settings, policy: policyOf(this.organisations) };
  }

  perform(move: Move): void {
    switch (move.kind) {
      case 'nothing':
        return;
      case 'clock':
        return this.turn(move.step);
      case 'open':
        return void this.tell(move, openOrganisation, { timeZone: move.timeZone });
      case 'buy':
        return void this.tell(move, purchaseForOrganisation, { tokens: move.tokens, paymentReference: `p${move.payment}` });
      case 'member':
        return void this.tell(move, setMember, { userId: move.userId, status: move.status });
      case 'remove':
        return void this.tell(move, removeMember, { userId: move.userId });
      case 'members':
        return void this.tell(move, setMembers, { members: move.lines });
      case 'defaults':
        return void this.tell(move, setDefaultLimits, move.limits);
      case 'override':
        return void this.tell(move, setMemberLimits, { userId: move.userId, ...move.limits });
      case 'clear':
        return void this.tell(move, clearMemberLimits, { userId: move.userId });
      case 'allocate':
        return this.allocate(move);
      case 'settle':
        return this.settle(move);
      case 'buyOwn':
        return void this.ask(this.user(move.userId), move.keyed, purchaseForUser, {
          tokens: move.tokens,
          paymentReference: `p${move.payment}`,
        });
      case 'allowance':
        return void this.ask(this.user(move.userId), move.keyed, setFreeAllowance, { tokensPerMonth: move.tokensPerMonth });
      case 'use':
        return this.use(move);
      case 'reverse':
        return this.reverse(move);
      case 'hosting':
        return this.bill(move);
      case 'storage':
        return this.store(move);
      case 'repeat':
        return this.repeat(move);
      default:
        return move satisfies never;
    }
  }

  /** Every line of every allocation, delivered to the end, the members in reverse order. */
  settleAll(): void {
    for (const { userId, body } of this.lines().sort((a, b) => b.userId.localeCompare(a.userId) || a.body.number - b.body.number)) {
      this.ask(this.user(userId), false, receiveAllocation, body);
    }
  }

  /** Every keyed command again, at another time: those that were accepted replay, and nothing is written. */
  repeatAll(): void {
    this.now += 40 * 24 * 3_600_000;
    for (const performed of this.performed) if (performed.first !== undefined) this.replays(performed);
  }

  replays(performed: Performed): void {
    const { length } = performed.log.events;
    expect(performed.repeat(performed.contentHash)).toEqual({ events: [], replayOf: performed.first });
    expect(performed.repeat('still other content')).toMatchObject({ events: [], refusal: { code: 'KEY_REUSED' } });
    expect(performed.log.events).toHaveLength(length);
  }

  private turn(step: MoveOf<'clock'>['step']): void {
    this.now = typeof step === 'number' ? this.now + step : windowsAt(step.timeZone, this.now)[step.of].resetsAt - step.before;
  }

  private allocate({ organisationId, lines, keyed }: MoveOf<'allocate'>): void {
    const log = this.organisation(organisationId);
    const expected = allocationVerdict(eventsOf(log), lines, Math.max(this.now, log.lastAt));
    const { refusal, events } = this.ask(log, keyed, allocate, { lines });
    expect(refusal?.code).toBe(expected);
    for (const event of events) if (event.type === 'TokensAllocated') this.noAllocationOverLimit(log, event.data.lines);
  }

  /** No window of the allocation meter above its limit, counted again from the events. */
  private noAllocationOverLimit(log: WalletLog<OrganisationWallet>, lines: readonly AllocationLine[]): void {
    const { zone, limit, movedIn } = organisationOf(eventsOf(log));
    const windows = windowsByIntl(zone, log.lastAt);
    for (const [userId] of lines) {
      for (const period of ['daily', 'monthly'] as const) {
        expect(movedIn(userId, period, windows[period])).toBeLessThanOrEqual(limit(userId, 'allocation', period) ?? Infinity);
      }
    }
  }

  private settle({ nth, how }: MoveOf<'settle'>): void {
    const open = this.lines().filter(({ userId, body }) => {
      const received = this.user(userId).wallet.relationships.get(body.organisationId)?.received ?? 0;
      const ahead = body.number - received;
      return how === 'repeat' ? ahead <= 0 : how === 'next' ? ahead === 1 : ahead > 1;
    });
    const line = open[nth % Math.max(1, open.length)];
    if (!line) return;
    const log = this.user(line.userId);
    const before = log.events.length;
    if (how === 'gap') expect(() => this.ask(log, false, receiveAllocation, line.body)).toThrow(SettlementGap);
    else expect(this.ask(log, false, receiveAllocation, line.body).events.length > 0).toBe(how === 'next');
    if (how !== 'next') expect(log.events).toHaveLength(before);
  }

  private use({ userId, amount, keyed, organisationId, sources, late }: MoveOf<'use'>): void {
    const log = this.user(userId);
    const at = Math.max(this.now, log.lastAt);
    const occurredAt = late === undefined ? undefined : at + late;
    const tokens = typeof amount === 'number' ? amount : (tokensForCost(amount, PRICE_TABLE) ?? 0);
    const user = eventsOf(log);
    const organisations = new Map([...this.organisations].map(([id, one]) => [id, eventsOf(one)]));
    const expected = drawVerdict({ tokens, organisationId, sources, occurredAt }, { user, organisations, userId, at, ...this.settings });
    const { refusal, events } = this.ask(log, keyed, use, {
      ...(typeof amount === 'number' ? { tokens } : { variableCostEuros: amount }),
      sources,
      ...(organisationId === undefined ? {} : { organisationId }),
      ...(occurredAt === undefined ? {} : { occurredAt: new Date(occurredAt).toISOString() }),
    });
    const charged = events.flatMap((event) => (event.type === 'TokensUsed' ? event.data.charged : []));
    const reached = events.flatMap((event) =>
      event.type === 'LimitReached' ? [`${event.data.organisationId}|${event.data.window}|${event.data.limit}`] : [],
    );
    expect({ code: refusal?.code, charged, reached }).toEqual({
      code: expected.code,
      charged: expected.charged ?? [],
      reached: expected.reached,
    });
    for (const event of events) if (event.type === 'TokensUsed') this.noUsageOverLimit(log, event.data);
  }

  /** No window of the usage meter above its limit, counted again from the events; what the event says of it is so. */
  private noUsageOverLimit(
    log: WalletLog<UserWallet>,
    { considered, occurredAt }: Extract<WalletEvent, { type: 'TokensUsed' }>['data'],
  ): void {
    for (const { organisationId, revision, tokens, windows } of considered) {
      const events = eventsOf(this.organisation(organisationId));
      const { zone, limit } = organisationOf(events);
      expect(revision).toBe(events.length - 1);
      const named = windowsByIntl(zone, Date.parse(occurredAt));
      for (const period of ['daily', 'monthly'] as const) {
        const used = usedIn(eventsOf(log), organisationId, period, named[period]);
        expect(windows[period]).toEqual({ window: named[period], used, limit: limit(log.ref.id, 'usage', period) });
        if (tokens > 0) expect(used).toBeLessThanOrEqual(limit(log.ref.id, 'usage', period) ?? Infinity);
      }
    }
  }

  private reverse({ userId, nth, keyed }: MoveOf<'reverse'>): void {
    const log = this.user(userId);
    const usages = eventsOf(log).flatMap(({ type, data }) => (type === 'TokensUsed' ? [data.usageId] : []));
    const usageId = usages[nth % (usages.length + 1)] ?? 'never';
    const { refusal } = this.ask(log, keyed, reverse, { usageId });
    expect(refusal?.code).toBe(usageId === 'never' ? 'USAGE_NOT_FOUND' : this.reversed.has(usageId) ? 'USAGE_ALREADY_REVERSED' : undefined);
    this.reversed.add(usageId);
  }

  private bill({ owner, back, campuses, courses, onShortfall, keyed }: MoveOf<'hosting'>): void {
    const given = this.billGiven(owner);
    const body = { kind: 'hosting' as const, month: monthBack(given, back), campuses, courses, onShortfall };
    const expected = hostingVerdict(body, given);
    const log = this.organisations.get(owner);
    if (log) this.billed(expected, this.ask(log, keyed, chargeBillForOrganisation, body));
    else this.billed(expected, this.ask(this.user(owner), keyed, chargeBillForUser, body));
  }

  private store({ owner, back, bytes, onShortfall, keyed }: MoveOf<'storage'>): void {
    const given = this.billGiven(owner);
    const body = { day: typeof back === 'number' ? dayBack(given, back) : back, bytes, onShortfall };
    const expected = storageVerdict(body, given);
    const log = this.organisations.get(owner);
    if (log) this.billed(expected, this.ask(log, keyed, accrueStorageForOrganisation, body));
    else this.billed(expected, this.ask(this.user(owner), keyed, accrueStorageForUser, body));
  }

  private billGiven(owner: string): BillGiven {
    const log = this.organisations.get(owner);
    if (log) return organisationGiven(eventsOf(log), Math.max(this.now, log.lastAt));
    const user = this.user(owner);
    return userGiven(eventsOf(user), Math.max(this.now, user.lastAt), this.settings);
  }

  private billed(expected: BillVerdict, { refusal, events }: Verdict): void {
    const bills = events.filter(isBill);
    expect(refusal?.code).toBe(expected.code);
    expect(bills.map(({ type, data }) => ({ type, data }))).toMatchObject(expected.events);
    // Nothing but the opening and the month's free tokens comes with a bill, and that before it.
    expect(events.slice(0, events.length - bills.length).every(precedesBill)).toBe(true);
    for (const { type, data } of bills) this.count(type === 'StorageAccrued' && data.declined ? 'StorageDeclined' : type);
    for (const { data } of bills) if ('owedTokens' in data && data.owedTokens > 0) this.count('owed');
  }

  private count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  private repeat({ nth, other }: MoveOf<'repeat'>): void {
    const performed = this.performed[nth % Math.max(1, this.performed.length)];
    if (performed?.first !== undefined) this.replays(performed);
    // A refusal has not used the key up: whatever is asked under it is decided afresh, and then it is used.
    else if (performed) performed.repeat(other ? 'other content' : performed.contentHash);
  }

  private tell<Command extends WalletCommand>(
    { organisationId, keyed }: { organisationId: string; keyed: boolean },
    decide: Decision<OrganisationWallet, Command>,
    body: Body<Command>,
  ): Verdict {
    return this.ask(this.organisation(organisationId), keyed, decide, body);
  }

  /** Runs a command, enters what came of it into the books, and remembers its key. */
  private ask<Wallet extends { keys: Remembered }, Command extends WalletCommand>(
    log: WalletLog<Wallet>,
    keyed: boolean,
    decide: Decision<Wallet, Command>,
    body: Body<Command>,
  ): Verdict {
    const key = keyed ? `k${this.performed.length}` : undefined;
    const performed: Performed | undefined =
      key === undefined ? undefined : { key, log, contentHash: `content of ${key}`, repeat: (hash) => run(hash) };
    const run = (contentHash: string | undefined): Verdict => {
      this.commands += 1;
      this.mark += 1;
      const before = log.events.length;
      const verdict = log.run(decide, body, { at: this.now, newId: `id-${this.mark}`, key, contentHash }, this.around);
      const added = log.events.slice(before);
      if (added.length !== verdict.events.length) throw new Error('what was decided is not what was recorded');
      for (const { event } of added) this.books.enter(log.ref, event);
      if (performed && verdict.events.length > 0 && !verdict.refusal) {
        performed.first = before + added.findIndex(({ sealed }) => sealed.metadata.includes(`"key":"${key}"`));
        performed.contentHash = contentHash ?? '';
        if (performed.first < before) throw new Error(`no event carries ${key}`);
      }
      if (key !== undefined && !verdict.refusal && verdict.replayOf === undefined && performed?.first === undefined) {
        throw new Error('a keyed command was accepted without a record');
      }
      this.count(verdict.refusal?.code ?? (verdict.replayOf === undefined ? 'accepted' : 'replayed'));
      for (const { event } of added) if (event.type === 'TokensPurchased' && event.data.owedPaid > 0) this.count('debt_paid');
      return verdict;
    };
    if (performed) this.performed.push(performed);
    return run(performed?.contentHash);
  }

  private lines(): Line[] {
    return [...this.organisations.values()].flatMap((log) =>
      eventsOf(log).flatMap(({ type, data }) => {
        if (type !== 'TokensAllocated') return [];
        const { allocationId } = data;
        return data.lines.map(([userId, tokens, number]) => ({
          userId,
          body: { organisationId: log.ref.id, allocationId, number, tokens },
        }));
      }),
    );
  }

  private organisation(id: string): WalletLog<OrganisationWallet> {
    const log = this.organisations.get(id);
    if (!log) throw new Error(`there is no organisation ${id}`);
    return log;
  }

  private user(id: string): WalletLog<UserWallet> {
    const log = this.users.get(id);
    if (!log) throw new Error(`there is no user ${id}`);
    return log;
  }
}

const eventsOf = (log: { events: readonly { event: WalletEvent }[] }): WalletEvent[] => log.events.map(({ event }) => event);
