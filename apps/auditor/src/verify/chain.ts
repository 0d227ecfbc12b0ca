import { hash as digest } from 'node:crypto';
import type { StoredEvent } from '@ledger/event-store';
import { BESIDE, canonical, SCHEMA, type EventType } from '@ledger/wallet';
import type { Fault } from './finding';

/**
 * What docs/audit-format.md says of every event by itself and of its link to the one before it. Nothing here is shared with the code
 * that writes but the serialiser of canonical JSON.
 */

export interface Link {
  revision: number;
  hash: string;
}

/** What the other rules need of the metadata. */
export interface Envelope {
  requestId: string;
  key: string | undefined;
  contentHash: string | undefined;
}

export const firstLink = (stream: string): Link => ({ revision: -1, hash: sha256(stream) });

const REQUIRED = ['$causationId', '$correlationId', 'actor', 'hash', 'previousHash', 'requestId', 'role', 'schema'];
const KNOWN: ReadonlySet<string> = new Set([...REQUIRED, 'client', 'contentHash', 'key', 'traceparent']);
const KEY = /^[!-~]{1,200}$/;
const HASH = /^[0-9a-f]{64}$/;

const PLAIN = '[ !#-[\\]-~]*';
/** Metadata as the ledger writes them, in one look: printable ASCII, the names in their order, which is canonical JSON and keeps the rules. */
const USUAL = new RegExp(
  `^\\{"\\$causationId":"(${PLAIN})","\\$correlationId":"${PLAIN}","actor":"${PLAIN}"(?:,"client":"${PLAIN}")?(?:,"contentHash":"([0-9a-f]{64})")?` +
    `(,"hash":"([0-9a-f]{64})")(?:,"key":"([!#-[\\]-~]{1,200})")?,"previousHash":"([0-9a-f]{64})","requestId":"(${PLAIN})","role":"${PLAIN}","schema":"1"(?:,"traceparent":"${PLAIN}")?\\}$`,
);

/** Checks metadata and chain of one event and moves `link` on to it, also where it is broken: one break is one finding. */
export function checkLink(link: Link, event: Omit<StoredEvent, 'position'>, fault: Fault): Envelope {
  const { revision, id, type, data, metadata } = event;
  if (revision !== link.revision + 1) fault('revision', 'the revision', link.revision + 1, revision);
  const usual = USUAL.exec(metadata);
  const found = usual ? usualOf(usual, metadata) : unusualOf(metadata, type, fault);
  if (usual && (found.key !== undefined || found.contentHash !== undefined)) checkUsualKey(found, type, fault);
  if (found.causationId !== found.requestId) fault('metadata', '$causationId', found.requestId, found.causationId);
  if (found.previousHash !== link.hash) fault('previous-hash', 'previousHash', link.hash, found.previousHash);
  const wanted = sha256(`${found.previousHash}{"data":${data},"metadata":${found.unhashed},"revision":${revision},"type":"${type}"}`);
  if (found.hash !== wanted) fault('hash', 'hash', wanted, found.hash);
  const wantedId = idOf(found.hash);
  if (id !== wantedId) fault('id', 'the id', wantedId, id);
  link.revision = revision;
  link.hash = found.hash;
  return found;
}

interface Found extends Envelope {
  causationId: string;
  previousHash: string;
  hash: string;
  /** The metadata as they are hashed: without `hash`. */
  unhashed: string;
}

function usualOf(match: RegExpExecArray, metadata: string): Found {
  const [, causationId = '', contentHash, field = '', hash = '', key, previousHash = '', requestId = ''] = match;
  const from = metadata.indexOf(field);
  const unhashed = metadata.slice(0, from) + metadata.slice(from + field.length);
  return { causationId, requestId, contentHash, key, hash, previousHash, unhashed };
}

/** Anything else: parsed, and judged field by field. */
function unusualOf(text: string, type: string, fault: Fault): Found {
  const metadata = parsed(text);
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    fault('metadata', 'the metadata', 'a JSON object', text);
    return { causationId: '', requestId: '', contentHash: undefined, key: undefined, hash: '', previousHash: '', unhashed: text };
  }
  checkCanonical('metadata', text, metadata, fault);
  const fields = metadata as Record<string, unknown>;
  for (const name of REQUIRED) if (fields[name] === undefined) fault('metadata', `the metadata ${name}`, 'a text', undefined);
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value !== 'string') fault('metadata', `the metadata ${name}`, 'a text', value);
    if (!KNOWN.has(name)) fault('metadata', `the metadata ${name}`, 'no such field', value);
  }
  const textOf = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
  if (fields.schema !== SCHEMA) fault('schema-version', 'the version of the schema', SCHEMA, fields.schema);
  for (const name of ['hash', 'previousHash']) if (!HASH.test(textOf(name))) fault('metadata', name, '64 hexadecimal digits', fields[name]);
  const others = { ...fields, hash: undefined };
  const key = fields.key === undefined ? undefined : textOf('key');
  const contentHash = fields.contentHash === undefined ? undefined : textOf('contentHash');
  checkKey(key, contentHash, type, fault);
  return {
    causationId: textOf('$causationId'),
    requestId: textOf('requestId'),
    key,
    contentHash,
    hash: textOf('hash'),
    previousHash: textOf('previousHash'),
    unhashed: canonicalOf(others) ?? '',
  };
}

/** Their forms are right already. */
function checkUsualKey({ key, contentHash }: Envelope, type: string, fault: Fault): void {
  if (key === undefined || contentHash === undefined || BESIDE.has(type as EventType)) checkKey(key, contentHash, type, fault);
}

function checkKey(key: string | undefined, contentHash: string | undefined, type: string, fault: Fault): void {
  if (key === undefined && contentHash === undefined) return;
  if (BESIDE.has(type as EventType)) fault('metadata', `the key of ${type}`, 'none, for it stands beside a result', key);
  if (key === undefined) fault('metadata', 'the key', 'there with its contentHash', key);
  else if (!KEY.test(key)) fault('metadata', 'the key', '1 to 200 visible characters', key);
  if (contentHash === undefined || !HASH.test(contentHash)) fault('metadata', 'the contentHash', '64 hexadecimal digits', contentHash);
}

/** Reads a JSON text, whatever it is. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Finds a text that is not the canonical JSON of what it says. */
export function checkCanonical(what: string, text: string, value: unknown, fault: Fault): void {
  const wanted = canonicalOf(value);
  if (wanted !== text) fault('canonical', `the text of ${what}`, wanted ?? 'canonical JSON', text);
}

export function canonicalOf(value: unknown): string | undefined {
  try {
    return canonical(value);
  } catch {
    return undefined;
  }
}

export const sha256 = (text: string): string => digest('sha256', text, 'hex');

/** 5b3d9a52-6f0e-4c63-9a0b-2f1c7d5e8a41, and room for a hash. */
const NAMED = Buffer.alloc(16 + 64);
NAMED.write('5b3d9a526f0e4c639a0b2f1c7d5e8a41', 'hex');

/** RFC 9562, section 5.5, of a hash in 64 hexadecimal digits. */
export function idOf(hash: string): string {
  NAMED.fill(0, 16);
  NAMED.write(hash, 16, 'latin1');
  const text = digest('sha1', NAMED, 'hex');
  const variant = ((parseInt(text.charAt(16), 16) & 0b0011) | 0b1000).toString(16);
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-5${text.slice(13, 16)}-${variant}${text.slice(17, 20)}-${text.slice(20, 32)}`;
}
