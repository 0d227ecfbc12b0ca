import { DamagedRow, unusable } from './fault';

/**
 * Many rows as one run of bytes: handing over rows or values one by one costs as much as reading them. Each row says first how long its
 * texts are, so nothing in them can be taken for the next row.
 */

/** The columns of a page's rows, in the order in which `next` takes them apart; `data` and `metadata` are SQL for what to give of them. */
export const packedRow = (data: string, metadata: string): string => {
  const numbers = ['position', 'stream', 'revision', 'previous', 'octet_length(id)', 'octet_length(type)', `octet_length(${data})`, `octet_length(${metadata})`]; // prettier-ignore
  return `concat(${numbers.map((number) => `${number}, ' '`).join(', ')}, id, type, ${data}, ${metadata})`;
};

/** A place in a page, which stands on one row after the other. */
export class ScannedPage {
  position = 0;
  stream = 0;
  revision = 0;
  /** Position of the event before it in its stream, 0 at the first: readers of the stream follow it. */
  previous = 0;
  /** The digits of the revision. */
  revisionAt = 0;
  revisionEnd = 0;
  /** Each text ends where the next one begins. */
  idAt = 0;
  typeAt = 0;
  dataAt = 0;
  metadataAt = 0;
  metadataEnd = 0;
  private at = 0;

  /** Behind the rows are `room` bytes for whoever wants to put a text together. `path` is the file that a damaged row is told of. */
  constructor(
    readonly bytes: Buffer,
    room: number,
    private readonly path = '',
  ) {
    this.roomAt = bytes.length - room;
  }

  readonly roomAt: number;

  get isEmpty(): boolean {
    return this.roomAt === 0;
  }

  /** Goes on to the next row, if there is one. @throws UnusableStore when the file is damaged there */
  next(): boolean {
    if (this.at >= this.roomAt) return false;
    const before = this.position;
    this.position = this.number();
    if (this.position <= before) throw this.damaged(`it has position ${this.position} behind ${before}`);
    this.stream = this.number();
    this.revisionAt = this.at;
    this.revision = this.number();
    this.revisionEnd = this.at - 1;
    this.previous = this.number();
    const [id, type, data, metadata] = [this.number(), this.number(), this.number(), this.number()];
    this.idAt = this.at;
    this.typeAt = this.idAt + id;
    this.dataAt = this.typeAt + type;
    this.metadataAt = this.dataAt + data;
    this.metadataEnd = this.at = this.metadataAt + metadata;
    return true;
  }

  get id(): string {
    return this.bytes.toString('utf8', this.idAt, this.typeAt);
  }
  get type(): string {
    return this.bytes.toString('utf8', this.typeAt, this.dataAt);
  }
  /** Empty where the scan was not asked for them. */
  get data(): string {
    return this.bytes.toString('utf8', this.dataAt, this.metadataAt);
  }
  get metadata(): string {
    return this.bytes.toString('utf8', this.metadataAt, this.metadataEnd);
  }

  private number(): number {
    const { bytes } = this;
    const from = this.at;
    let value = 0;
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at]!;
      if (byte === SPACE) {
        // Where a row lacks a value there is no digit.
        if (at === from) throw this.damaged(`behind position ${this.position} stands no event`);
        this.at = at + 1;
        return value;
      }
      // A sign: numbers of a file that somebody has tampered with may be below zero.
      if (byte === MINUS) return this.below(from);
      value = value * 10 + (byte - ZERO);
    }
    throw this.damaged(`behind position ${this.position} a row has no end`);
  }

  private damaged(reason: string): Error {
    const row = new DamagedRow(reason);
    return unusable(this.path, row) ?? row;
  }

  private below(from: number): number {
    const end = this.bytes.indexOf(SPACE, from);
    this.at = end + 1;
    return Number(this.bytes.toString('latin1', from, end));
  }
}

const SPACE = 32;
const MINUS = 45;
const ZERO = 48;
