/**
 * Seeded choices. The same seed gives the same day on every machine, whatever order the requests are answered in, because
 * every choice hashes what it is for (a row number, a rank) instead of drawing the next number of a shared generator.
 */

/** 32 bits, 0..4294967295: the finaliser of MurmurHash3 over the seed and the number. */
export function hash32(seed: number, n: number): number {
  let h = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca6b)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

/** A whole number from 0 to `below` - 1. */
export const choose = (seed: number, n: number, below: number): number => hash32(seed, n) % below;

/** The list in a seeded order; the list given is left alone. */
export function shuffled<Item>(seed: number, items: readonly Item[]): Item[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = choose(seed, last, last + 1);
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}

/** What the first rank weighs; the k-th weighs a k-th of it. The sum must stay far below 2^32, or the remainder would favour low ranks. */
const FIRST_WEIGHT = 1_000_000;

/** Picks a rank (0 = heaviest) by Zipf's law: rank k is picked 1/(k + 1) times as often as the first. */
export function zipf(ranks: number): (seed: number, n: number) => number {
  const upTo: number[] = [];
  let total = 0;
  for (let rank = 1; rank <= ranks; rank++) upTo.push((total += Math.max(1, Math.floor(FIRST_WEIGHT / rank))));
  return (seed, n) => {
    const at = choose(seed, n, total);
    let low = 0;
    let high = upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (upTo[middle]! > at) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}
