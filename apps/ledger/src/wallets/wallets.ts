import { type Ask, type EventStore, Mailboxes, NO_POSITION, type Ruled, type StoredEvent, Wanted } from '@ledger/event-store';
import {
  type Decision,
  eventOf,
  type Given,
  judge,
  metadataOf,
  Missing,
  type PlatformSettings,
  Refusal,
  type Remembered,
  seal,
  type SealedEvent,
  type SoughtEntry,
  streamOf,
  type WalletCommand,
  type WalletEvent,
} from '@ledger/wallet';
import type { ReadModel } from '../views/read-model';
import type { Clock } from './clock';
import type { Commanded } from './commanding';
import { hashing, uuidV7 } from './hashing';
import { type Attempt, behaviourOf, type Kept, recordedAs, type WalletKindOf } from './kept';
import type { SnapshotFile } from './snapshot-file';
import { shelfOf } from './snapshots';

/** Folded wallets of one kind kept in memory, by what they weigh: about 300 MiB. */
export const SIZE_MAX = 1_500_000;
/** A command waits so long for the index of what is unique for ever. */
export const INDEX_WAIT_MS = 5_000;
/** Most results are one event; an allocation has up to 10 parts, a batch of members some more. */
const RESULT_PAGE = 4;

interface WalletState {
  keys: Remembered;
}

export interface WalletsContext {
  store: EventStore;
  clock: Clock;
  index: Pick<ReadModel, 'lookUp' | 'reached' | 'membershipsOf'>;
  settings: PlatformSettings & { attemptSeconds: number };
  /** Without it a cold wallet is folded from its first event. */
  snapshots?: SnapshotFile;
}

type FetchPolicies = (organisationIds: readonly string[], attempt: Attempt) => Promise<void>;

interface Decided {
  events: WalletEvent[];
  replayOf?: number;
  /** Hash of the last event that a decision to write nothing stands on. */
  hash?: string;
}

/** The write side of all wallets of one kind: decides commands in their wallet's mailbox, on everything that they must see. */
export class Wallets<Wallet extends WalletState> {
  protected readonly mailboxes: Mailboxes<Kept<Wallet>, Attempt>;

