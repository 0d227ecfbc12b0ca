import { type ChainHead, chainStart, seal, type SealedEvent } from '../chain';
import type { Envelope, WalletCommand } from '../commands';
import { type Decision, type Given, judge, Missing, type PlatformSettings, type Policy, type Verdict } from '../decision';
import { BESIDE, type OrganisationEvent, type UserEvent, type WalletEvent } from '../events';
import { streamOf, type WalletRef } from '../wallet-ref';
import { emptyOrganisationWallet, foldOrganisation, type OrganisationWallet, policyFor, type Recorded } from '../organisation-wallet';
import { PRICE_TABLE } from '../pricing';
import type { Remembered, RememberedEntry } from '../remembered';
import { eventOf, metadataOf } from '../stored';
import { emptyUserWallet, foldUser, type UserWallet } from '../user-wallet';
import { hashing } from './hashing';

/** One wallet's stream in memory: what the app's mailbox does with a decision, without waiting, failing or neighbours. */

export const SETTINGS: PlatformSettings = { freeTokensPerMonth: 0, platformTimeZone: 'UTC', priceTable: PRICE_TABLE };

/** Fields of a command that a test gives: the body, and ids of the path. */
export type Body<Command extends WalletCommand> = Omit<Command, 'wallet' | 'envelope'>;

/** How the test sees everything beside the wallet. */
export interface Surroundings {
  settings: PlatformSettings;
  policy(organisationId: string, userId: string): Policy | null;
  memberships?(userId: string): number;
}

export interface Asked {
  at: number;
  newId: string;
  key?: string;
  contentHash?: string;
}

interface Kind<Wallet> {
  empty(id: string): Wallet;
  fold(wallet: Wallet, event: WalletEvent, recorded: Recorded): void;
}

export const organisationKind: Kind<OrganisationWallet> = {
  empty: emptyOrganisationWallet,
  fold: (wallet, event, recorded) => foldOrganisation(wallet, event as OrganisationEvent, recorded),
};
export const userKind: Kind<UserWallet> = {
  empty: emptyUserWallet,
  fold: (wallet, event, recorded) => foldUser(wallet, event as UserEvent, recorded),
};

/** Fetches that one decision may want; more means that it asks in circles. */
const FETCHES_MAX = 4;

export class WalletLog<Wallet extends { keys: Remembered }> {
  readonly events: { event: WalletEvent; sealed: SealedEvent }[] = [];
  /** Everything unique that this wallet has seen, as the index of older entries keeps it. */
  readonly index = new Map<string, RememberedEntry>();
  /** What decisions asked for, in order, such as `policy:acme`, `key:k1`, `revision:3`. */
  asked: string[] = [];
  wallet: Wallet;
  lastAt = 0;
  private readonly head: ChainHead;

  constructor(
    readonly kind: Kind<Wallet>,
    readonly ref: WalletRef,
  ) {
    this.wallet = kind.empty(ref.id);
    this.head = chainStart(streamOf(ref), hashing);
  }

  /** Decides, fetching whatever is missing, and records what comes of it. */
  run<Command extends WalletCommand>(decide: Decision<Wallet, Command>, body: Body<Command>, asked: Asked, around: Surroundings): Verdict {
    const { at, newId, key, contentHash } = asked;
    const envelope: Envelope = { actor: 'tester', role: 'platform', requestId: newId, correlationId: newId };
    if (key !== undefined) Object.assign(envelope, { key, contentHash: contentHash ?? hashing.sha256(JSON.stringify(body)) });
    const policies = new Map<string, Policy | null>();
    const memberships = new Map<string, number>();
    const older = new Map<string, RememberedEntry | null>();
    const stored = new Map<number, WalletEvent>();
    const given: Given = { at: Math.max(at, this.lastAt), newId, settings: around.settings, policies, older, stored, memberships };
    const command = { ...body, wallet: this.ref, envelope } as Command;
    for (let fetches = 0; fetches <= FETCHES_MAX; fetches += 1) {
      const verdict = judge(this.wallet, command, given, decide);
      if (!(verdict instanceof Missing)) {
        this.record(verdict.events, envelope, given.at);
        return verdict;
      }
      const { organisationIds = [], entry, revision, memberships: members = [] } = verdict.wanted;
      for (const id of members) memberships.set(id, around.memberships?.(id) ?? 0);
      for (const id of organisationIds) policies.set(id, this.noted(`policy:${id}`, around.policy(id, this.ref.id)));
      if (entry) older.set(`${entry.kind}:${entry.entry}`, this.noted(`${entry.kind}:${entry.entry}`, this.olderEntry(entry)));
      if (revision !== undefined) stored.set(revision, this.noted(`revision:${revision}`, this.storedAt(revision)));
    }
    throw new Error(`the decision asked ${FETCHES_MAX} times: ${this.asked.join(', ')}`);
  }

