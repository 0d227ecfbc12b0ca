import type { EventStore } from '@ledger/event-store';
import {
  type ChainHead,
  chainStart,
  type Decision,
  emptyOrganisationWallet,
  emptyUserWallet,
  foldOrganisation,
  foldUser,
  type Given,
  Missing,
  type OrganisationEvent,
  type OrganisationWallet,
  policyFor,
  PRICE_TABLE,
  type Recorded,
  Refusal,
  type RememberedEntry,
  seal,
  streamOf,
  type UserEvent,
  type UserWallet,
  type WalletCommand,
  type WalletEvent,
  type WalletRef,
} from '@ledger/wallet';
import { hashing } from '../../apps/ledger/src/wallets/hashing';
import { recordedAs } from '../../apps/ledger/src/wallets/kept';

/** Wallets in memory that decide, seal and write without queues: this process is the store's only writer. */

/** The generator never uses a key or reference twice, so whatever the recent ones lack was never there. */
class NeverHeardOf extends Map<string, RememberedEntry | null> {
  override get(): null {
    return null;
  }
}

/** Its users are members of few organisations. */
class FewMemberships extends Map<string, number> {
  override has(): boolean {
    return true;
  }
  override get(): number {
    return 0;
  }
}

interface Made<Wallet> {
  stream: string;
  wallet: Wallet;
  head: ChainHead;
}

export interface Told {
  events: WalletEvent[];
  refusal?: string;
  /** Of the usage among the events. */
  usageId?: string;
}

type Body<Command> = Partial<Omit<Command, keyof WalletCommand>>;
type Fold<Wallet> = (wallet: Wallet, event: WalletEvent, recorded: Recorded) => void;

const foldOrganisationEvent: Fold<OrganisationWallet> = (wallet, event, recorded) =>
  foldOrganisation(wallet, event as OrganisationEvent, recorded);
const foldUserEvent: Fold<UserWallet> = (wallet, event, recorded) => foldUser(wallet, event as UserEvent, recorded);

export class GeneratedLedger {
  now = Date.parse('2026-01-05T08:00:00.000Z');
  /** Written so far. */
  events = 0;
  private ids = 0;
  private readonly organisations = new Map<string, Made<OrganisationWallet>>();
  private readonly users = new Map<string, Made<UserWallet>>();
  private readonly underWay: Promise<unknown>[] = [];
  /** Of all wallets: a reversal follows its usage at once. */
  private lastUsage: WalletEvent | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly freeTokensPerMonth: number,
  ) {}

  organisation<Command extends WalletCommand>(
    id: string,
    decide: Decision<OrganisationWallet, Command>,
    body: Body<Command>,
    key?: string,
  ): Told {
    const made = madeIn(this.organisations, { kind: 'organisation', id }, emptyOrganisationWallet);
    return this.tell(made, { kind: 'organisation', id }, foldOrganisationEvent, decide, body, key);
  }

  user<Command extends WalletCommand>(id: string, decide: Decision<UserWallet, Command>, body: Body<Command>, key?: string): Told {
    const made = madeIn(this.users, { kind: 'user', id }, emptyUserWallet);
    return this.tell(made, { kind: 'user', id }, foldUserEvent, decide, body, key);
  }

  /** Resolves when all is durable. */
  async written(): Promise<void> {
    await Promise.all(this.underWay.splice(0));
  }

  private tell<Wallet, Command extends WalletCommand>(
    { stream, wallet, head }: Made<Wallet>,
    ref: WalletRef,
    fold: Fold<Wallet>,
    decide: Decision<Wallet, Command>,
    body: Body<Command>,
    key?: string,
  ): Told {
    const requestId = `request-${(this.ids += 1)}`;
    const envelope = { actor: 'generator', role: 'platform', client: 'generate', requestId, correlationId: requestId };
    const keyed = key === undefined ? envelope : { ...envelope, key, contentHash: hashing.sha256(key) };
    const given = this.given();
    let told: Told;
    try {
      let events = decide(wallet, { ...body, wallet: ref, envelope: keyed } as unknown as Command, given);
      if (events instanceof Missing) {
        for (const id of events.wanted.organisationIds ?? []) this.givePolicy(given, id, ref.id);
        this.giveStored(given, events.wanted.revision, body);
        events = decide(wallet, { ...body, wallet: ref, envelope: keyed } as unknown as Command, given);
      }
      if (events instanceof Missing) throw new Error(`the generator cannot give ${JSON.stringify(events.wanted)}`);
      told = { events };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      told = { events: error.events, refusal: error.code };
    }
    const expected = head.revision;
    const sealed = told.events.map((event) => {
      const made = seal(event, keyed, head, hashing);
      fold(wallet, event, recordedAs(event, head.revision, keyed));
      if (event.type === 'TokensUsed') {
        told.usageId = event.data.usageId;
        this.lastUsage = event;
      }
      return made;
    });
    this.events += sealed.length;
    if (sealed.length > 0) this.underWay.push(this.store.append(stream, expected, sealed));
    return told;
  }

  private given(): Given & { policies: Map<string, unknown>; stored: Map<number, WalletEvent> } {
    const settings = { freeTokensPerMonth: this.freeTokensPerMonth, platformTimeZone: 'UTC', priceTable: PRICE_TABLE };
    return {
      at: this.now,
      newId: this.newId(),
      settings,
      policies: new Map(),
      older: new NeverHeardOf(),
      stored: new Map(),
      memberships: new FewMemberships(),
    };
  }

  /** The form of a UUIDv7, with the same digits in every run. */
  private newId(): string {
    const time = this.now.toString(16).padStart(12, '0');
    const rest = hashing.sha256(String(this.ids));
    return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6, 18)}`;
  }

  private givePolicy({ policies }: { policies: Map<string, unknown> }, organisationId: string, userId: string): void {
    const made = this.organisations.get(organisationId);
    policies.set(organisationId, made ? policyFor(made.wallet, userId) : null);
  }

  private giveStored(
    { stored }: { stored: Map<number, WalletEvent> },
    revision: number | undefined,
    { usageId }: { usageId?: string },
  ): void {
    const usage = this.lastUsage;
    if (revision !== undefined && usage?.type === 'TokensUsed' && usage.data.usageId === usageId) stored.set(revision, usage);
  }
}

function madeIn<Wallet>(all: Map<string, Made<Wallet>>, ref: WalletRef, empty: (id: string) => Wallet): Made<Wallet> {
  let made = all.get(ref.id);
  if (made === undefined) {
    const stream = streamOf(ref);
    made = { stream, wallet: empty(ref.id), head: chainStart(stream, hashing) };
    all.set(ref.id, made);
  }
  return made;
}
