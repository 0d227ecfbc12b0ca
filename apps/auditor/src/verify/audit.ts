import type { StoredEvent } from '@ledger/event-store';
import { isoInstant, type OrganisationEvent, type UserEvent, type WalletEvent, WALLET_ID_PATTERN, walletOf } from '@ledger/wallet';
import { checkLink, type Envelope, firstLink, parsed } from './chain';
import { EntryLog } from './entries';
import { checkCalendar, checkKey, factOf } from './facts';
import { type Fault, Findings, type Rule } from './finding';
import type { AuditedEvent, AuditOptions, Head, State } from './audited';
import type { Seed } from './fingerprint';
import { checkOrganisationEnd, checkOrganisationEvent, newOrganisation } from './organisation-rules';
import type { PageRow } from './page-row';
import { UUID } from './glance';
import { type Earlier, FLOWS } from './kept';
import { readLine } from './kept-states';
import { OrganisationPolicy } from './policies';
import { Flows, type Place, type Surroundings } from './surroundings';
import { checkUserEnd, checkUserEvent } from './user-rules';
import { epochMsOf } from './instants';
import { returnable } from './reversal-rules';
import { newUser, type UserState } from './user-state';

/**
 * The audit of some streams, event by event in the order of the store. Memory grows with wallets and changes of policies, not with
 * events: what is unique for ever goes to the entries, which are joined at the end (`join.ts`).
 */

/** What is checked of events that a certificate covers. */
const CHAIN: ReadonlySet<Rule> = new Set<Rule>(['stream', 'revision', 'previous-hash', 'hash', 'id']);

const DAY = '2026-11-23'.length;

export class Audit {
  readonly findings = new Findings();
  readonly entries: EntryLog;
  readonly flows = new Flows();
  readonly unknownPriceTables = new Set<string>();
  events = 0;
  private readonly states = new Map<string, State>();
  private readonly policies = new Map<string, OrganisationPolicy>();
  private readonly around: Surroundings;
  private readonly place: Place;
  private readonly fault: Fault;
  /** Where the fingerprints of usages begin. */
  private readonly usages: Seed;
  private readonly headsAt: number;
  private readonly trustedUntil: number;
  private trusted = false;
  /** Heads at `headsAt` of streams that have grown since. */
  private readonly earlier = new Map<string, Head | undefined>();
  private current: Pick<StoredEvent, 'stream' | 'revision' | 'id'> = { stream: '', revision: -1, id: '' };

  /** It goes on from where the `earlier` one has ended, with its seed. */
  constructor({ seed, priceTables, platformTimeZone, headsAt = Infinity, trustedUntil = -1 }: AuditOptions, earlier?: Earlier) {
    this.entries = new EntryLog(earlier?.summary.seed ?? seed, undefined, earlier?.entries);
    this.headsAt = headsAt;
    this.trustedUntil = trustedUntil;
    this.around = {
      entries: this.entries,
      flows: this.flows,
      policies: this.policies,
      priceTables: new Map(priceTables.map((table) => [table.version, table])),
      platformTimeZone,
      unknownPriceTables: this.unknownPriceTables,
    };
    this.fault = (rule, ...said) => {
      if (!this.trusted || CHAIN.has(rule)) this.findings.of(this.current)(rule, ...said);
    };
    this.place = { stream: '', position: 0, revision: 0, at: 0, day: '', occurredAt: 0, costUnits: 0, costDecimals: 0, fault: this.fault };
    this.usages = this.entries.begun('usage');
    if (earlier) this.goOnFrom(earlier);
  }

  private goOnFrom(earlier: Earlier): void {
    const { events, flows, inTransit, unknownPriceTables } = earlier.summary;
    this.events = events;
    for (const name of FLOWS) this.flows[name].takeUp(BigInt(flows[name]));
    for (const [organisationId, tokens] of inTransit) this.flows.move(organisationId, tokens);
    for (const version of unknownPriceTables) this.unknownPriceTables.add(version);
    for (const line of earlier.states()) readLine(line, (stream) => this.stateOf(stream));
  }

  add(event: AuditedEvent): void {
    const state = this.met(event);
    if (state) this.addLinked(event, state, checkLink(state.link, event, this.fault));
  }

  /** The same of the row that a scan stands on. `known` is the stream's state: finding it by its name is a good part of the work. */
  addRow(row: PageRow, known: State | undefined): void {
    const state = this.met(row, known);
    if (!state) return;
    if (state.kind === 'user' && state.lastKey === undefined && row.isUsual(state.link)) this.judgeUsual(row, state);
    else this.addLinked(row, state, row.usualLink(state.link) ?? checkLink(state.link, row, this.fault));
  }

  private met(event: AuditedEvent, known?: State): State | undefined {
    this.events += 1;
    this.current = event;
    const state = known ?? this.stateOf(event.stream);
    if (!state) return undefined;
    this.trusted = event.position <= this.trustedUntil;
    if (event.position > this.headsAt) this.keepHead(state, event.stream);
    state.position = event.position;
    return state;
  }

  private addLinked(event: AuditedEvent, state: State, { key, contentHash }: Envelope): void {
    // Once, for the texts of a row are made when they are asked for.
    const { type, data } = event;
    const fact = factOf({ type, data }, state.kind, this.fault);
    if (!fact) return;
    checkCalendar(data, this.fault);
    this.judge(event, state, fact, key, contentHash);
  }

