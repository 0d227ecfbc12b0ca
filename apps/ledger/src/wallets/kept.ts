import { type Behaviour, type Shelf, type StoredEvent } from '@ledger/event-store';
import {
  BESIDE,
  type ChainHead,
  chainStart,
  emptyOrganisationWallet,
  emptyUserWallet,
  type Envelope,
  eventOf,
  foldOrganisation,
  foldUser,
  keyOf,
  type OrganisationEvent,
  type OrganisationWallet,
  type Policy,
  type Recorded,
  type RememberedEntry,
  textIn,
  type UserEvent,
  type UserWallet,
  type WalletEvent,
  walletOf,
} from '@ledger/wallet';
import { hashing } from './hashing';

/** A folded wallet with the end of its chain, as a mailbox keeps it. */
export interface Kept<Wallet> {
  wallet: Wallet;
  head: ChainHead;
  /** Epoch ms of the last event. */
  at: number;
  /** Revision at which it was last put on the shelf, or taken from it; -1 before. */
  shelvedRevision: number;
}

/** What the asks of one round have fetched; see Given. */
export interface Attempt {
  /** Revision up to which the state was durable when the round began. */
  durableRevision: number;
  policies: Map<string, Policy | null>;
  memberships: Map<string, number>;
  older: Map<string, RememberedEntry | null>;
  stored: Map<number, WalletEvent>;
  /** The index did not catch up in time for one ask: the others need not wait too. */
  indexBehind: boolean;
}

/** What a wallet without any entry weighs, in entries. */
const EMPTY_WALLET_SIZE = 3;

/** How wallets of one kind are made and folded. */
export interface WalletKindOf<Wallet> {
  /** Entries that the folded wallet holds, each about 200 bytes. */
  entriesOf(wallet: Wallet): number;
  empty(id: string): Wallet;
  fold(wallet: Wallet, event: WalletEvent, recorded: Recorded): void;
}

export const organisationKind: WalletKindOf<OrganisationWallet> = {
  empty: emptyOrganisationWallet,
  entriesOf: ({ members, keys, payments, billing }) => members.size + keys.recent.size + payments.recent.size + billing.bills.recent.size,
  fold: (wallet, event, recorded) => foldOrganisation(wallet, event as OrganisationEvent, recorded),
};

export const userKind: WalletKindOf<UserWallet> = {
  empty: emptyUserWallet,
  entriesOf: ({ relationships, keys, payments, usages, billing }) =>
    4 * relationships.size + keys.recent.size + payments.recent.size + usages.recent.size + billing.bills.recent.size,
  fold: (wallet, event, recorded) => foldUser(wallet, event as UserEvent, recorded),
};

export function behaviourOf<Wallet>(kind: WalletKindOf<Wallet>, shelf?: Shelf<Kept<Wallet>>): Behaviour<Kept<Wallet>, Attempt> {
  return {
    empty: (stream) => ({
      wallet: kind.empty(walletOf(stream)?.id ?? ''),
      head: chainStart(stream, hashing),
      at: 0,
      shelvedRevision: -1,
    }),
    revisionOf: ({ head }) => head.revision,
    sizeOf: ({ wallet }) => EMPTY_WALLET_SIZE + kind.entriesOf(wallet),
    absorb: (kept, events) => absorb(kind, kept, events),
    newAttempt: ({ head }) => ({
      durableRevision: head.revision,
      policies: new Map(),
      memberships: new Map(),
      older: new Map(),
      stored: new Map(),
      indexBehind: false,
    }),
    ...(shelf === undefined ? {} : { shelf }),
  };
}

/** Where an event of a command stands: only its own result carries the key. */
export const recordedAs = (event: WalletEvent, revision: number, { key, contentHash }: Envelope): Recorded =>
  key === undefined || BESIDE.has(event.type) ? { revision } : { revision, key, contentHash };

function absorb<Wallet>(kind: WalletKindOf<Wallet>, kept: Kept<Wallet>, events: readonly StoredEvent[]): void {
  let event: WalletEvent | undefined;
  for (const stored of events) {
    event = eventOf(stored);
    const { key, contentHash } = keyOf(stored);
    kind.fold(kept.wallet, event, { revision: stored.revision, key, contentHash });
  }
  // Where the chain ends, and when, is a matter of the last one alone.
  const last = events.at(-1);
  if (event === undefined || last === undefined) return;
  kept.head = { revision: last.revision, hash: textIn(last.metadata, 'hash') ?? '' };
  kept.at = Date.parse(event.data.at);
}
