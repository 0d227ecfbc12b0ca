import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What must be unique, or have a counterpart elsewhere, for ever: idempotency keys, payment references, generated ids, bills, usages
 * and their reversals, lines of allocations and their receipts. A store has more of them than memory holds, so each is a fingerprint
 * of 64 bits and a position, in buckets that go to a temporary file when they are many. At the end each bucket is grouped by itself.
 * Equal entries always have equal fingerprints, so nothing is missed; where fingerprints are equal the events themselves are read
 * again and compared, so nothing is reported that is not so.
 */

export const KINDS = ['key', 'payment', 'id', 'bill', 'usage', 'reversal', 'line', 'received'] as const;
export type EntryKind = (typeof KINDS)[number];
/** A reversal meets its usage, a receipt its line: they are fingerprinted under one name. */
const FAMILY: Readonly<Record<EntryKind, string>> = {
  key: 'key',
  payment: 'payment',
  id: 'id',
  bill: 'bill',
  usage: 'usage',
  reversal: 'usage',
  line: 'line',
  received: 'line',
};

export interface Entry {
  kind: EntryKind;
  position: number;
  extra: number;
}

const WORDS = 6;
const BUCKETS = 64;
const CHUNK_WORDS = 1_024 * WORDS;
/** 96 MiB; what comes after it goes to files. */
const KEPT_WORDS_MAX = 24 * 1_024 * 1_024;
const HIGH = 2 ** 32;

/** Two numbers that start every fingerprint of one run, so that nobody can prepare entries that collide. */
export type Seed = readonly [number, number];
export const newSeed = (): Seed => [randomBytes(4).readUInt32LE(), randomBytes(4).readUInt32LE()];

export class EntryLog {
  private readonly open = Array.from({ length: BUCKETS }, () => ({ words: new Uint32Array(CHUNK_WORDS), used: 0 }));
  private readonly full: Uint32Array[][] = Array.from({ length: BUCKETS }, () => []);
  private readonly starts: Map<EntryKind, Seed>;
  private kept = 0;
  private folder: string | undefined;

  constructor(seed: Seed) {
    this.starts = new Map(KINDS.map((kind) => [kind, mixed(seed, FAMILY[kind])]));
  }

  /** `parts` name the entry together. `extra` is a whole number below 2^49. */
  add(kind: EntryKind, position: number, extra: number, ...parts: string[]): void {
    let [low, high] = this.starts.get(kind)!;
    for (const part of parts) {
      for (let index = 0; index < part.length; index += 1) {
        const unit = part.charCodeAt(index);
        low = Math.imul(low ^ unit, 2_654_435_761);
        high = Math.imul(high ^ unit, 1_597_334_677);
      }
      low = Math.imul(low ^ (low >>> 16) ^ 0x10000, 2_246_822_507);
      high = Math.imul(high ^ (high >>> 13) ^ 0x10000, 3_266_489_909);
    }
    low = (low ^ (high >>> 15)) >>> 0;
    high = (high ^ (low >>> 14)) >>> 0;
    this.put(low, high, position, extra, KINDS.indexOf(kind));
  }

  /** All that another log holds; it is empty then. */
  take(chunks: Uint32Array[][]): void {
    chunks.forEach((some, bucket) => {
      for (const chunk of some) this.keep(bucket, chunk);
    });
  }

  /** The buckets as they are, for `take` of another log. */
  chunks(): Uint32Array[][] {
    return this.open.map(({ words, used }, bucket) => [...this.read(bucket), ...this.full[bucket]!, words.slice(0, used)]);
  }

