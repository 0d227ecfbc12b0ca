import { canonical, canonicalText } from './canonical';
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
export function seal({ type, data: facts }: WalletEvent, envelope: Envelope, head: ChainHead, hashing: Hashing): SealedEvent {
  const previousHash = head.hash;
  head.revision += 1;
  const data = canonical(facts);
  const [before, after] = metadataFor(type, envelope, previousHash);
  head.hash = hashing.sha256(`${previousHash}{"data":${data},"metadata":${before}${after},"revision":${head.revision},"type":"${type}"}`);
  return { id: hashing.idOf(head.hash), type, data, metadata: `${before},"hash":"${head.hash}"${after}` };
}

/** The text that is hashed: the previous hash, then the canonical JSON of the rest. `data` is canonical JSON already. */
export const hashedText = (
  previousHash: string,
  { data, metadata, revision, type }: { data: string; metadata: Metadata; revision: number; type: string },
): string => `${previousHash}{"data":${data},"metadata":${canonical(metadata)},"revision":${revision},"type":"${type}"}`;

/**
 * Canonical JSON of an event's metadata in two parts, between which its hash will stand. The fields are in the order of their names.
 * Only a command's own result carries its key; what is written beside it names its cause.
 */
function metadataFor(type: EventType, envelope: Envelope, previousHash: string): [before: string, after: string] {
  const { actor, role, client, requestId, correlationId, traceparent, key, contentHash } = envelope;
  const keyed = key !== undefined && contentHash !== undefined && !BESIDE.has(type);
  const id = canonicalText(requestId);
  let before = `{"$causationId":${id},"$correlationId":${canonicalText(correlationId)},"actor":${canonicalText(actor)}`;
  if (client !== undefined) before += `,"client":${canonicalText(client)}`;
  if (keyed) before += `,"contentHash":${canonicalText(contentHash)}`;
  let after = keyed ? `,"key":${canonicalText(key)}` : '';
  after += `,"previousHash":"${previousHash}","requestId":${id},"role":${canonicalText(role)},"schema":"${SCHEMA}"`;
  if (traceparent !== undefined) after += `,"traceparent":${canonicalText(traceparent)}`;
  return [before, `${after}}`];
}
