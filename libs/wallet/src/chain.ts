import canonicalize from 'canonicalize';
import { BESIDE, type EventType, SCHEMA, type WalletEvent } from './events';
import type { Envelope } from './commands';

/**
 * The hash chain of a stream (design section 3): `hash` is the SHA-256 over the previous event's hash and the canonical JSON
 * (RFC 8785) of revision, type, data and the other metadata. The first `previousHash` is the SHA-256 of the stream's name.
 */

/** Metadata of an event: strings only. */
export type Metadata = Record<string, string>;

export interface Hashing {
  /** SHA-256 of a text's UTF-8 bytes, as lower-case hex. */
  sha256(text: string): string;
  /** UUIDv5 of a text, under the ledger's namespace. */
  idOf(text: string): string;
}

/** The last event of a stream, as far as the next one needs it. */
export interface ChainHead {
  revision: number;
  hash: string;
}

export interface SealedEvent {
  id: string;
  type: EventType;
  data: string;
  metadata: string;
}

export const chainStart = (stream: string, hashing: Hashing): ChainHead => ({ revision: -1, hash: hashing.sha256(stream) });

/** Serialises one event behind `head`, with its hash and the id that follows from it; moves `head` on. */
export function seal(event: WalletEvent, envelope: Envelope, head: ChainHead, hashing: Hashing): SealedEvent {
  head.revision += 1;
  const data = canonical(event.data);
  const others: Metadata = { ...metadataFor(event.type, envelope), previousHash: head.hash };
  head.hash = hashing.sha256(hashedText(head.hash, { data, metadata: others, revision: head.revision, type: event.type }));
  return { id: hashing.idOf(head.hash), type: event.type, data, metadata: canonical({ ...others, hash: head.hash }) };
}

/** The text that is hashed: the previous hash, then the canonical JSON of the rest. `data` is canonical JSON already. */
export const hashedText = (
  previousHash: string,
  { data, metadata, revision, type }: { data: string; metadata: Metadata; revision: number; type: string },
): string => `${previousHash}{"data":${data},"metadata":${canonical(metadata)},"revision":${revision},"type":"${type}"}`;

/** RFC 8785. @throws when the value is not JSON */
export function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('the value has no JSON');
  return text;
}

/** Only a command's own result carries its key; what is written beside it names its cause. */
function metadataFor(type: EventType, envelope: Envelope): Metadata {
  const { actor, role, client, requestId, correlationId, traceparent, key, contentHash } = envelope;
  const metadata: Metadata = { $correlationId: correlationId, $causationId: requestId, actor, role, requestId, schema: SCHEMA };
  if (client !== undefined) metadata.client = client;
  if (traceparent !== undefined) metadata.traceparent = traceparent;
  if (key !== undefined && contentHash !== undefined && !BESIDE.has(type)) Object.assign(metadata, { key, contentHash });
  return metadata;
}