  /** Calls with the entries of every fingerprint, in the order of their positions. */
  async groups(judge: (entries: readonly Entry[]) => Promise<void> | undefined): Promise<void> {
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const { words, used } = this.open[bucket]!;
      const chunks = [...this.read(bucket), ...this.full[bucket]!, words.subarray(0, used)];
      this.full[bucket] = [];
      await grouped(chunks, judge);
    }
  }

  close(): void {
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
  }

  private put(low: number, high: number, position: number, extra: number, kind: number): void {
    const bucket = low & (BUCKETS - 1);
    const chunk = this.open[bucket]!;
    const { words, used } = chunk;
    words[used] = low;
    words[used + 1] = high;
    words[used + 2] = position;
    words[used + 3] = position / HIGH;
    words[used + 4] = extra;
    words[used + 5] = Math.floor(extra / HIGH) * KINDS.length + kind;
    chunk.used += WORDS;
    if (chunk.used < CHUNK_WORDS) return;
    chunk.words = new Uint32Array(CHUNK_WORDS);
    chunk.used = 0;
    this.keep(bucket, words);
  }

  private keep(bucket: number, words: Uint32Array): void {
    if (words.length === 0) return;
    this.full[bucket]!.push(words);
    this.kept += words.length;
    if (this.kept > KEPT_WORDS_MAX) this.spill();
  }

  private spill(): void {
    this.folder ??= mkdtempSync(join(tmpdir(), 'ledger-audit-'));
    this.full.forEach((chunks, bucket) => {
      const file = openSync(this.file(bucket), 'a', 0o600);
      for (const chunk of chunks) writeSync(file, Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      closeSync(file);
      this.full[bucket] = [];
    });
    this.kept = 0;
  }

  private read(bucket: number): Uint32Array[] {
    if (this.folder === undefined) return [];
    const file = openSync(this.file(bucket), 'r');
    const chunks: Uint32Array[] = [];
    for (;;) {
      const chunk = new Uint32Array(CHUNK_WORDS);
      const bytes = readSync(file, new Uint8Array(chunk.buffer));
      if (bytes === 0) break;
      chunks.push(chunk.subarray(0, bytes / 4));
    }
    closeSync(file);
    return chunks;
  }

  private file(bucket: number): string {
    return join(this.folder ?? '', `bucket-${bucket}`);
  }
}

function mixed([low, high]: Seed, text: string): Seed {
  let [a, b] = [low, high];
  for (const character of text) {
    a = Math.imul(a ^ character.charCodeAt(0), 2_654_435_761);
    b = Math.imul(b ^ character.charCodeAt(0), 1_597_334_677);
  }
  return [a, b];
}

/** One bucket: entries with the same fingerprint are chained through a table of open addresses. */
async function grouped(chunks: readonly Uint32Array[], judge: (entries: readonly Entry[]) => Promise<void> | undefined): Promise<void> {
  const all = new Uint32Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const chunk of chunks) {
    all.set(chunk, end);
    end += chunk.length;
  }
  const count = all.length / WORDS;
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, count * 2)));
  const heads = new Int32Array(size).fill(-1);
  const next = new Int32Array(count).fill(-1);
  for (let entry = 0; entry < count; entry += 1) {
    const [low, high] = [all[entry * WORDS]!, all[entry * WORDS + 1]!];
    let place = (high ^ (low >>> 6)) & (size - 1);
    for (; heads[place]! >= 0; place = (place + 1) & (size - 1)) {
      const first = heads[place]! * WORDS;
      if (all[first] === low && all[first + 1] === high) break;
    }
    next[entry] = heads[place]!;
    heads[place] = entry;
  }
  for (const head of heads) {
    if (head < 0) continue;
    // A single entry of these kinds needs nobody.
    if (next[head]! < 0 && NEEDS_NOBODY[all[head * WORDS + 5]! % KINDS.length]) continue;
    const entries: Entry[] = [];
    for (let entry = head; entry >= 0; entry = next[entry]!) entries.push(entryAt(all, entry * WORDS));
    const waiting = judge(entries.sort((a, b) => a.position - b.position));
    if (waiting) await waiting;
  }
}

const NEEDS_NOBODY = KINDS.map((kind) => kind !== 'reversal' && kind !== 'received');

const entryAt = (all: Uint32Array, from: number): Entry => ({
  kind: KINDS[all[from + 5]! % KINDS.length]!,
  position: all[from + 2]! + all[from + 3]! * HIGH,
  extra: all[from + 4]! + Math.floor(all[from + 5]! / KINDS.length) * HIGH,
});
