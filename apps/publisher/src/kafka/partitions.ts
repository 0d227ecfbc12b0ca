/** The partition of a key, as every Kafka client with the default partitioner of the Java client would choose it. */
export type PartitionOf = (key: string) => number;

/**
 * For a number of partitions that is counted once: were a topic to grow while we publish, kafkajs would send a wallet's next
 * event elsewhere.
 */
export const partitionsOf =
  (count: number): PartitionOf =>
  (key) =>
    (murmur2(Buffer.from(key)) & 0x7fffffff) % count;

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** The 32-bit MurmurHash2 of the Java client; kafkajs' own computes in numbers of 64 bits, which takes long. */
function murmur2(bytes: Buffer): number {
  const { length } = bytes;
  let hash = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), M);
    word ^= word >>> R;
    hash = Math.imul(hash, M) ^ Math.imul(word, M);
  }
  const rest = length - at;
  if (rest === 3) hash ^= bytes[at + 2]! << 16;
  if (rest >= 2) hash ^= bytes[at + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ bytes[at]!, M);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}
