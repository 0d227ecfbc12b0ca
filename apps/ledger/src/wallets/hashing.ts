import { createHash } from 'node:crypto';
import type { Hashing } from '@ledger/wallet';
import { v5 } from 'uuid';

/** Namespace of the ledger's event ids: fixed for ever, for ids are made from it and an event's hash. */
export const EVENT_ID_NAMESPACE = '5b3d9a52-6f0e-4c63-9a0b-2f1c7d5e8a41';

export const hashing: Hashing = {
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
  idOf: (text) => v5(text, EVENT_ID_NAMESPACE),
};
