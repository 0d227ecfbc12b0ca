import { setImmediate as othersFirst } from 'node:timers/promises';
import { type EventStore, NO_STREAM, type Place, type StoredEvent } from '@ledger/event-store';
import {
  balanceOf,
  eventOf,
  type EventType,
  metadataOf,
  type OrganisationBalance,
  type Posting,
  postings,
  streamOf,
  sumOf,
  type UserBalance,
  type WalletEvent,
  type WalletRef,
} from '@ledger/wallet';
import type { PageRequest } from './answers';
import { cursorAt, numberAt } from './cursor';
import { lastRevisionAt } from './instants';
import type { PastWallets } from './past-wallets';

/**
 * Answers: every event of a wallet, oldest first, with what it moved and what was there after it. The store's stream is the
 * statement: read from it, the statement costs no write per event, and it is never behind.
 */

/** An entry as it is shown, but for its place in the store, which is made a text by who shows it. */
export interface Entry {
  place: Place;
  revision: number;
  at: string;
  /** Of a usage, when it happened; limits were counted then. */
  occurredAt?: string;
  type: EventType;
  /** What the wallet's balance gained: the sum over all entries is the balance. */
  tokens: number;
  lines: Posting[];
  /** The buckets that the event touched, and `balance`, the wallet's total. */
  balanceAfter: OrganisationBalance | UserBalance;
  actor: string;
  reference?: string;
  service?: string;
  reason?: string;
  memo?: string;
  usageId?: string;
  allocationId?: string;
  organisationId?: string;
  purchaseId?: string;
  billId?: string;
}

export interface EntriesFilter extends PageRequest {
  /** Epoch ms, inclusive. */
  from?: number;
  /** Epoch ms, exclusive. */
  to?: number;
  types?: readonly EventType[];
}

/** Events that one page looks at, so that a filter for what is rare cannot hold the service up; such a page is short and has a cursor. */
export const SCANNED_MAX = 20_000;
/** Events that are read at once, before others have their turn: about 5 ms. */
const READ_MAX = 1_000;

export class Entries {
  constructor(
    private readonly store: EventStore,
    private readonly past: PastWallets,
  ) {}

  /** Revision of the wallet's last event, or NO_STREAM. */
  async headOf(wallet: WalletRef): Promise<number> {
    return (await this.store.headOf(streamOf(wallet))).revision;
  }

  /** The cursor is a revision: what is appended between two pages is behind it. */
  async page(wallet: WalletRef, { limit, cursor, from, to, types }: EntriesFilter): Promise<{ data: Entry[]; nextCursor: string | null }> {
    let next = numberAt('entries', cursor, NO_STREAM);
    const stream = streamOf(wallet);
    const head = await this.headOf(wallet);
    const end = to === undefined ? head : await lastRevisionAt(this.store, stream, head, to - 1);
    const start = from === undefined ? 0 : (await lastRevisionAt(this.store, stream, head, from - 1)) + 1;
    next = Math.max(next, start);
    const wanted = types && new Set<string>(types);
    const found: StoredEvent[] = [];
    for (let scanned = 0; next <= end && found.length < limit && scanned < SCANNED_MAX;) {
      const count = Math.min(end - next + 1, wanted ? READ_MAX : limit - found.length, READ_MAX, SCANNED_MAX - scanned);
      const read = await this.store.readStream(stream, next, count);
      if (read.length === 0) throw new Error(`${stream} lacks revision ${next}`);
      for (const event of read) {
        if (found.length === limit) break;
        next = event.revision + 1;
        if (wanted === undefined || wanted.has(event.type)) found.push(event);
      }
      scanned += read.length;
      if (next <= end) await othersFirst();
    }
    return { data: await this.shown(wallet, found), nextCursor: next <= end ? cursorAt('entries', next) : null };
  }

  /** What moves nothing says no balance: it is that of the entry before. */
  private async shown(wallet: WalletRef, found: readonly StoredEvent[]): Promise<Entry[]> {
    const entries: Entry[] = [];
    let before: { revision: number; balance: number } | undefined;
    for (const stored of found) {
      const event = eventOf(stored);
      let after = 'balanceAfter' in event.data ? event.data.balanceAfter : undefined;
      if (after === undefined) {
        const balance = before?.revision === stored.revision - 1 ? before.balance : await this.balanceOf(wallet, stored.revision);
        after = wallet.kind === 'organisation' ? balanceOf(balance) : { balance };
      }
      before = { revision: stored.revision, balance: after.balance };
      entries.push(entryOf(wallet, stored, event, after));
    }
    return entries;
  }

  /** The last stored total at a revision: free tokens are those of their own month, not of today's. */
  private async balanceOf({ kind, id }: WalletRef, revision: number): Promise<number> {
    if (kind === 'organisation') return (await this.past.organisation(id, revision)).available;
    const { free, purchased, relationships } = await this.past.user(id, revision);
    return (free?.tokens ?? 0) + purchased + sumOf([...relationships.values()]);
  }
}

function entryOf(wallet: WalletRef, stored: StoredEvent, event: WalletEvent, balanceAfter: OrganisationBalance | UserBalance): Entry {
  const lines = postings(wallet, event);
  const own = wallet.kind === 'organisation' ? `organisation:${wallet.id}:available` : `user:${wallet.id}:`;
  return {
    place: { position: stored.position, id: stored.id },
    revision: stored.revision,
    at: event.data.at,
    ...('occurredAt' in event.data && { occurredAt: event.data.occurredAt }),
    type: event.type,
    tokens: sumOf(lines.filter(({ account }) => account.startsWith(own))),
    lines,
    balanceAfter,
    actor: metadataOf(stored).actor ?? '',
    ...namesIn(event),
  };
}

/** Texts and ids by which a person, or a service, finds the cause. */
function namesIn({ data }: WalletEvent): Partial<Entry> {
  const names: Partial<Entry> = {};
  if ('reference' in data && data.reference !== undefined) names.reference = data.reference;
  if ('paymentReference' in data) names.reference = data.paymentReference;
  if ('service' in data && data.service !== undefined) names.service = data.service;
  if ('reason' in data && data.reason !== undefined) names.reason = data.reason;
  if ('memo' in data && data.memo !== undefined) names.memo = data.memo;
  if ('usageId' in data) names.usageId = data.usageId;
  if ('allocationId' in data) names.allocationId = data.allocationId;
  if ('organisationId' in data) names.organisationId = data.organisationId;
  if ('purchaseId' in data) names.purchaseId = data.purchaseId;
  if ('billId' in data) names.billId = data.billId;
  return names;
}
