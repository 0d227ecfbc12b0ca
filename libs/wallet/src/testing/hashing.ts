import { createHash } from 'node:crypto';
import { v5 } from 'uuid';
import type { Hashing } from '../chain';

/** A namespace for tests; the ledger's own is the app's. */
export const NAMESPACE = '9f4a1c3e-1d52-4a6b-8f00-0c5f3a7e2b11';

export const hashing: Hashing = {
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
  idOf: (text) => v5(text, NAMESPACE),
};
