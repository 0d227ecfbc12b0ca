import type { Metadata } from './chain';
import type { WalletEvent } from './events';

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
  ({ type: stored.type, data: JSON.parse(stored.data) as unknown }) as WalletEvent;

export const metadataOf = (stored: StoredFact): Metadata => JSON.parse(stored.metadata) as Metadata;
