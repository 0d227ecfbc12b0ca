import type { Metadata } from './chain';
import type { WalletEvent } from './events';
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

/** How the metadata of our own events begin; whoever wrote them anew with spaces would have put one before or behind this name. */
const CANONICAL = '{"$causationId":"';

/**
 * The key whose result the event is. A fold wants nothing else of the metadata, so it is cut out of them: in canonical JSON without
 * an escape every quote begins or ends a text, and a name is followed by a colon. Other metadata are parsed whole.
 */
export function keyOf(stored: StoredFact): { key?: string; contentHash?: string } {
  const { metadata } = stored;
  if (!metadata.startsWith(CANONICAL) || metadata.includes('\\')) return metadataOf(stored);
  const key = fieldOf(metadata, ',"key":"');
  return key === undefined ? NO_KEY : { key, contentHash: fieldOf(metadata, ',"contentHash":"') };
}

const NO_KEY = Object.freeze({});

/** Parsed: a part of a text, left as it is, would keep the whole of it in memory for as long as the wallet remembers the key. */
function fieldOf(metadata: string, field: string): string | undefined {
  const found = metadata.indexOf(field);
  if (found < 0) return undefined;
  const begins = found + field.length - 1;
  return JSON.parse(metadata.slice(begins, metadata.indexOf('"', begins + 1) + 1)) as string;
}
