import type { StoredEvent } from '@ledger/event-store';
import {
  type Charge,
  eventOf,
  type EventType,
  metadataOf,
  streamOf,
  type UserBalance,
  type WalletEvent,
  type WalletRef,
  walletOf,
} from '@ledger/wallet';
import type { Principal } from '../auth/principal';

/**
 * Who sees what of the events, in one place. Platform and auditor see every event, whole. A member sees the own wallet's. An admin
 * sees the stream of its organisation, and of users' streams what concerns tokens that this organisation allocated, cut down to
 * that side: never a user's free or purchased tokens, totals, texts, or other organisations.
 */
export type Audience =
  | { readonly kind: 'all' }
  | { readonly kind: 'organisation'; readonly organisationId: string }
  | { readonly kind: 'user'; readonly userId: string };

/** What a reader asked for, within its audience. */
export interface FeedFilter {
  wallet?: WalletRef;
  types?: readonly EventType[];
}

/** The part of an event that an audience sees. */
export interface Seen {
  revision?: number;
  data: string;
  metadata: Record<string, string>;
}

/** Undefined when the principal may see no events at all. */
export function audienceOf({ role, actor, organisation }: Principal): Audience | undefined {
  switch (role) {
    case 'platform':
    case 'auditor':
      return { kind: 'all' };
    case 'admin':
      return organisation === undefined ? undefined : { kind: 'organisation', organisationId: organisation };
    case 'member':
      return { kind: 'user', userId: actor };
    case undefined:
      return undefined;
    default:
      return role satisfies never;
  }
}

/** Whether an audience may ask for one wallet. An admin may name any user: it sees only its organisation's side of it. */
export function mayFollow(audience: Audience, wallet: WalletRef): boolean {
  switch (audience.kind) {
    case 'all':
      return true;
    case 'organisation':
      return wallet.kind === 'user' || wallet.id === audience.organisationId;
    case 'user':
      return wallet.kind === 'user' && wallet.id === audience.userId;
    default:
      return audience satisfies never;
  }
}

/** The one stream that a reader can see events of; undefined when there are several. */
export function onlyStream(audience: Audience, { wallet }: FeedFilter): string | undefined {
  if (wallet !== undefined) return streamOf(wallet);
  return audience.kind === 'user' ? streamOf({ kind: 'user', id: audience.userId }) : undefined;
}

/** What the audience sees of an event; undefined when nothing. */
export function seenBy(audience: Audience, stored: StoredEvent): Seen | undefined {
  const wallet = walletOf(stored.stream);
  if (wallet === undefined) return undefined;
  const { revision, data } = stored;
  switch (audience.kind) {
    case 'all':
      return { revision, data, metadata: withoutKeys(stored) };
    case 'user':
      return wallet.kind === 'user' && wallet.id === audience.userId ? { revision, data, metadata: whoAndWhy(stored) } : undefined;
    case 'organisation': {
      const { organisationId } = audience;
      if (wallet.kind === 'organisation') return wallet.id === organisationId ? { revision, data, metadata: whoAndWhy(stored) } : undefined;
      // Most events of users say nothing of this organisation, and are not worth being parsed to learn it.
      if (!data.includes(`"organisationId":"${organisationId}"`)) return undefined;
      const side = allocatedSide(eventOf(stored), organisationId);
      // The revision would tell how much else happens in the user's wallet, the hashes would let hidden figures be guessed.
      return side && { data: JSON.stringify(side), metadata: whoAndWhy(stored) };
    }
    default:
      return audience satisfies never;
  }
}

/** What an event of a user's wallet says of the tokens that one organisation allocated; undefined when it moves none of them. */
function allocatedSide({ type, data }: WalletEvent, organisationId: string): object | undefined {
  const ofIt = (part: { organisationId?: string }) => part.organisationId === organisationId;
  const charges = (all: readonly Charge[]) => all.filter(ofIt);
  const after = ({ allocated = [] }: UserBalance) => ({ allocated: allocated.filter(ofIt) });
  switch (type) {
    case 'AllocationReceived': {
      if (!ofIt(data)) return undefined;
      const { at, allocationId, number, tokens, balanceAfter } = data;
      return { at, organisationId, allocationId, number, tokens, balanceAfter: after(balanceAfter) };
    }
    case 'LimitReached':
      return ofIt(data) ? data : undefined;
    case 'TokensUsed': {
      const { at, occurredAt, usageId, charged, considered, balanceAfter } = data;
      if (charges(charged).length === 0) return undefined;
      return { at, occurredAt, usageId, charged: charges(charged), considered: considered.filter(ofIt), balanceAfter: after(balanceAfter) };
    }
    case 'UsageReversed': {
      const { at, usageId, returned, windows, balanceAfter } = data;
      if (charges(returned).length === 0) return undefined;
      return { at, usageId, returned: charges(returned), windows: windows.filter(ofIt), balanceAfter: after(balanceAfter) };
    }
    default:
      // Openings, allowances, purchases and bills are the user's own matter; what a later version adds is too, until it is said here.
      return undefined;
  }
}

/** Whoever knows a key and its content can have its answer again: neither leaves the ledger. */
function withoutKeys(stored: StoredEvent): Record<string, string> {
  const metadata = metadataOf(stored);
  delete metadata['key'];
  delete metadata['contentHash'];
  return metadata;
}

const WHO_AND_WHY = ['actor', 'role', 'schema', '$causationId', '$correlationId'];

function whoAndWhy(stored: StoredEvent): Record<string, string> {
  const metadata = metadataOf(stored);
  return Object.fromEntries(WHO_AND_WHY.flatMap((name) => (metadata[name] === undefined ? [] : [[name, metadata[name]]])));
}
