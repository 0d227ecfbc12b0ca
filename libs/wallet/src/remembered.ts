/**
 * What is unique for ever in a wallet (idempotency keys, payment references, usages), with bounded memory: the recent
 * entries live here, older ones in an index that somebody else asks. `droppedRevision` is the last revision that such an
 * index must have read before its "never heard of it" can be believed.
 */
export interface RememberedEntry {
  /** Revision of the (first) event that made the entry. */
  revision: number;
  /** Of a key. */
  contentHash?: string;
  /** Of a usage: revision of its reversal. */
  reversedRevision?: number;
}

export interface Remembered {
  /** Changed by `remember` alone. */
  recent: ReadonlyMap<string, RememberedEntry>;
  droppedRevision: number;
}

export type EntryKind = 'key' | 'payment' | 'usage' | 'bill';

/** An entry that the recent ones lack; ask the index once it has read at least `droppedRevision`. */
export interface SoughtEntry {
  kind: EntryKind;
  entry: string;
  droppedRevision: number;
}

/**
 * Entries kept per wallet and kind. More than one append can hold (mailbox: 256 commands), so that an entry is dropped
 * only after it is durable.
 */
export const RECENT_MAX = 1_024;

/** One for all that remember nothing, as most wallets do of most kinds: an empty map weighs 200 bytes. */
const NOTHING: ReadonlyMap<string, RememberedEntry> = new Map<string, RememberedEntry>();

export const rememberedNothing = (): Remembered => ({ recent: NOTHING, droppedRevision: -1 });

/** The fold owns the state it builds, so it may mutate it. */
export function remember(remembered: Remembered, entry: string, value: RememberedEntry): void {
  // Never into one without entries: also a snapshot that was read gives the same empty one to several.
  if (remembered.recent.size === 0) remembered.recent = new Map();
  const recent = remembered.recent as Map<string, RememberedEntry>;
  const { size } = recent;
  recent.set(entry, value);
  if (recent.size === size) {
    // It was there: now it is the most recent. Nearly every entry is new, and costs one look-up.
    recent.delete(entry);
    recent.set(entry, value);
  }
  if (recent.size <= RECENT_MAX) return;
  const [oldest, dropped] = oldestOf(recent);
  recent.delete(oldest);
  remembered.droppedRevision = Math.max(remembered.droppedRevision, dropped.revision, dropped.reversedRevision ?? -1);
}

/**
 * One walk for the life of a map that drops entries: it goes on with whatever is the oldest by then. A new walk would step over the
 * holes of all that were dropped since the map was last laid out anew, which cost more than all else that a fold does with an entry.
 */
const walks = new WeakMap<ReadonlyMap<string, RememberedEntry>, IterableIterator<[string, RememberedEntry]>>();

/** Of a map that is not empty. A Map iterates in the order of insertion, so the first is the oldest. Whoever asks must delete it. */
function oldestOf(recent: ReadonlyMap<string, RememberedEntry>): [string, RememberedEntry] {
  let walk = walks.get(recent);
  if (walk === undefined) walks.set(recent, (walk = recent.entries()));
  return walk.next().value as [string, RememberedEntry];
}
