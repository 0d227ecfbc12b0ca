import { createHash, verify } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { BUCKETS, type EarlierEntries } from '../verify/entries';
import type { Earlier, Summary } from '../verify/kept';
import { parsed } from '../verify/chain';
import type { Certificate } from './certificate';
import { publicKeyFrom } from './keys';
import { type Header, headerOf, SIGNATURE_BYTES, STATE_FORMATS, statePath } from './state-file';

/** The state file beside a certificate, held open until it is closed: what is under its name may change meanwhile. */

/** Why there is no state to go on from. */
export type NoState = { unusable: string } | { fault: string };

/** `certificate` is to be trusted; the state must be its own, signed by its key. */
export function readState(path: string, { statement, signature }: Certificate): StateFile | NoState {
  const name = statePath(path);
  let handle: number;
  try {
    // A pipe that nobody writes to would be waited for.
    handle = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return { unusable: `there is no state file ${name} that can be read (${(error as NodeJS.ErrnoException).code})` };
  }
  if (!fstatSync(handle).isFile()) {
    closeSync(handle);
    return { unusable: `${name} is no file` };
  }
  const file = new StateFile(handle);
  const refused = (why: NoState): NoState => {
    file.close();
    return why;
  };
  const { format, certificate, byteOrder, shapes } = file.header;
  const wanted = headerOf(statement);
  if (typeof format !== 'string' || !format.startsWith(STATE_FORMATS)) return refused({ fault: 'it does not begin as a state file does' });
  if (format !== wanted.format || byteOrder !== wanted.byteOrder || shapes !== wanted.shapes)
    return refused({ unusable: `the state file ${name} was written by another version of this program` });
  if (!file.isSignedBy(Buffer.from(signature.publicKey, 'base64url')))
    return refused({ fault: 'its signature does not fit: it is damaged, was changed, or was signed by another key' });
  if (certificate !== wanted.certificate) return refused({ fault: 'it belongs to another certificate' });
  return file;
}

const CHUNK_BYTES = 1024 * 1024;

export class StateFile implements Earlier {
  readonly header: Partial<Header>;
  readonly entries: EarlierEntries;
  private readonly size: number;
  private summaryFrom = 0;
  private known: { summary: Summary; end: number } | undefined;
  /** Where each bucket of entries begins, and where the last one ends. */
  private bucketsFrom: number[] = [];

  constructor(private readonly handle: number) {
    this.size = Math.max(0, fstatSync(handle).size - SIGNATURE_BYTES);
    this.header = this.readHeader();
    this.entries = {
      bytesIn: (bucket) => this.bucketsFrom[bucket + 1]! - this.bucketsFrom[bucket]!,
      wordsIn: (bucket) => this.wordsFrom(this.bucketsFrom[bucket]!, this.bucketsFrom[bucket + 1]!),
    };
  }

  isSignedBy(raw: Buffer): boolean {
    const key = publicKeyFrom(raw);
    const digest = createHash('sha256');
    for (const chunk of this.chunks(0, this.size)) digest.update(chunk);
    const signature = Buffer.alloc(SIGNATURE_BYTES);
    readSync(this.handle, signature, 0, SIGNATURE_BYTES, this.size);
    return key !== undefined && verify(null, digest.digest(), key, signature);
  }

  /** Whatever is in the file: it may be anything. */
  private readHeader(): Partial<Header> {
    const [start] = this.chunks(0, Math.min(this.size, HEADER_BYTES_MAX));
    const end = start?.indexOf(BREAK) ?? -1;
    this.summaryFrom = end + 1;
    const header = parsed(start?.subarray(0, end).toString() ?? '');
    return typeof header === 'object' && header !== null ? header : {};
  }

  get summary(): Summary {
    return this.readSummary().summary;
  }

  private readSummary(): { summary: Summary; end: number } {
    if (this.known) return this.known;
    const [line] = this.lines(this.summaryFrom);
    return (this.known = { summary: JSON.parse(line!.text) as Summary, end: line!.end });
  }

  /** Behind the last one the entries are known. */
  *states(): Generator<string> {
    for (const { text, end } of this.lines(this.readSummary().end)) {
      const lengths = text.startsWith('["') ? undefined : (JSON.parse(text) as number[]);
      if (!lengths) {
        yield text;
        continue;
      }
      this.bucketsFrom = [end];
      for (let bucket = 0; bucket < BUCKETS; bucket += 1) this.bucketsFrom.push(this.bucketsFrom[bucket]! + lengths[bucket]!);
      return;
    }
  }

  close(): void {
    closeSync(this.handle);
  }

  /** Each with the place behind its end. */
  private *lines(from: number): Generator<{ text: string; end: number }> {
    let begun: Buffer[] = [];
    let at = from;
    for (const chunk of this.chunks(from, this.size)) {
      let start = 0;
      for (let end = chunk.indexOf(BREAK); end >= 0; end = chunk.indexOf(BREAK, start)) {
        const text = Buffer.concat([...begun, chunk.subarray(start, end)]).toString();
        begun = [];
        start = end + 1;
        yield { text, end: at + start };
      }
      begun.push(Buffer.from(chunk.subarray(start)));
      at += chunk.length;
    }
  }

  private *wordsFrom(from: number, to: number): Generator<Uint32Array> {
    // Its memory begins where a word may begin; an entry never lies across two chunks.
    for (const chunk of this.chunks(from, to, CHUNK_WORDS * 4)) yield new Uint32Array(chunk.buffer, 0, chunk.length / 4);
  }

  /** In memory that the next one uses again. */
  private *chunks(from: number, to: number, bytesMax = CHUNK_BYTES): Generator<Buffer> {
    const buffer = Buffer.from(new ArrayBuffer(bytesMax));
    for (let at = from; at < to;) {
      const wanted = Math.min(bytesMax, to - at);
      let got = 0;
      while (got < wanted) {
        const bytes = readSync(this.handle, buffer, got, wanted - got, at + got);
        if (bytes === 0) throw new Error('The state file became shorter while it was read.');
        got += bytes;
      }
      at += got;
      yield buffer.subarray(0, got);
    }
  }
}

const HEADER_BYTES_MAX = 1024;
const BREAK = 10;
const CHUNK_WORDS = 6 * 16 * 1024;
