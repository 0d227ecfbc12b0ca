import { createRequire } from 'node:module';

/**
 * kafkajs encodes every header of every record in a buffer of its own: with the twenty headers of an event that is 80 us an event,
 * half of what a whole core can do at 15,000 events/s. This is the same encoding into one buffer, put in the place of kafkajs' own
 * function. It is used with the very version that it was compared with, byte for byte (fast-records.spec.ts), and else not at all.
 */

export const COMPARED_VERSION = '2.2.4';
const RECORD_MODULE = 'kafkajs/src/protocol/recordBatch/record/v0';

type Bytes = string | Buffer;
type Headers = Readonly<Record<string, Bytes | readonly Bytes[] | undefined>>;

export interface RecordToEncode {
  offsetDelta?: number;
  timestampDelta?: number;
  key?: Bytes | null;
  value?: Bytes | null;
  headers?: Headers;
}

/** What kafkajs asks of an encoded record: the bytes, under both names that its encoder has. */
export interface EncodedRecord {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

/** Names of headers are few; their bytes with the length before them are kept. */
const NAMES_MAX = 256;
const names = new Map<string, Buffer>();

/** Makes kafkajs use `encodeRecord`. Must be called before anything is sent. @returns false when this kafkajs is another version */
export function useFastRecords(): boolean {
  const load = createRequire(__filename);
  if ((load('kafkajs/package.json') as { version: string }).version !== COMPARED_VERSION) return false;
  load(RECORD_MODULE);
  const cached = load.cache[load.resolve(RECORD_MODULE)];
  if (!cached) return false;
  cached.exports = encodeRecord;
  return true;
}

/** Format v2: length, attributes, timestamp and offset behind the batch's, key, value, headers. */
export function encodeRecord({ offsetDelta = 0, timestampDelta = 0, key, value, headers = {} }: RecordToEncode): EncodedRecord {
  const fields = Object.keys(headers);
  const keySize = sizeOf(key);
  const valueSize = sizeOf(value);
  let count = 0;
  let body = 1 + longSize(timestampDelta) + intSize(offsetDelta) + sized(keySize) + sized(valueSize);
  for (const name of fields) {
    const texts = headers[name] as Bytes | readonly Bytes[];
    if (Array.isArray(texts)) for (const one of texts as readonly Bytes[]) body += nameBytes(name).length + sized(sizeOf(one));
    else body += nameBytes(name).length + sized(sizeOf(texts as Bytes));
    count += Array.isArray(texts) ? texts.length : 1;
  }
  body += intSize(count);
  const buffer = Buffer.allocUnsafe(intSize(body) + body);
  let at = writeInt(buffer, 0, body);
  buffer[at++] = 0;
  at = writeLong(buffer, at, timestampDelta);
  at = writeInt(buffer, at, offsetDelta);
  at = writeBytes(buffer, at, key, keySize);
  at = writeBytes(buffer, at, value, valueSize);
  at = writeInt(buffer, at, count);
  for (const name of fields) {
    const texts = headers[name] as Bytes | readonly Bytes[];
    if (Array.isArray(texts)) for (const one of texts as readonly Bytes[]) at = writeField(buffer, at, name, one);
    else at = writeField(buffer, at, name, texts as Bytes);
  }
  return { buf: buffer, buffer };
}

function writeField(buffer: Buffer, at: number, name: string, text: Bytes): number {
  const bytes = nameBytes(name);
  buffer.set(bytes, at);
  return writeBytes(buffer, at + bytes.length, text, sizeOf(text));
}

function nameBytes(name: string): Buffer {
  const known = names.get(name);
  if (known) return known;
  const size = Buffer.byteLength(name);
  const bytes = Buffer.alloc(intSize(size) + size);
  bytes.write(name, writeInt(bytes, 0, size));
  if (names.size < NAMES_MAX) names.set(name, bytes);
  return bytes;
}

/** -1 stands for no bytes at all. */
const sizeOf = (bytes: Bytes | null | undefined): number =>
  bytes === null || bytes === undefined ? -1 : typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
const sized = (size: number): number => intSize(size) + Math.max(0, size);

function writeBytes(buffer: Buffer, at: number, bytes: Bytes | null | undefined, size: number): number {
  const begin = writeInt(buffer, at, size);
  if (size <= 0) return begin;
  if (typeof bytes === 'string') buffer.write(bytes, begin, size, 'utf8');
  else buffer.set(bytes!, begin);
  return begin + size;
}

const zigZag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0;

function intSize(value: number): number {
  let rest = zigZag(value);
  let size = 1;
  for (; rest > 0x7f; rest >>>= 7) size += 1;
  return size;
}

function writeInt(buffer: Buffer, at: number, value: number): number {
  let rest = zigZag(value);
  for (; rest > 0x7f; rest >>>= 7) buffer[at++] = (rest & 0x7f) | 0x80;
  buffer[at++] = rest;
  return at;
}

/** Time differences within a batch are nearly always 0; beyond 31 bits they take the slow way. */
const SMALL = 0x3fffffff;

function longSize(value: number): number {
  if (value >= 0 && value <= SMALL) return intSize(value);
  let size = 1;
  for (let rest = zigZag64(value); rest > 0x7fn; rest >>= 7n) size += 1;
  return size;
}

function writeLong(buffer: Buffer, at: number, value: number): number {
  if (value >= 0 && value <= SMALL) return writeInt(buffer, at, value);
  let rest = zigZag64(value);
  for (; rest > 0x7fn; rest >>= 7n) buffer[at++] = Number(rest & 0x7fn) | 0x80;
  buffer[at++] = Number(rest);
  return at;
}

const zigZag64 = (value: number): bigint => BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
