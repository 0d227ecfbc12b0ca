import { hash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { Shelf } from '@ledger/event-store';
import { textIn } from '@ledger/wallet';
import type { Kept, WalletKindOf } from './kept';
import type { SnapshotFile } from './snapshot-file';

/**
 * Snapshots of folded wallets, for cold loads. A snapshot names the hash of its last event, and each hash is made over the one
 * before: when the store has that event, it has the whole history that was folded, whichever file or restore it comes from.
 */

/** Raise it when a fold or the shape of its state changes: snapshots of another number are as good as none. `snapshots.spec.ts` notices. */
export const FOLDS = 3;

/** Writing so many entries costs about what deciding and storing an event does. */
const ENTRIES_AN_EVENT = 4;

/** What is written: the state without what belongs to this process. */
type Stored<Wallet> = Omit<Kept<Wallet>, 'shelvedRevision'>;

export const shelfOf = <Wallet>(kind: WalletKindOf<Wallet>, file: SnapshotFile): Shelf<Kept<Wallet>> => ({
  nearest(stream) {
    const found = file.find(stream);
    if (found === undefined || digestOf(stream, found.body) !== found.digest) return undefined;
    try {
      const stored = deserialize(found.body) as Stored<Wallet>;
      return { ...stored, shelvedRevision: stored.head.revision };
    } catch {
      // A format of another version of Node.
      return undefined;
    }
  },
  endsWith: ({ head }, event) => head.revision === event.revision && head.hash === textIn(event.metadata, 'hash'),
  // A wallet with very many members is kept more rarely, so that writing it never costs more than its events did.
  isDue: ({ wallet, head, shelvedRevision }) =>
    head.revision - shelvedRevision >= Math.max(file.eventsBetween, kind.entriesOf(wallet) / ENTRIES_AN_EVENT),
  keep(stream, kept) {
    // Also when the write fails: then it is tried again after as many events, not after each.
    kept.shelvedRevision = kept.head.revision;
    const { wallet, head, at } = kept;
    const body = serialize({ wallet, head, at } satisfies Stored<Wallet>);
    file.keep(stream, body, digestOf(stream, body));
  },
});

const digestOf = (stream: string, body: Buffer): string => hash('sha256', `${FOLDS}|${stream}|${hash('sha256', body)}`);
