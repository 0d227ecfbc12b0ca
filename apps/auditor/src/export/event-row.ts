import type { StoredEvent } from '@ledger/event-store';
import { metadataOf, postings, sumOf, type WalletEvent, walletOf, type WalletRef } from '@ledger/wallet';
import { walletName } from '../replay/arguments';
import { datedFact, noEvent, using } from '../replay/facts';

/** What the columns of CSV and Parquet say of one event. */
export interface EventRow {
  position: bigint;
  stream: string;
  revision: number;
  id: string;
  type: string;
  at: string;
  wallet: string;
  /** What the wallet's balance gained; over all events of a wallet they sum to its balance. */
  tokens: number;
  /** The wallet's total after it, where the event says one. */
  balance: number | undefined;
  actor: string | undefined;
  role: string | undefined;
  requestId: string | undefined;
  key: string | undefined;
  /** As stored, to the letter: hashes can be made again from them. */
  data: string;
  metadata: string;
}

export const COLUMNS = [
  'position',
  'stream',
  'revision',
  'id',
  'type',
  'at',
  'wallet',
  'tokens',
  'balance',
  'actor',
  'role',
  'requestId',
  'key',
  'data',
  'metadata',
] as const satisfies readonly (keyof EventRow)[];

/** @throws CouldNotRun when somebody has changed the event into something else */
export const rowOf = (stored: StoredEvent): EventRow => using(stored, () => rowFrom(stored));

function rowFrom(stored: StoredEvent): EventRow {
  const { position, stream, revision, id, type, data, metadata } = stored;
  const wallet = walletOf(stream) ?? { kind: 'user', id: stream };
  const event = datedFact(stored);
  const { actor, role, requestId, key } = metadataOf(stored);
  const tokens = gained(wallet, event);
  const balance = 'balanceAfter' in event.data ? event.data.balanceAfter.balance : undefined;
  // A column has one type.
  if (![actor, role, requestId, key].every(isText) || ![tokens, balance].every(isWhole)) throw noEvent(stored);
  return {
    position,
    stream,
    revision,
    id,
    type,
    at: event.data.at,
    wallet: walletName(wallet),
    tokens,
    balance,
    actor,
    role,
    requestId,
    key,
    data,
    metadata,
  };
}

const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';
const isWhole = (value: unknown): boolean => value === undefined || Number.isSafeInteger(value);

/** What is in transit has left the organisation's balance. */
function gained(wallet: WalletRef, event: WalletEvent): number {
  const own = wallet.kind === 'user' ? `user:${wallet.id}:` : `organisation:${wallet.id}:available`;
  return sumOf(postings(wallet, event).filter(({ account }) => account.startsWith(own)));
}
