/**
 * The log on disk: frames of `magic, body bytes, crc32, body`, one frame per append, so that an append is there whole or not
 * at all. The position of an event is the offset of its record in the file, as a real log position is. This file imports
 * nothing of gRPC, so tests read the server's own file with it, beside a client in the same process.
 */
import { closeSync, fsync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

export interface LoggedEvent {
  /** Offset of the record in the file; commit and prepare position alike. */
  position: number;
  stream: string;
  /** TOMBSTONE for the event that ends a stream for ever. */
  revision: number;
  id: string;
  type: string;
  json: boolean;
  data: Uint8Array;
  metadata: Uint8Array;
  /** Milliseconds since 1970. */
  created: number;
}

export type Draft = Omit<LoggedEvent, 'position'>;

interface RecordHead {
  s: string;
  r: number;
  i: string;
  t: string;
  j: 0 | 1;
  c: number;
  d: number;
  m: number;
}

export const LOG_NAME = 'events.log';
export const TOMBSTONE = Number.MAX_SAFE_INTEGER;

const MAGIC = 0x45534442;
const FRAME_HEAD_BYTES = 12;
/** Over it a frame is not one of ours; the largest append is 16 MiB plus heads. */
const FRAME_MAX_BYTES = 64 * 1024 * 1024;

export class LogFile {
  private end = 0;
  /** Who waits for the flush under way, and who came after it began. */
  private flushing: (() => void)[] | undefined;
  private waiting: (() => void)[] = [];

  private constructor(
    private readonly descriptor: number,
    private readonly durable: boolean,
  ) {}

  /** Opens or makes the log of a folder, gives every stored event to `seen`, and cuts off a tail that a kill has torn. */
  static open(folder: string, durable: boolean, seen: (event: LoggedEvent) => void): LogFile {
    mkdirSync(folder, { recursive: true });
    const descriptor = openSync(join(folder, LOG_NAME), 'a+');
    const file = new LogFile(descriptor, durable);
    file.end = readFrames(descriptor, seen);
    if (fstatSync(descriptor).size > file.end) ftruncateSync(descriptor, file.end);
    return file;
  }

  /** Where the next frame begins. */
  get endPosition(): number {
    return this.end;
  }

  /** Writes one append. It is in the hands of the operating system when this returns: a SIGKILL loses nothing of it. */
  append(drafts: readonly Draft[]): LoggedEvent[] {
    let position = this.end + FRAME_HEAD_BYTES;
    const parts: Uint8Array[] = [];
    const events = drafts.map((draft) => {
      const record = recordOf(draft);
      const event = { ...draft, position };
      parts.push(...record);
      position += record.reduce((bytes, part) => bytes + part.byteLength, 0);
      return event;
    });
    const body = Buffer.concat(parts);
    const head = Buffer.alloc(FRAME_HEAD_BYTES);
    head.writeUInt32LE(MAGIC, 0);
    head.writeUInt32LE(body.length, 4);
    head.writeUInt32LE(crc32(body), 8);
    const frame = Buffer.concat([head, body]);
    for (let written = 0; written < frame.length;) written += writeSync(this.descriptor, frame, written);
    this.end += frame.length;
    return events;
  }

  /**
   * Calls it when everything appended so far is on the disk: at once in a log that is not durable. Appends that come while the disk
   * is busy share the next flush, as those of a real server do.
   */
  whenDurable(then: () => void): void {
    if (!this.durable) return then();
    this.waiting.push(then);
    if (!this.flushing) this.flush();
  }

  private flush(): void {
    this.flushing = this.waiting;
    this.waiting = [];
    fsync(this.descriptor, (error) => {
      // A disk that takes nothing more is no place to go on from.
      if (error) throw error;
      for (const then of this.flushing ?? []) then();
      this.flushing = undefined;
      if (this.waiting.length > 0) this.flush();
    });
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/** Every event of a server's folder, in the order of the log; the server may be running. */
export function readLog(folder: string): LoggedEvent[] {
  const descriptor = openSync(join(folder, LOG_NAME), 'r');
  try {
    const events: LoggedEvent[] = [];
    readFrames(descriptor, (event) => events.push(event));
    return events;
  } finally {
    closeSync(descriptor);
  }
}

/** Gives every whole frame's events to `seen`, and answers where the first torn one begins, or the end. */
function readFrames(descriptor: number, seen: (event: LoggedEvent) => void): number {
  const { size } = fstatSync(descriptor);
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  let at = 0;
  while (at + FRAME_HEAD_BYTES <= size) {
    readSync(descriptor, head, 0, FRAME_HEAD_BYTES, at);
    const bytes = head.readUInt32LE(4);
    if (head.readUInt32LE(0) !== MAGIC || bytes > FRAME_MAX_BYTES || at + FRAME_HEAD_BYTES + bytes > size) break;
    const body = Buffer.alloc(bytes);
    readSync(descriptor, body, 0, bytes, at + FRAME_HEAD_BYTES);
    if (crc32(body) !== head.readUInt32LE(8)) break;
    for (const event of eventsOf(body, at + FRAME_HEAD_BYTES)) seen(event);
    at += FRAME_HEAD_BYTES + bytes;
  }
  return at;
}

function recordOf({ stream, revision, id, type, json, created, data, metadata }: Draft): Uint8Array[] {
  const head: RecordHead = { s: stream, r: revision, i: id, t: type, j: json ? 1 : 0, c: created, d: data.length, m: metadata.length };
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return [length, text, data, metadata];
}

function* eventsOf(body: Buffer, bodyPosition: number): Generator<LoggedEvent> {
  for (let at = 0; at < body.length;) {
    const position = bodyPosition + at;
    const headEnd = at + 4 + body.readUInt32LE(at);
    const head = JSON.parse(body.toString('utf8', at + 4, headEnd)) as RecordHead;
    const dataEnd = headEnd + head.d;
    at = dataEnd + head.m;
    yield {
      position,
      stream: head.s,
      revision: head.r,
      id: head.i,
      type: head.t,
      json: head.j === 1,
      created: head.c,
      data: body.subarray(headEnd, dataEnd),
      metadata: body.subarray(dataEnd, at),
    };
  }
}
