import type { EventStore } from '@ledger/event-store';
import {
  emptyOrganisationWallet,
  emptyUserWallet,
  type EntryKind,
  foldOrganisation,
  foldUser,
  billEntry,
  isBill,
  type OrganisationEvent,
  type OrganisationWallet,
  type Policy,
  policyFor,
  type RememberedEntry,
  streamOf,
  type UserEvent,
  type UserWallet,
  type WalletEvent,
  type WalletRef,
} from '@ledger/wallet';
import { CouldNotRun } from '../cli/command';
import { factOf, streamEvents } from '../replay/facts';

/** Wallets as they stood after a revision (-1: before the first event), folded by the domain's own fold from the first event on. */

export async function userAt(store: EventStore, userId: string, revision: number): Promise<UserWallet> {
  const wallet = emptyUserWallet(userId);
  await foldTo(store, { kind: 'user', id: userId }, revision, (event, at) => foldUser(wallet, event as UserEvent, { revision: at }));
  return wallet;
}

export async function organisationAt(store: EventStore, organisationId: string, revision: number): Promise<OrganisationWallet> {
  const wallet = emptyOrganisationWallet(organisationId);
  const fold = (event: WalletEvent, at: number) => foldOrganisation(wallet, event as OrganisationEvent, { revision: at });
  await foldTo(store, { kind: 'organisation', id: organisationId }, revision, fold);
  return wallet;
}

async function foldTo(
  store: EventStore,
  wallet: WalletRef,
  to: number,
  fold: (event: WalletEvent, revision: number) => void,
): Promise<void> {
  let last = -1;
  for await (const page of streamEvents(store, streamOf(wallet), 0, to)) {
    for (const stored of page) fold(factOf(stored), (last = stored.revision));
  }
  if (last < to) throw new LacksRevision(`${streamOf(wallet)} has no revision ${to}: it ends at ${last}.`);
}

/** A stream ends before a revision that an event names. */
export class LacksRevision extends CouldNotRun {}

/** The last revision of a stream whose event is not after an instant; -1 when there is none. */
export async function revisionAt(store: EventStore, stream: string, at: string): Promise<number> {
  let last = -1;
  for await (const page of streamEvents(store, stream)) {
    for (const stored of page) {
      if (factOf(stored).data.at > at) return last;
      last = stored.revision;
    }
  }
  return last;
}

export interface Terms {
  policy: Policy;
  /** The wallet of the organisation as of then. */
  organisation: OrganisationWallet;
}

/** What organisations let a user do, as of revisions of their streams. What was read is kept: one event asks for few, several times. */
export class TermsReader {
  private readonly known = new Map<string, OrganisationWallet>();

  constructor(private readonly store: EventStore) {}

  /** Null when there was no such organisation. @throws LacksRevision */
  async at(organisationId: string, userId: string, revision: number): Promise<Terms | null> {
    const name = `${organisationId}@${revision}`;
    let organisation = this.known.get(name);
    if (organisation === undefined) this.known.set(name, (organisation = await organisationAt(this.store, organisationId, revision)));
    const policy = policyFor(organisation, userId);
    return policy && { policy, organisation };
  }
}

/** What is unique in a wallet and older than what its state remembers, as the service's index knows it; `before` is exclusive. */
export async function olderEntry(
  store: EventStore,
  wallet: WalletRef,
  kind: EntryKind,
  entry: string,
  before: number,
): Promise<RememberedEntry | null> {
  let found: RememberedEntry | null = null;
  for await (const page of streamEvents(store, streamOf(wallet), 0, before - 1)) {
    for (const stored of page) {
      const event = factOf(stored);
      if (entryOf(kind, event) !== entry) continue;
      if (event.type === 'UsageReversed') found = { ...(found ?? { revision: stored.revision }), reversedRevision: stored.revision };
      else found ??= { revision: stored.revision };
    }
  }
  return found;
}

function entryOf(kind: EntryKind, event: WalletEvent): string | undefined {
  const { type, data } = event;
  if (kind === 'payment') return type === 'TokensPurchased' ? data.paymentReference : undefined;
  if (kind === 'usage') return type === 'TokensUsed' || type === 'UsageReversed' ? data.usageId : undefined;
  return kind === 'bill' && isBill(event) ? billEntry(event) : undefined;
}
