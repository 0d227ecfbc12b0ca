import { type Entry, entryAt, KINDS, WORDS } from './entry';
import type { Seed } from './fingerprint';

/** Entries of one bucket, grouped by their fingerprints. */

/** Hears of the entries of one fingerprint, in the order of their positions. */
export type Judge = (entries: readonly Entry[], fingerprint: Seed) => Promise<void> | undefined;

/**
 * Only groups with an entry of `fresh` are judged: what is `earlier` was judged by the audit that made it. There may be very many of
 * those, so they are looked at run by run, and those that nobody has met again are not kept.
 */
export async function grouped(fresh: Iterable<Uint32Array>, earlier: Iterable<Uint32Array>, judge: Judge): Promise<void> {
  let chains = new Chains(joined([...fresh]));
  const met = [...meeting(chains, earlier)];
  if (met.length > 0) chains = new Chains(joined([chains.words, ...met]));
  for (const first of chains.firsts) {
    if (first < 0) continue;
    // A single entry of these kinds needs nobody.
    const { words } = chains;
    const at = first * WORDS;
    if (chains.next[first]! < 0 && NEEDS_NOBODY[words[at + 5]! % KINDS.length]) continue;
    const entries = chains.from(first).sort((a, b) => a.position - b.position);
    const waiting = judge(entries, [words[at]!, words[at + 1]!]);
    if (waiting) await waiting;
  }
}

const NEEDS_NOBODY = KINDS.map((kind) => kind !== 'reversal' && kind !== 'returned' && kind !== 'received');

/** The earlier entries that have the fingerprint of one in the chains. */
function* meeting(chains: Chains, earlier: Iterable<Uint32Array>): Generator<Uint32Array> {
  if (chains.words.length === 0) return;
  for (const run of earlier)
    for (let at = 0; at < run.length; at += WORDS) if (chains.has(run[at]!, run[at + 1]!)) yield run.slice(at, at + WORDS);
}

/** Entries with the same fingerprint are chained through a table of open addresses. */
class Chains {
  /** The last entry of a fingerprint, by its place in the table. */
  readonly firsts: Int32Array;
  /** The one before it with the same fingerprint. */
  readonly next: Int32Array;
  private readonly mask: number;

  constructor(readonly words: Uint32Array) {
    const count = words.length / WORDS;
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, count * 2)));
    this.mask = size - 1;
    this.firsts = new Int32Array(size).fill(-1);
    this.next = new Int32Array(count).fill(-1);
    for (let entry = 0; entry < count; entry += 1) {
      const place = this.placeOf(words[entry * WORDS]!, words[entry * WORDS + 1]!);
      this.next[entry] = this.firsts[place]!;
      this.firsts[place] = entry;
    }
  }

  has(low: number, high: number): boolean {
    return this.firsts[this.placeOf(low, high)]! >= 0;
  }

  from(first: number): Entry[] {
    const entries: Entry[] = [];
    for (let entry = first; entry >= 0; entry = this.next[entry]!) entries.push(entryAt(this.words, entry * WORDS));
    return entries;
  }

  /** Where the fingerprint is, or would be. */
  private placeOf(low: number, high: number): number {
    const { words, firsts, mask } = this;
    let place = (high ^ (low >>> 6)) & mask;
    for (; firsts[place]! >= 0; place = (place + 1) & mask) {
      const at = firsts[place]! * WORDS;
      if (words[at] === low && words[at + 1] === high) break;
    }
    return place;
  }
}

function joined(chunks: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const chunk of chunks) {
    all.set(chunk, end);
    end += chunk.length;
  }
  return all;
}
