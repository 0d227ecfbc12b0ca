import type { EventStore, StoredEvent } from '@ledger/event-store';
import { streamOf, walletOf, type WalletRef } from '@ledger/wallet';
import { allEvents, factOf, streamEvents } from './facts';
import { Holdings } from './holdings';

export interface Replayed {
  holdings: Holdings;
  /** Instant of the latest event that was read; '' without one. */
  latest: string;
}

/** What the wallets of a store held at an instant, events of that instant included. With a wallet, what it held is all that is told. */
export async function replay(store: EventStore, at: number, only?: WalletRef): Promise<Replayed> {
  const replayed: Replayed = { holdings: new Holdings(at), latest: '' };
  // What an organisation has in transit is told by its members' streams too; a user's own stream tells all.
  if (only?.kind === 'user') for await (const page of streamEvents(store, streamOf(only))) addAll(replayed, page);
  else for await (const page of allEvents(store)) addAll(replayed, only ? page.filter((event) => concerns(only, event)) : page);
  return replayed;
}

/** Looks at the text first: most events of a store say nothing of one organisation, and parsing is what costs. */
const concerns = ({ id }: WalletRef, { stream, type, data }: StoredEvent): boolean =>
  stream === `organisationWallet-${id}` || (type === 'AllocationReceived' && data.includes(`"organisationId":"${id}"`));

function addAll(replayed: Replayed, page: readonly StoredEvent[]): void {
  for (const stored of page) {
    const wallet = walletOf(stored.stream);
    if (wallet === undefined) continue;
    const event = factOf(stored);
    if (event.data.at > replayed.latest) replayed.latest = event.data.at;
    replayed.holdings.add(wallet, stored.revision, event);
  }
}
