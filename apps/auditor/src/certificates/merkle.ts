import { createHash } from 'node:crypto';

/** The Merkle tree of RFC 6962, section 2.1, over leaves in the order given. docs/audit-format.md says what the leaves are. */

const hashOf = (prefix: number, ...parts: Uint8Array[]): Buffer => {
  const hash = createHash('sha256').update(Uint8Array.of(prefix));
  for (const part of parts) hash.update(part);
  return hash.digest();
};

export const leafHash = (leaf: string): Buffer => hashOf(0, Buffer.from(leaf));
const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => hashOf(1, left, right);

/** The root over hashes of leaves; of none it is the SHA-256 of nothing. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return createHash('sha256').digest();
  let level = [...leaves];
  // Pairs from the left, an odd one goes up as it is: that is the split at the largest power of two.
  while (level.length > 1) level = above(level);
  return level[0]!;
}

/** The hashes beside the way from leaf `index` to the root, from the leaf up. */
export function pathOf(leaves: readonly Buffer[], index: number): Buffer[] {
  const path: Buffer[] = [];
  let level = [...leaves];
  let at = index;
  while (level.length > 1) {
    const beside = level[at ^ 1];
    if (beside) path.push(beside);
    level = above(level);
    at >>>= 1;
  }
  return path;
}

/** The root that a leaf's hash and its path lead to in a tree of `size` leaves (RFC 9162, section 2.1.3.2); undefined when they do not fit. */
export function rootFrom(leaf: Buffer, index: number, size: number, path: readonly Buffer[]): Buffer | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return undefined;
  let [at, last] = [index, size - 1];
  let hash = leaf;
  let used = 0;
  while (last > 0) {
    // The last node of a level that has no neighbour goes up without one.
    if (at % 2 === 1 || at < last) {
      const beside = path[used];
      if (beside === undefined) return undefined;
      used += 1;
      hash = at % 2 === 1 ? nodeHash(beside, hash) : nodeHash(hash, beside);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return used === path.length ? hash : undefined;
}

function above(level: readonly Buffer[]): Buffer[] {
  const next: Buffer[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const [left, right] = [level[at]!, level[at + 1]];
    next.push(right ? nodeHash(left, right) : left);
  }
  return next;
}
