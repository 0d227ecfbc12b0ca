import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type EventStore, isEventStoreDb, sqlitePath, type StoredEvent } from '@ledger/event-store';
import { streamOf, walletOf, type WalletRef } from '@ledger/wallet';
import { inThreads, threadsFor } from '../reading/threads';
import { allEvents, factOf, streamEvents, using } from './facts';
import { Holdings } from './holdings';
import type { PostedReplay, ReplayPart } from './replay-part';

export interface Replayed {
  holdings: Holdings;
  /** Instant of the latest event that was read; '' without one. */
  latest: string;
}

/** Whose wallet is asked for, if not everybody's. */
export interface ReplayOptions {
  only?: WalletRef | undefined;
  /** Address of the store: several threads read a large file, */
  url?: string;
  /** so many; undefined lets the machine decide. */
  workers?: number | undefined;
}

/**
 * What the wallets of a store held at an instant, events of that instant included. With a wallet, what it held is all that is told.
 * @throws CouldNotRun when an event is none of a ledger
 */
export async function replay(store: EventStore, at: number, { only, url, workers }: ReplayOptions = {}): Promise<Replayed> {
  if (only === undefined && url !== undefined && !isEventStoreDb(url)) {
    const shared = await replayInThreads(sqlitePath(url), Number(await store.headPosition()), at, workers);
    if (shared) return shared;
  }
  const replayed: Replayed = { holdings: new Holdings(at), latest: '' };
  // What an organisation has in transit is told by its members' streams too; a user's own stream tells all.
  if (only?.kind === 'user') for await (const page of streamEvents(store, streamOf(only))) addAll(replayed, page);
  else for await (const page of allEvents(store)) addAll(replayed, only ? page.filter((event) => concerns(only, event)) : page);
  return replayed;
}

/** Undefined where one thread does as well, and where an event is none of a ledger: the slow way says which. */
async function replayInThreads(path: string, until: number, at: number, workers: number | undefined): Promise<Replayed | undefined> {
  const parts = workers ?? threadsFor(BigInt(until));
  const worker = join(__dirname, 'worker.js');
  // Threads run compiled code; whoever runs the sources has one.
  if (parts === 1 || !existsSync(worker)) return undefined;
  const replayed: Replayed = { holdings: new Holdings(at), latest: '' };
  const tasks = Array.from({ length: parts }, (_, part): ReplayPart => ({ path, part, parts, until, at }));
  for (const posted of await inThreads<PostedReplay | undefined>(worker, tasks)) {
    if (posted === undefined) return undefined;
    replayed.holdings.merge(posted.holdings);
    if (posted.latest > replayed.latest) replayed.latest = posted.latest;
  }
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
    using(stored, () => replayed.holdings.add(wallet, stored.revision, event));
  }
}
