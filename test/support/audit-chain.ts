import { createHash } from 'node:crypto';
import type { Auditing } from './audit';
import type { StoredRow } from './stored-rows';

/** The namespace that docs/events/README.md publishes, written here a second time: were the code's changed, old ids would not match. */
const NAMESPACE = Buffer.from('5b3d9a526f0e4c639a0b2f1c7d5e8a41', 'hex');

/** Checks what docs/events/README.md says of the chain: revisions, hashes, ids, canonical JSON, and that time never goes back. */
export class ChainAudit implements Auditing {
  private readonly ends = new Map<string, { revision: number; hash: string; at: string }>();
  private position = 0;

  add(row: StoredRow, fault: (sentence: string) => void): void {
    const { stream, revision, id, type, data, metadata, event } = row;
    const before = this.ends.get(stream) ?? { revision: -1, hash: sha256(stream), at: '' };
    if (row.position <= this.position) fault(`has position ${row.position} behind ${this.position}`);
    if (revision !== before.revision + 1) fault(`follows revision ${before.revision}`);
    if (metadata.previousHash !== before.hash) fault('does not name the hash of the event before it');
    const { hash = '', ...others } = metadata;
    const wanted = sha256(`${before.hash}{"data":${data},"metadata":${sorted(others)},"revision":${revision},"type":"${type}"}`);
    if (hash !== wanted) fault('does not have the hash of its content');
    if (id !== uuidV5(hash)) fault('does not have the id of its hash');
    if (data !== sorted(JSON.parse(data))) fault('is not stored as canonical JSON');
    if (Object.values(metadata).some((value) => typeof value !== 'string')) fault('has metadata that is no string');
    const { at } = event.data;
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at)) fault(`has the instant ${at}`);
    if (at < before.at) fault(`is of ${at}, before the event ahead of it (${before.at})`);
    this.ends.set(stream, { revision, hash, at });
    this.position = row.position;
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** RFC 4122, version 5: SHA-1 of the namespace and the name. */
function uuidV5(name: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Canonical JSON of what the ledger stores: integers, texts, lists and objects, with the keys in the order of UTF-16. */
function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${sorted(each)}`).join(',')}}`;
}
