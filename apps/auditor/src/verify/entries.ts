import { type EntryKind, KINDS, WORDS } from './entry';
import { appendRun, bytesOfBucket, closeEntryFile, type EntryFile, newEntryFile, wordsOfBucket } from './entry-file';
import { grouped, type Judge } from './entry-groups';
import { Fingerprint, HIGH, mixed, type Seed } from './fingerprint';

/**
 * What must be unique, or have a counterpart elsewhere, for ever: idempotency keys, payment references, generated ids, bills, usages
 * and their reversals, lines of allocations and their receipts. A store has more of them than memory holds, so each is a fingerprint
 * of 64 bits and a position, in buckets that go to a temporary file when they are many. At the end each bucket is grouped by itself.
 * Equal entries always have equal fingerprints, so nothing is missed; where fingerprints are equal the events themselves are read
 * again and compared, so nothing is reported that is not so.
 */

/** A reversal and what it returns meet their usage, a receipt its line: they are fingerprinted under one name. */
const FAMILY: Readonly<Record<EntryKind, string>> = {
  key: 'key',
  payment: 'payment',
  id: 'id',
  bill: 'bill',
  usage: 'usage',
  reversal: 'usage',
  returned: 'usage',
  line: 'line',
  received: 'line',
};

const KIND_NUMBERS = Object.fromEntries(KINDS.map((kind, number) => [kind, number])) as Readonly<Record<EntryKind, number>>;
export const BUCKETS = 64;
const CHUNK_WORDS = 1_024 * WORDS;
/** 96 MiB; what comes after it goes to files. */
const KEPT_WORDS_MAX = 24 * 1_024 * 1_024;

/** What an earlier audit has entered and judged; this one goes on with it. */
export interface EarlierEntries {
  /** Of a bucket. */
  bytesIn(bucket: number): number;
  /** Run by run. */
  wordsIn(bucket: number): Iterable<Uint32Array>;
}

/** The entries of one log on their way to another. */
export interface Handed {
  files: EntryFile[];
  /** Of every bucket. */
  chunks: Uint32Array[][];
}

export class EntryLog {
  private readonly open = Array.from({ length: BUCKETS }, () => ({ words: new Uint32Array(CHUNK_WORDS), used: 0 }));
  private readonly full: Uint32Array[][] = Array.from({ length: BUCKETS }, () => []);
  private readonly starts: Readonly<Record<EntryKind, Seed>>;
  private kept = 0;
  /** Where this log writes; those of the logs whose entries it has taken are `files` too. */
  private file: EntryFile | undefined;
  private readonly files: EntryFile[] = [];
  private readonly print = new Fingerprint();

  /** Entries are kept in memory up to so many words; what comes after them goes to a file. */
  constructor(
    readonly seed: Seed,
    private readonly keptWordsMax = KEPT_WORDS_MAX,
    private readonly earlier: EarlierEntries = NONE_EARLIER,
  ) {
    this.starts = Object.fromEntries(KINDS.map((kind) => [kind, mixed(seed, FAMILY[kind])])) as Record<EntryKind, Seed>;
  }

  /** `parts` name the entry together. `extra` is a whole number below 2^49. */
  add(kind: EntryKind, position: number, extra: number, ...parts: string[]): void {
    const { print } = this;
    print.start(this.starts[kind]);
    for (const part of parts) print.text(part);
    print.end();
    this.put(print.low, print.high, position, extra, KIND_NUMBERS[kind]);
  }

  /** Whether an entry of these parts has this fingerprint. */
  isUnder([low, high]: Seed, kind: EntryKind, ...parts: string[]): boolean {
    const { print } = this;
    print.start(this.starts[kind]);
    for (const part of parts) print.text(part);
    print.end();
    return print.low === low && print.high === high;
  }

  /** The same of an entry whose last part is ASCII that lies in bytes; its other parts have been taken in by `begun`. */
  addAscii(kind: EntryKind, position: number, extra: number, begun: Seed, bytes: Uint8Array, from: number, to: number): void {
    const { print } = this;
    print.start(begun);
    print.ascii(bytes, from, to);
    print.end();
    this.put(print.low, print.high, position, extra, KIND_NUMBERS[kind]);
  }

  /** The start of the entries of a kind, with the parts that many of them begin with. */
  begun(kind: EntryKind, ...parts: string[]): Seed {
    this.print.start(this.starts[kind]);
    for (const part of parts) this.print.text(part);
    return [this.print.low, this.print.high];
  }

  /** Begins a digest of what two entries must agree in; its `extra` is one. */
  digest(): Fingerprint {
    this.print.start(this.seed);
    return this.print;
  }

  /** All that another log held; this one looks after its files from now on. */
  take({ files, chunks }: Handed): void {
    this.files.push(...files);
    chunks.forEach((some, bucket) => {
      for (const chunk of some) this.keep(bucket, chunk);
    });
  }

  /** All that is in this log, for `take` of another one, which may be in another thread: what is in files stays there. */
  handOver(): Handed {
    const chunks = this.open.map(({ words, used }, bucket) => [...this.full[bucket]!, words.slice(0, used)]);
    return { files: this.files.splice(0), chunks };
  }

  /** Calls with the entries of every fingerprint that came in here, and with those that an earlier audit has of it. */
  async groups(judge: Judge): Promise<void> {
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) await grouped(this.freshIn(bucket), this.earlier.wordsIn(bucket), judge);
  }

  /** All of a bucket, run by run: those of the earlier audit and those that came in here. */
  *wordsIn(bucket: number): Generator<Uint32Array> {
    yield* this.earlier.wordsIn(bucket);
    yield* this.freshIn(bucket);
  }

  /** How many bytes those are. */
  bytesIn(bucket: number): number {
    const filed = this.files.reduce((sum, file) => sum + bytesOfBucket(file, bucket), 0);
    const kept = this.full[bucket]!.reduce((sum, { length }) => sum + length, this.open[bucket]!.used);
    return this.earlier.bytesIn(bucket) + filed + kept * Uint32Array.BYTES_PER_ELEMENT;
  }

  close(): void {
    for (const file of this.files.splice(0)) closeEntryFile(file);
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
    if (this.kept > this.keptWordsMax) this.spill();
  }

  private spill(): void {
    if (this.file === undefined) this.files.push((this.file = newEntryFile(BUCKETS)));
    const { file } = this;
    this.full.forEach((chunks, bucket) => {
      appendRun(file, bucket, chunks);
      this.full[bucket] = [];
    });
    this.kept = 0;
  }

  private *freshIn(bucket: number): Generator<Uint32Array> {
    for (const file of this.files) yield* wordsOfBucket(file, bucket);
    yield* this.full[bucket]!;
    const { words, used } = this.open[bucket]!;
    yield words.subarray(0, used);
  }
}

const NONE_EARLIER: EarlierEntries = { bytesIn: () => 0, wordsIn: () => [] };
