import { HIGH } from './fingerprint';

/** One thing that must be unique, or have a counterpart elsewhere, as `entries.ts` keeps it. */

export const KINDS = ['key', 'payment', 'id', 'bill', 'usage', 'reversal', 'returned', 'line', 'received'] as const;
export type EntryKind = (typeof KINDS)[number];

export interface Entry {
  kind: EntryKind;
  position: number;
  extra: number;
}

/** Of an entry: 24 bytes. */
export const WORDS = 6;

/** Of the words of many, the one that begins here. */
export const entryAt = (all: Uint32Array, from: number): Entry => ({
  kind: KINDS[all[from + 5]! % KINDS.length]!,
  position: all[from + 2]! + all[from + 3]! * HIGH,
  extra: all[from + 4]! + Math.floor(all[from + 5]! / KINDS.length) * HIGH,
});
