import { faultOf } from '@ledger/event-contract';
import type { StoredEvent } from '@ledger/event-store';
import {
  isoInstant,
  ORGANISATION_EVENT_TYPES,
  type OrganisationEvent,
  type PriceTable,
  SCHEMA,
  USER_EVENT_TYPES,
  type UserEvent,
  type WalletEvent,
  WALLET_ID_PATTERN,
  walletOf,
  usualData,
} from '@ledger/wallet';
import { checkCanonical, checkLink, type Envelope, firstLink, parsed } from './chain';
import { EntryLog } from './entries';
import { type Fault, Findings, type Rule } from './finding';
import type { Seed } from './fingerprint';
import { checkOrganisationEnd, checkOrganisationEvent, newOrganisation, type OrganisationState } from './organisation-rules';
import { OrganisationPolicy } from './policies';
import { Flows, type Place, type Surroundings } from './surroundings';
import { checkUserEnd, checkUserEvent } from './user-rules';
import { epochMsOf } from './instants';
import { newUser, type UserState } from './user-state';

/**
 * The audit of some streams, event by event in the order of the store. Memory grows with wallets and changes of policies, not with
 * events: what is unique for ever goes to the entries, which are joined at the end (`join.ts`).
 */

export interface AuditOptions {
  seed: Seed;
  priceTables: readonly PriceTable[];
  platformTimeZone?: string;
  /** Heads of streams are also kept as they were at this position, that of a certificate. */
  headsAt?: number;
  /**
   * Events up to this position were audited before, as a certificate says: of them only what is wrong with the chains is said, which
   * with the certificate's root says that they are the same ones. They are judged all the same, for what follows builds on them.
   */
  trustedUntil?: number;
}

/** What is checked of events that a certificate covers. */
const CHAIN: ReadonlySet<Rule> = new Set<Rule>(['stream', 'revision', 'previous-hash', 'hash', 'id']);

/** An event as the audit wants it. */
export type AuditedEvent = Omit<StoredEvent, 'position'> & { position: number };

/** The end of a stream. */
export interface Head {
  stream: string;
  revision: number;
  hash: string;
}

const TYPES = { organisation: new Set<string>(ORGANISATION_EVENT_TYPES), user: new Set<string>(USER_EVENT_TYPES) };

export type State = UserState | OrganisationState;

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
  private readonly headsAt: number;
  private readonly trustedUntil: number;
  private trusted = false;
  /** Heads at `headsAt` of streams that have grown since. */
  private readonly earlier = new Map<string, Head | undefined>();
  private current: Pick<StoredEvent, 'stream' | 'revision' | 'id'> = { stream: '', revision: -1, id: '' };

  constructor({ seed, priceTables, platformTimeZone, headsAt = Infinity, trustedUntil = -1 }: AuditOptions) {
    this.entries = new EntryLog(seed);
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
    this.place = { stream: '', position: 0, revision: 0, at: 0, fault: this.fault };
  }

  /** `known` is the stream's state, for who keeps it: finding it by its name is a good part of the work. */
  add(event: AuditedEvent, known?: State): void {
    this.events += 1;
    this.current = event;
    const state = known ?? this.stateOf(event);
    if (!state) return;
    const { position } = event;
    this.trusted = position <= this.trustedUntil;
    if (position > this.headsAt) this.keepHead(state, event.stream);
    const envelope = checkLink(state.link, event, this.fault);
    const fact = this.factOf(event, state.kind);
    if (!fact) return;
    const { at } = fact.data;
    const { place } = this;
    place.stream = event.stream;
    place.position = position;
    place.revision = event.revision;
    place.at = epochMsOf(at);
    if (!(place.at >= state.at)) this.fault('time', 'at', `${isoInstant(state.at)} or later`, at);
    if (envelope.key !== undefined) this.checkKey(state, fact, envelope.key, envelope);
    try {
      if (state.kind === 'user') checkUserEvent(state, fact as UserEvent, this.place, this.around);
      else checkOrganisationEvent(state, fact as OrganisationEvent, this.place, this.around);
    } catch (error) {
      // What fits the schema and still cannot be counted with, such as a day that no calendar has.
      this.fault('amounts', 'the event', 'one that can be judged', error instanceof Error ? error.message : String(error));
    }
    if (state.kind === 'organisation') state.policy.add(fact as OrganisationEvent, event.revision);
    state.at = place.at;
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

  /** Tokens held by all wallets of a kind. */
  held(kind: State['kind']): bigint {
    let sum = 0n;
    for (const state of this.states.values()) {
      if (state.kind !== kind) continue;
      sum += BigInt(state.kind === 'user' ? state.free + state.purchased + state.allocated : state.available);
    }
    return sum;
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

  private stateOf({ stream }: AuditedEvent): State | undefined {
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

  /** The fact, when its text is canonical JSON that fits its schema. */
  private factOf({ type, data }: AuditedEvent, kind: State['kind']): WalletEvent | undefined {
    const usual = kind === 'user' ? usualData(type, data) : undefined;
    if (usual !== undefined) return { type, data: usual } as WalletEvent;
    const facts = parsed(data);
    if (facts === undefined) {
      this.fault('canonical', 'the text of the data', 'JSON', data);
      return undefined;
    }
    checkCanonical('the data', data, facts, this.fault);
    const wrong = faultOf(type, SCHEMA, facts, kind);
    if (wrong === undefined && TYPES[kind].has(type)) return { type, data: facts } as WalletEvent;
    if (TYPES[kind].has(type)) this.fault('schema', 'the data', `as the schema of ${type} says`, wrong);
    else this.fault('type', 'the type', `an event of ${kind === 'user' ? 'a user' : 'an organisation'}`, type);
    return undefined;
  }

  /** Several events in a row may be the result of one key: parts of an allocation, a batch of members, a declined day of storage. */
  private checkKey(state: State, fact: WalletEvent, key: string, { contentHash }: Envelope): void {
    const { position, revision, stream } = this.place;
    const result = resultOf(fact);
    const { lastKey } = state;
    if (lastKey?.key === key && lastKey.revision === revision - 1) {
      const same = lastKey.result === result || (fact.type === 'BillDeclined' && lastKey.result === 'storage');
      if (!same || lastKey.contentHash !== contentHash)
        this.fault('unique-key', `the result of the key ${key}`, 'that of the event before it', fact.type);
    } else this.entries.add('key', position, 0, stream, key);
    state.lastKey = result === undefined ? undefined : { key, contentHash, result, revision };
  }
}

/** What several events in a row, as the result of one key, have in common; undefined of what stands alone. */
function resultOf({ type, data }: WalletEvent): string | undefined {
  switch (type) {
    case 'TokensAllocated':
    case 'AllocationReceived':
      return data.allocationId;
    case 'StorageAccrued':
      return 'storage';
    case 'TokensUsed':
      return undefined;
    default:
      return 'batch' in data ? JSON.stringify(data.batch) : undefined;
  }
}
