import { SqliteScan } from '@ledger/event-store';
import { type WalletRef, walletOf } from '@ledger/wallet';
import { isOfData, knownFact } from './facts';
import { Holdings, type PostedHoldings } from './holdings';

/** A part of a SQLite store's streams, to be replayed by a thread of its own. */
export interface ReplayPart {
  path: string;
  part: number;
  parts: number;
  /** The last position that is read. */
  until: number;
  /** Epoch ms. */
  at: number;
}

export interface PostedReplay {
  holdings: PostedHoldings;
  latest: string;
}

/** Positions that are read in one stretch: of longer ones more is still held when the memory is cleaned. */
const STRETCH = 500;
/** An allocation made after the instant is told to every part, since its receipts stand in the streams of all. */
const TOLD_TO_ALL = ['TokensAllocated'];

/** Metadata tell older shapes of data from today's, and there is one shape so far: reading them would cost as much as the data do. */
const UNREAD = '';

/** Undefined when an event is none of a ledger: whoever reads it through the port finds which. */
export function replayPart(part: ReplayPart): PostedReplay | undefined {
  try {
    return replayed(part);
  } catch (error) {
    if (isOfData(error)) return undefined;
    throw error;
  }
}

function replayed({ path, part, parts, until, at }: ReplayPart): PostedReplay | undefined {
  const holdings = new Holdings(at);
  let latest = '';
  const scan = new SqliteScan(path);
  try {
    const read = scan.facts({ part, parts, types: TOLD_TO_ALL });
    const wallets = new Map<number, WalletRef | undefined>();
    for (let after = 0; after < until;) {
      const readTo = Math.min(until, after + STRETCH);
      const facts = read(after, readTo);
      after = facts.length === 0 ? scan.emptyUntil(readTo, until) : readTo;
      for (const { stream, revision, type, data } of facts) {
        let wallet = wallets.get(stream);
        if (wallet === undefined) wallets.set(stream, (wallet = walletOf(scan.nameOf(stream))));
        if (wallet === undefined) continue;
        const event = knownFact({ type, data, metadata: UNREAD });
        if (event === undefined) return undefined;
        if (stream % parts !== part) {
          holdings.learn(wallet, event);
          continue;
        }
        if (event.data.at > latest) latest = event.data.at;
        holdings.add(wallet, revision, event);
      }
    }
    return { holdings: holdings.posted(), latest };
  } finally {
    scan.close();
  }
}
