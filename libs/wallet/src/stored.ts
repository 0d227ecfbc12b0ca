import type { Metadata } from './chain';
import type { WalletEvent } from './events';
import { textIn } from './text-in';
import { usualData } from './usual-facts';

/** A fact as it was stored: JSON text. */
export interface StoredFact {
  type: string;
  data: string;
  metadata: string;
}

/**
 * Reads a stored fact. An older shape (metadata `schema`) would be brought up to today's here, by its upcaster; there is one
 * version so far.
 */
export const eventOf = (stored: StoredFact): WalletEvent =>
  ({ type: stored.type, data: usualData(stored.type, stored.data) ?? (JSON.parse(stored.data) as unknown) }) as WalletEvent;

export const metadataOf = (stored: StoredFact): Metadata => JSON.parse(stored.metadata) as Metadata;

/** The key whose result the event is. A fold wants nothing else of the metadata. */
export function keyOf({ metadata }: StoredFact): { key?: string | undefined; contentHash?: string | undefined } {
  const key = textIn(metadata, 'key');
  return key === undefined ? NO_KEY : { key, contentHash: textIn(metadata, 'contentHash') };
}

const NO_KEY = Object.freeze({});
