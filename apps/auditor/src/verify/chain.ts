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
  /** `hash` is one: a forged event may have carried any text in its place. */
  sound: boolean;
}

/** What the other rules need of the metadata. */
export interface Envelope {
  key: string | undefined;
  contentHash: string | undefined;
}

export const firstLink = (stream: string): Link => ({ revision: -1, hash: sha256(stream), sound: true });

const REQUIRED = ['$causationId', '$correlationId', 'actor', 'hash', 'previousHash', 'requestId', 'role', 'schema'];
const KNOWN: ReadonlySet<string> = new Set([...REQUIRED, 'client', 'contentHash', 'key', 'traceparent']);
const KEY = /^[!-~]{1,200}$/;
const HASH = /^[0-9a-f]{64}$/;
const HASH_DIGITS = 64;

/** Checks metadata and chain of one event and moves `link` on to it, also where it is broken: one break is one finding. */
export function checkLink(link: Link, event: Omit<StoredEvent, 'position'>, fault: Fault): Envelope {
  return usualLink(link, event) ?? unusualLink(link, event, fault);
}

const PLAIN = '[ !#-[\\]-~]*';
/** Repeated in the expression itself: counted by `{64}` the same digits cost twice as much. */
const DIGITS = '[0-9a-f]'.repeat(HASH_DIGITS);
const ANY = '[^]'.repeat(HASH_DIGITS);
/**
 * Metadata as the ledger writes them, in one look: printable ASCII, the names in their order, which is canonical JSON and keeps the
 * rules. `hash` and `previousHash` are let through, since they are compared with hashes.
 */
const USUAL = new RegExp(
  `^\\{"\\$causationId":"(${PLAIN})","\\$correlationId":"${PLAIN}","actor":"${PLAIN}"(?:,"client":"${PLAIN}")?(?:,"contentHash":"${DIGITS}")?` +
    `,"hash":"${ANY}"(?:,"key":"[!#-[\\]-~]{1,200}")?,"previousHash":"${ANY}","requestId":"\\1","role":"${PLAIN}","schema":"1"(?:,"traceparent":"${PLAIN}")?\\}$`,
);
const CONTENT_HASH_FIELD = ',"contentHash":"';
const HASH_FIELD = ',"hash":"';
const KEY_FIELD = ',"key":"';
const PREVIOUS_HASH_FIELD = ',"previousHash":"';

/**
 * The quick way, which only ever says yes: it answers when the event is one that the ledger writes and everything holds. Else it leaves
 * `link` alone, and the other way says what is wrong.
 */
function usualLink(link: Link, { revision, id, type, data, metadata }: Omit<StoredEvent, 'position'>): Envelope | undefined {
  if (!link.sound || revision !== link.revision + 1 || !USUAL.test(metadata)) return undefined;
  // No text before these fields holds a quotation mark, so the first place that looks like one is it.
  const hashAt = metadata.indexOf(HASH_FIELD);
  const behindHash = hashAt + HASH_FIELD.length + HASH_DIGITS + 1;
  const previousAt = metadata.indexOf(PREVIOUS_HASH_FIELD, behindHash);
  if (!metadata.startsWith(link.hash, previousAt + PREVIOUS_HASH_FIELD.length)) return undefined;
  const unhashed = metadata.slice(0, hashAt) + metadata.slice(behindHash);
  const wanted = sha256(`${link.hash}{"data":${data},"metadata":${unhashed},"revision":${revision},"type":"${type}"}`);
  if (!metadata.startsWith(wanted, hashAt + HASH_FIELD.length) || id !== idOf(wanted)) return undefined;
  const contentAt = hashAt - 1 - HASH_DIGITS;
  const hasContentHash = metadata.startsWith(CONTENT_HASH_FIELD, contentAt - CONTENT_HASH_FIELD.length);
  const hasKey = previousAt > behindHash;
  if (hasKey !== hasContentHash || (hasKey && BESIDE.has(type as EventType))) return undefined;
  link.revision = revision;
  link.hash = wanted;
  if (!hasKey) return UNKEYED;
  const key = metadata.slice(behindHash + KEY_FIELD.length, previousAt - 1);
  return { key, contentHash: metadata.slice(contentAt, contentAt + HASH_DIGITS) };
}

export const UNKEYED: Envelope = { key: undefined, contentHash: undefined };

/** The way that says what is wrong; of what the quick way says yes to it says the same. */
export function unusualLink(link: Link, { revision, id, type, data, metadata }: Omit<StoredEvent, 'position'>, fault: Fault): Envelope {
  if (revision !== link.revision + 1) fault('revision', 'the revision', link.revision + 1, revision);
  const found = unusualOf(metadata, type, fault);
  if (found.causationId !== found.requestId) fault('metadata', '$causationId', found.requestId, found.causationId);
  if (found.previousHash !== link.hash) fault('previous-hash', 'previousHash', link.hash, found.previousHash);
  const wanted = sha256(`${found.previousHash}{"data":${data},"metadata":${found.unhashed},"revision":${revision},"type":"${type}"}`);
  if (found.hash !== wanted) fault('hash', 'hash', wanted, found.hash);
  const wantedId = idOf(found.hash);
  if (id !== wantedId) fault('id', 'the id', wantedId, id);
  link.revision = revision;
  link.hash = found.hash;
  link.sound = HASH.test(found.hash);
  return found;
}

interface Found extends Envelope {
  requestId: string;
  causationId: string;
  previousHash: string;
  hash: string;
  /** The metadata as they are hashed: without `hash`. */
  unhashed: string;
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
export const sha256OfBytes = (bytes: Buffer): string => digest('sha256', bytes, 'hex');

/** 5b3d9a52-6f0e-4c63-9a0b-2f1c7d5e8a41, and room for a hash. */
const NAMED = Buffer.alloc(16 + 64);
NAMED.write('5b3d9a526f0e4c639a0b2f1c7d5e8a41', 'hex');

/** RFC 9562, section 5.5, of a hash in 64 hexadecimal digits. */
export function idOf(hash: string): string {
  NAMED.fill(0, 16);
  const digits = namedDigest(hash);
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-5${digits.slice(13, 16)}-${variantOf(digits.charAt(16))}${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}

/** SHA-1 of the namespace and a hash, in hexadecimal digits. */
export const namedDigest = (hash: string): string => {
  NAMED.write(hash, 16, 'latin1');
  return digest('sha1', NAMED, 'hex');
};

/** The high digit of the ninth byte, with the variant in its two high bits. */
export const variantOf = (digit: string): string => '89ab'.charAt(parseInt(digit, 16) & 0b0011);
