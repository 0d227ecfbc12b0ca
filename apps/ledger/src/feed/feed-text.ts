import type { Place, StoredEvent } from '@ledger/event-store';
import { type EventType, walletOf } from '@ledger/wallet';
import { type Audience, type FeedFilter, seenBy } from './audience';

/** Server-sent events as text. Stored facts are canonical JSON, which has no line breaks, so each is one line of `data`. */

/** Why a stream ends before its reader does. */
export type CutReason = 'SLOW' | 'STUCK' | 'TOKEN_ENDED' | 'SHUTTING_DOWN' | 'STORE_UNAVAILABLE' | 'FAILED';

const SENTENCES: Record<CutReason, string> = {
  SLOW: 'You fell too far behind what is written: come back with Last-Event-ID, and read faster.',
  STUCK: 'Your connection took nothing for too long: come back with Last-Event-ID.',
  TOKEN_ENDED: 'Your token is no longer valid: come back with another one and with Last-Event-ID.',
  SHUTTING_DOWN: 'This instance is shutting down: come back with Last-Event-ID.',
  STORE_UNAVAILABLE: 'The event store cannot be reached: come back with Last-Event-ID.',
  FAILED: 'The ledger made a mistake, and logged it: come back with Last-Event-ID.',
};

export const cutText = (reason: CutReason): string => `event: cut\ndata: ${JSON.stringify({ reason, detail: SENTENCES[reason] })}\n\n`;

/** A comment. Its id moves a reader with a narrow filter past what it does not see, so that it resumes from there. */
export const heartbeatText = (id: string | undefined): string => (id === undefined ? ': heartbeat\n\n' : `id: ${id}\n: heartbeat\n\n`);

/** One event as its audience sees it, or nothing. */
export function feedText(stored: StoredEvent, audience: Audience, { wallet, types }: FeedFilter, idOf: (place: Place) => string): string {
  if (types !== undefined && !types.includes(stored.type as EventType)) return '';
  const of = walletOf(stored.stream);
  if (of === undefined || (wallet !== undefined && (of.kind !== wallet.kind || of.id !== wallet.id))) return '';
  const seen = seenBy(audience, stored);
  if (seen === undefined) return '';
  const id = idOf(stored);
  const revision = seen.revision === undefined ? '' : `"revision":${seen.revision},`;
  const name = JSON.stringify(`${of.kind}:${of.id}`);
  return `id: ${id}\nevent: ${stored.type}\ndata: {"wallet":${name},${revision}"position":"${id}","type":"${stored.type}","data":${seen.data},"metadata":${JSON.stringify(seen.metadata)}}\n\n`;
}
