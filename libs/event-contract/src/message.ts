import type { StoredEvent } from '@ledger/event-store';
import { type Metadata, type OrganisationBalance, type UserBalance, type WalletRef, walletOf } from '@ledger/wallet';

/**
 * How a stored fact looks on Kafka: CloudEvents 1.0, binary mode of its Kafka binding. The value is the event's data exactly as it
 * was stored; all that is said about it stands in headers.
 */

/** A Kafka message whose key decides the partition. All header values are text. */
export interface ContractMessage {
  key: string;
  value: string;
  headers: Record<string, string>;
}

/** The value of a message of the balances topic: one wallet's balance as it was right after one event. */
export interface BalanceRecord {
  /** Such as `user:u1` or `organisation:acme`; also the key. */
  wallet: string;
  /** Tokens; of a user free, purchased and all allocated ones together. */
  balance: number;
  /** The free tokens in `balance` and the month at whose end they lapse; left out when there are none. */
  free?: { tokens: number; month: string };
  /** Of the event, in the wallet's stream. */
  revision: number;
  /** Of the event, in the store: a decimal number of up to 64 bits, therefore text. */
  position: string;
  /** When it happened: the event's `at`. */
  asOf: string;
}

/** The value of a `ledger.skipped.v1` message: an event that could not be published, and whose revision passes all the same. */
export interface SkippedRecord {
  type: string;
  reason: string;
}

/** A stored event, read once for all that is made of it. */
export interface ReadEvent {
  stored: StoredEvent;
  wallet: WalletRef;
  data: { at: string; balanceAfter?: OrganisationBalance | UserBalance };
  metadata: Metadata;
}

/** An event of which no message can be made. The reason is one sentence, without the event's content. */
export class UnpublishableEvent extends Error {
  constructor(
    readonly stored: StoredEvent,
    readonly reason: string,
  ) {
    super(`event ${stored.id} (${stored.stream}, revision ${stored.revision}): ${reason}`);
    this.name = 'UnpublishableEvent';
  }
}

export const DEFAULT_SOURCE = '/token-ledger';
export const SKIPPED_TYPE = 'ledger.skipped.v1';
export const CONTENT_TYPE = 'application/json';

/** A wallet as messages name it. */
export const walletName = ({ kind, id }: WalletRef): string => `${kind}:${id}`;
/** `ce_type` of an event of this type and version. */
export const messageType = (type: string, schema: string): string => `ledger.${type}.v${schema}`;
/** `$id` of the JSON Schema that the data of this type and version keeps to. */
export const schemaId = (type: string, schema: string): string => `urn:token-ledger:event:${type}:${schema}`;

const TYPE = /^[A-Za-z][A-Za-z0-9]{0,99}$/;
const VERSION = /^[1-9]\d{0,5}$/;

/** Headers of the metadata's fields. `key` and `contentHash` are between the ledger and its caller, and stay there. */
const METADATA_HEADERS: readonly (readonly [field: string, header: string])[] = [
  ['$correlationId', 'ce_correlationid'],
  ['$causationId', 'ce_causationid'],
  ['actor', 'ce_actor'],
  ['role', 'ce_role'],
  ['client', 'ce_client'],
  ['requestId', 'ce_requestid'],
  ['hash', 'ce_hash'],
  ['previousHash', 'ce_previoushash'],
  ['traceparent', 'traceparent'],
];

/**
 * Reads a stored event for publishing. Types that this version does not know are read too: they are published as they are.
 * @throws UnpublishableEvent when it is not what the ledger writes
 */
export function readEvent(stored: StoredEvent): ReadEvent {
  const wallet = walletOf(stored.stream);
  if (!wallet) throw new UnpublishableEvent(stored, 'its stream is not that of a wallet');
  if (!TYPE.test(stored.type)) throw new UnpublishableEvent(stored, 'its type is not a name of letters and digits');
  const data = fieldsOf(stored, 'data') as Partial<ReadEvent['data']>;
  const metadata = fieldsOf(stored, 'metadata');
  if (typeof data.at !== 'string') throw new UnpublishableEvent(stored, 'its data names no instant in the field "at"');
  if (!Object.values(metadata).every((value) => typeof value === 'string'))
    throw new UnpublishableEvent(stored, 'a field of its metadata is not text');
  if (!VERSION.test((metadata as Metadata)['schema'] ?? ''))
    throw new UnpublishableEvent(stored, 'its metadata names no version in the field "schema"');
  return { stored, wallet, data: data as ReadEvent['data'], metadata: metadata as Metadata };
}

/** The message of the events topic. */
export function eventMessage({ stored, wallet, data, metadata }: ReadEvent, source = DEFAULT_SOURCE): ContractMessage {
  const schema = metadata['schema'] ?? '';
  const headers: Record<string, string> = {
    'content-type': CONTENT_TYPE,
    ...attributesOf(stored, wallet, messageType(stored.type, schema), source),
    ce_time: data.at,
    ce_dataschema: schemaId(stored.type, schema),
  };
  for (const [field, header] of METADATA_HEADERS) {
    const value = metadata[field];
    // An attribute of CloudEvents is never empty text; then it is left out.
    if (value) headers[header] = value;
  }
  return { key: stored.stream, value: stored.data, headers };
}

/** The message of the balances topic, or undefined when the event says no balance (of what moves no tokens). */
export function balanceMessage({ stored, wallet, data }: ReadEvent): ContractMessage | undefined {
  if (data.balanceAfter === undefined) return undefined;
  const { balance } = data.balanceAfter;
  const free = 'free' in data.balanceAfter ? data.balanceAfter.free : undefined;
  const record: BalanceRecord = {
    wallet: walletName(wallet),
    balance,
    ...(free && free.tokens > 0 ? { free: { tokens: free.tokens, month: free.month } } : {}),
    revision: stored.revision,
    position: `${stored.position}`,
    asOf: data.at,
  };
  return { key: record.wallet, value: JSON.stringify(record), headers: { 'content-type': CONTENT_TYPE } };
}

/**
 * The message that takes the place of an event which an operator decided to leave out, so that no reader sees a gap.
 * @throws UnpublishableEvent when its stream is not that of a wallet: then there is no reader to tell
 */
export function skippedMessage(stored: StoredEvent, reason: string, source = DEFAULT_SOURCE): ContractMessage {
  const wallet = walletOf(stored.stream);
  if (!wallet) throw new UnpublishableEvent(stored, 'its stream is not that of a wallet');
  const record: SkippedRecord = { type: stored.type, reason };
  return {
    key: stored.stream,
    value: JSON.stringify(record),
    headers: { 'content-type': CONTENT_TYPE, ...attributesOf(stored, wallet, SKIPPED_TYPE, source) },
  };
}

/** What every message of the events topic says. */
const attributesOf = (stored: StoredEvent, wallet: WalletRef, type: string, source: string): Record<string, string> => ({
  ce_specversion: '1.0',
  ce_id: stored.id,
  ce_source: source,
  ce_type: type,
  ce_subject: walletName(wallet),
  ce_partitionkey: stored.stream,
  ce_streamrevision: `${stored.revision}`,
  ce_globalposition: `${stored.position}`,
});

function fieldsOf(stored: StoredEvent, part: 'data' | 'metadata'): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(stored[part]);
  } catch {
    throw new UnpublishableEvent(stored, `its ${part} is not JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UnpublishableEvent(stored, `its ${part} is not a JSON object`);
  return value as Record<string, unknown>;
}