  record(events: readonly WalletEvent[], envelope: Envelope, at: number): void {
    for (const event of events) {
      const sealed = seal(event, envelope, this.head, hashing);
      const keyed = envelope.key !== undefined && !BESIDE.has(event.type);
      const recorded = keyed
        ? { revision: this.head.revision, key: envelope.key, contentHash: envelope.contentHash }
        : { revision: this.head.revision };
      this.kind.fold(this.wallet, event, recorded);
      this.events.push({ event, sealed });
      this.note(event, recorded);
      this.lastAt = at;
    }
  }

  /** The state folded from zero, from what is stored as text. */
  replayed(): Wallet {
    const wallet = this.kind.empty(this.ref.id);
    this.events.forEach(({ sealed }, revision) => {
      const { key, contentHash } = metadataOf(sealed);
      this.kind.fold(wallet, eventOf(sealed), key === undefined ? { revision } : { revision, key, contentHash });
    });
    return wallet;
  }

  private noted<Value>(what: string, value: Value): Value {
    this.asked.push(what);
    return value;
  }

  private storedAt(revision: number): WalletEvent {
    const found = this.events[revision];
    if (!found) throw new Error(`there is no revision ${revision}`);
    return eventOf(found.sealed);
  }

  /** Answers from what has been dropped, as an index does that has read just far enough and not an event more. */
  private olderEntry({ kind, entry, droppedRevision }: { kind: string; entry: string; droppedRevision: number }): RememberedEntry | null {
    const found = this.index.get(`${kind}:${entry}`);
    if (!found || found.revision > droppedRevision) return null;
    const { reversedRevision, ...unreversed } = found;
    return reversedRevision !== undefined && reversedRevision > droppedRevision ? unreversed : found;
  }

  private note(event: WalletEvent, { revision, key, contentHash }: Recorded): void {
    if (key !== undefined && !this.index.has(`key:${key}`)) this.index.set(`key:${key}`, { revision, contentHash });
    if (event.type === 'TokensPurchased') this.index.set(`payment:${event.data.paymentReference}`, { revision });
    if (event.type === 'TokensUsed') this.index.set(`usage:${event.data.usageId}`, { revision });
    if (event.type === 'BillCharged') this.index.set(`bill:hosting:${event.data.month}`, { revision });
    if (event.type === 'BillDeclined') this.index.set(`bill:declined:${event.data.kind}:${event.data.month}`, { revision });
    if (event.type === 'StorageAccrued') this.index.set(`bill:storage:${event.data.day}`, { revision });
    if (event.type !== 'UsageReversed') return;
    const usage = this.index.get(`usage:${event.data.usageId}`);
    if (usage) usage.reversedRevision = revision;
  }
}

export const organisationLog = (id: string) => new WalletLog(organisationKind, { kind: 'organisation', id });
export const userLog = (id: string) => new WalletLog(userKind, { kind: 'user', id });

/** Policies as of the heads of these organisations' streams. */
export const policyOf =
  (organisations: ReadonlyMap<string, WalletLog<OrganisationWallet>>): Surroundings['policy'] =>
  (organisationId, userId) => {
    const log = organisations.get(organisationId);
    return log ? policyFor(log.wallet, userId) : null;
  };