  /** What `judge` does, of a usage that lies in a page. */
  private judgeUsual(row: PageRow, state: UserState): void {
    const { place, entries } = this;
    const { usage } = row;
    const { bytes } = usage.glance;
    place.stream = row.stream;
    place.position = row.position;
    place.revision = row.revision;
    place.at = usage.atMs;
    place.day = usage.day;
    place.occurredAt = usage.occurredAtMs;
    place.costUnits = usage.costUnits;
    place.costDecimals = usage.costDecimals;
    entries.addAscii(
      'usage',
      place.position,
      returnable(entries, state.id, usage),
      this.usages,
      bytes,
      usage.usageFrom,
      usage.usageFrom + UUID,
    );
    if (!(place.at >= state.at)) this.fault('time', 'at', `${isoInstant(state.at)} or later`, usage.at);
    if (row.keyLength > 0) {
      state.keys ??= entries.begun('key', row.stream);
      entries.addAscii('key', place.position, 0, state.keys, bytes, row.keyAt, row.keyAt + row.keyLength);
    }
    this.judged(state, { type: 'TokensUsed', data: usage });
  }

  private judge(
    { stream, position, revision }: AuditedEvent,
    state: State,
    fact: WalletEvent,
    key: string | undefined,
    contentHash: string | undefined,
  ): void {
    const { at } = fact.data;
    const { place } = this;
    place.stream = stream;
    place.position = position;
    place.revision = revision;
    place.at = epochMsOf(at);
    place.day = at.slice(0, DAY);
    if (fact.type === 'TokensUsed') {
      place.occurredAt = epochMsOf(fact.data.occurredAt);
      place.costUnits = 0;
      this.entries.add('usage', position, returnable(this.entries, state.id, fact.data), fact.data.usageId);
    }
    if (!(place.at >= state.at)) this.fault('time', 'at', `${isoInstant(state.at)} or later`, at);
    if (key !== undefined) checkKey(state, fact, key, contentHash, place, this.entries);
    this.judged(state, fact);
    if (state.kind === 'organisation') state.policy.add(fact as OrganisationEvent, revision);
  }

  private judged(state: State, fact: WalletEvent): void {
    try {
      if (state.kind === 'user') checkUserEvent(state, fact as UserEvent, this.place, this.around);
      else checkOrganisationEvent(state, fact as OrganisationEvent, this.place, this.around);
    } catch (error) {
      // What fits the schema and still cannot be counted with, such as a day that no calendar has.
      this.fault('amounts', 'the event', 'one that can be judged', error instanceof Error ? error.message : String(error));
    }
    state.at = this.place.at;
  }

  /** Undefined until the stream has an event. */
  stateNamed(stream: string): State | undefined {
    return this.states.get(stream);
  }

  /** Hears of an event of an organisation that is audited elsewhere: draws of users here may name it. `data` of a policy's change, else empty. */
  learn(organisationId: string, revision: number, type: string, data: string): void {
    const policy = this.policyOf(organisationId);
    const facts = data === '' ? undefined : parsed(data);
    policy.revision = revision;
    try {
      if (facts !== undefined) policy.add({ type, data: facts } as OrganisationEvent, revision);
    } catch {
      // Whoever audits that stream reports what is wrong with it.
    }
  }

  /** At the end of all streams. */
  finish(): void {
    this.trusted = false;
    for (const [stream, state] of this.states) {
      this.current = { stream, revision: state.link.revision, id: '' };
      if (state.kind === 'user') checkUserEnd(state, this.place);
      else checkOrganisationEnd(state, this.place);
    }
  }

  streams(): IterableIterator<[stream: string, state: State]> {
    return this.states.entries();
  }

  *heads(): Generator<Head> {
    for (const [stream, { link }] of this.states) yield { stream, revision: link.revision, hash: link.hash };
  }

  /** Heads as they were at `headsAt`. */
  *headsThen(): Generator<Head> {
    for (const head of this.heads()) {
      if (!this.earlier.has(head.stream)) yield head;
      else if (this.earlier.get(head.stream)) yield this.earlier.get(head.stream)!;
    }
  }

  private keepHead({ link: { revision, hash } }: State, stream: string): void {
    if (this.earlier.has(stream)) return;
    this.earlier.set(stream, revision < 0 ? undefined : { stream, revision, hash });
  }

  private stateOf(stream: string): State | undefined {
    const known = this.states.get(stream);
    if (known) return known;
    const ref = walletOf(stream);
    if (!ref || !WALLET_ID_PATTERN.test(ref.id)) {
      this.fault('stream', 'the name of the stream', 'organisationWallet-<id> or userWallet-<id>', stream);
      return undefined;
    }
    const link = firstLink(stream);
    const state = ref.kind === 'user' ? newUser(ref.id, link) : newOrganisation(ref.id, link, this.policyOf(ref.id));
    this.states.set(stream, state);
    return state;
  }

  private policyOf(organisationId: string): OrganisationPolicy {
    let policy = this.policies.get(organisationId);
    if (!policy) this.policies.set(organisationId, (policy = new OrganisationPolicy()));
    return policy;
  }
}