  constructor(
    protected readonly kind: WalletKindOf<Wallet>,
    protected readonly context: WalletsContext,
  ) {
    const { store, clock, settings, snapshots } = context;
    this.mailboxes = new Mailboxes(store, behaviourOf(kind, snapshots && shelfOf(kind, snapshots)), {
      sizeMax: SIZE_MAX,
      attemptMs: settings.attemptSeconds * 1_000,
      now: () => clock.now(),
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
  }

  /** @throws Refusal, and the errors of mailbox and event store */
  async execute<Command extends WalletCommand>(command: Command, decide: Decision<Wallet, Command>): Promise<Commanded> {
    const stream = streamOf(command.wallet);
    const { result, revision, position, appendedId } = await this.mailboxes.ask(stream, this.decided(stream, command, decide, true));
    if (result.replayOf === undefined) {
      const eventId = appendedId ?? (position === NO_POSITION ? '' : hashing.idOf(result.hash ?? ''));
      return { events: result.events, replayed: false, revision, position, eventId };
    }
    return this.firstResult(stream, result.replayOf, command.envelope.key);
  }

  /** What the command would do now; nothing is written, and no key is looked up. @throws as `execute` */
  async preview<Command extends WalletCommand>(command: Command, decide: Decision<Wallet, Command>): Promise<WalletEvent[]> {
    const stream = streamOf(command.wallet);
    const keyless = { ...command, envelope: { ...command.envelope, key: undefined, contentHash: undefined } };
    const { result } = await this.mailboxes.ask(stream, this.decided(stream, keyless, decide, false));
    return result.events;
  }

  drain(): Promise<void> {
    return this.mailboxes.drain();
  }

  /** Policies are asked of organisations; only users' draws want them. */
  protected policiesFor(_userId: string): FetchPolicies {
    return () => Promise.reject(new Error('this kind of wallet asks for no policy'));
  }

  private decided<Command extends WalletCommand>(
    stream: string,
    command: Command,
    decide: Decision<Wallet, Command>,
    writes: boolean,
  ): Ask<Kept<Wallet>, Attempt, Decided> {
    const { clock, settings } = this.context;
    const newId = uuidV7(clock.now());
    return (kept, attempt) => {
      const at = Math.max(clock.now(), kept.at);
      // Field by field here and below: spreading costs as much as a decision, and every command comes through.
      const { policies, older, stored, memberships } = attempt;
      const given: Given = { at, newId, settings, policies, older, stored, memberships };
      let verdict = judge(kept.wallet, command, given, decide);
      // Each turn finds one more of the few entries that a command seeks: key, payment, usage.
      while (verdict instanceof Missing) {
        const wanted = this.wanted(stream, command, verdict, attempt);
        if (wanted) return wanted;
        verdict = judge(kept.wallet, command, given, decide);
      }
      const { events, refusal, replayOf } = verdict;
      if (!writes || events.length === 0) return { events: [], refusal, result: { events, replayOf, hash: kept.head.hash } };
      const sealed = this.sealed(kept, command, events, at);
      return { events: sealed.events, apply: sealed.apply, refusal, result: { events } };
    };
  }

  private sealed(
    kept: Kept<Wallet>,
    { envelope }: WalletCommand,
    events: WalletEvent[],
    at: number,
  ): Required<Pick<Ruled<Decided>, 'events' | 'apply'>> {
    const head = { revision: kept.head.revision, hash: kept.head.hash };
    const sealed: SealedEvent[] = events.map((event) => seal(event, envelope, head, hashing));
    return {
      events: sealed,
      apply: () => {
        events.forEach((event, index) => {
          this.kind.fold(kept.wallet, event, recordedAs(event, kept.head.revision + 1 + index, envelope));
        });
        kept.head = head;
        kept.at = at;
      },
    };
  }

  /** What a decision lacks; undefined when it was at hand, and is there now. */
  private wanted(stream: string, { wallet }: WalletCommand, { wanted }: Missing, attempt: Attempt): Wanted | undefined {
    const { organisationIds, entry, revision, memberships } = wanted;
    if (organisationIds) return new Wanted(() => this.policiesFor(wallet.id)(organisationIds, attempt));
    if (memberships) {
      return new Wanted(async () => {
        for (const userId of memberships) attempt.memberships.set(userId, this.context.index.membershipsOf(userId));
      });
    }
    if (entry) return this.olderEntry(stream, entry, attempt);
    return new Wanted(
      async () => {
        const [stored] = await this.context.store.readStream(stream, revision ?? 0, 1);
        if (stored) attempt.stored.set(stored.revision, eventOf(stored));
      },
      (revision ?? 0) > attempt.durableRevision,
    );
  }

  /** The index must have passed the last entry that the wallet's state has dropped; until it has, the command waits, bounded. */
  private olderEntry(stream: string, { kind, entry, droppedRevision }: SoughtEntry, attempt: Attempt): Wanted | undefined {
    const { index, store } = this.context;
    const { revision, found } = index.lookUp(stream, kind, entry);
    if (revision >= droppedRevision) {
      attempt.older.set(`${kind}:${entry}`, found ?? null);
      return undefined;
    }
    return new Wanted(async () => {
      if (!attempt.indexBehind) {
        const { position } = await store.headOf(stream);
        attempt.indexBehind = !(await index.reached(position, INDEX_WAIT_MS));
      }
      const indexed = index.lookUp(stream, kind, entry).revision;
      if (indexed >= droppedRevision) return;
      const detail = 'The index of what this wallet has seen is being built; repeat the command in a few seconds, with the same key.';
      throw new Refusal('CATCHING_UP', detail, { indexedRevision: indexed, neededRevision: droppedRevision });
    }, true);
  }

  /** The original result is made again from the events of its key, not kept beside them. */
  private async firstResult(stream: string, from: number, key: string | undefined): Promise<Commanded> {
    const own: StoredEvent[] = [];
    for (let other = -1; other < 0;) {
      const page = await this.context.store.readStream(stream, from + own.length, RESULT_PAGE);
      other = page.findIndex((event) => metadataOf(event).key !== key);
      own.push(...(other < 0 ? page : page.slice(0, other)));
      if (page.length < RESULT_PAGE) break;
    }
    const last = own.at(-1);
    if (!last) throw new Error(`${stream} lacks the result of a key at revision ${from}`);
    return { events: own.map(eventOf), replayed: true, revision: last.revision, position: last.position, eventId: last.id };
  }
}
