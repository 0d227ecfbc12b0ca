import { hash, randomFillSync } from 'node:crypto';
import type { Hashing } from '@ledger/wallet';
import { v7 } from 'uuid';

/** Namespace of the ledger's event ids: fixed for ever, for ids are made from it and an event's hash. */
export const EVENT_ID_NAMESPACE = '5b3d9a52-6f0e-4c63-9a0b-2f1c7d5e8a41';

const NAMESPACE_BYTES = Buffer.from(EVENT_ID_NAMESPACE.replaceAll('-', ''), 'hex');

/** Node's one-shot digests cost half of what its streaming ones do, and every event needs two. */
export const hashing: Hashing = {
  sha256: (text) => hash('sha256', text, 'hex'),
  idOf: (text) => uuidV5(hash('sha1', Buffer.concat([NAMESPACE_BYTES, Buffer.from(text)]), 'hex')),
};

/** RFC 9562, section 5.5: the first 128 bits of the SHA-1 digest, but for version and variant. */
function uuidV5(digest: string): string {
  const variant = ((parseInt(digest.charAt(16), 16) & 0b0011) | 0b1000).toString(16);
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}

const RANDOM_BYTES = 16;
/** Random bytes for 256 ids: asked for one by one they cost more than the rest of an id. */
const random = new Uint8Array(256 * RANDOM_BYTES);
let taken = random.length;

/** A new id, made at `at` (epoch ms). */
export function uuidV7(at: number): string {
  if (taken === random.length) {
    randomFillSync(random);
    taken = 0;
  }
  return v7({ msecs: at, random: random.subarray(taken, (taken += RANDOM_BYTES)) });
}
