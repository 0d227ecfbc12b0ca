/** Text up to this many characters is written character by character: a call into Node takes longer. */
const SHORT_MAX = 64;
/** Bytes of the longest number of variable length, and most bytes of one character. */
const INT_MAX = 5;
const CHARACTER_MAX = 3;
const ASCII_MAX = 0x7f;

/** Writes what Kafka's protocol is made of behind one another into one buffer, which grows as needed. */
export class ByteWriter {
  private buffer: Buffer;
  private at = 0;

  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafe(bytes);
  }

  get size(): number {
    return this.at;
  }

  /** What was written; the writer must not be used any more. */
  get bytes(): Buffer {
    return this.buffer.subarray(0, this.at);
  }

  int8(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  int16(value: number): void {
    this.reserve(2);
    this.at = this.buffer.writeInt16BE(value, this.at);
  }

  int32(value: number): void {
    this.reserve(4);
    this.at = this.buffer.writeInt32BE(value, this.at);
  }

  int64(value: bigint): void {
    this.reserve(8);
    this.at = this.buffer.writeBigInt64BE(value, this.at);
  }

  /** Text with its bytes counted in 16 bits before it. */
  text16(value: string): void {
    const size = Buffer.byteLength(value);
    this.int16(size);
    this.reserve(size);
    this.at += this.buffer.write(value, this.at, size);
  }

  /** A number of variable length, zigzag: few bytes for one near 0. */
  varInt(value: number): void {
    this.reserve(INT_MAX);
    this.at = putVarInt(this.buffer, this.at, value);
  }

  /** Text with its bytes counted as a `varInt` before it. */
  text(value: string): void {
    const { length } = value;
    this.reserve(INT_MAX + CHARACTER_MAX * length);
    const { buffer, at } = this;
    // Nearly all text is ASCII, a byte a character: so its size is known before it is written, and wrong where it turns out not to be.
    const begin = putVarInt(buffer, at, length);
    this.at = begin + length;
    if (length > SHORT_MAX ? buffer.write(value, begin) === length : putAscii(buffer, begin, value)) return;
    const size = Buffer.byteLength(value);
    this.at = putVarInt(buffer, at, size);
    this.at += buffer.write(value, this.at, size);
  }

  /** Leaves room for what is known only later; gives the place for `put...At`. */
  leave(bytes: number): number {
    this.reserve(bytes);
    const place = this.at;
    this.at += bytes;
    return place;
  }

  putInt32At(place: number, value: number): void {
    this.buffer.writeInt32BE(value, place);
  }

  putUint32At(place: number, value: number): void {
    this.buffer.writeUInt32BE(value, place);
  }

  /** Puts the number of bytes from behind `place`, where `bytes` were left for it, to the end; these move if it takes other room. */
  putSizeAt(place: number, bytes: number): void {
    const begin = place + bytes;
    const size = this.at - begin;
    const needed = varIntSize(size);
    if (needed !== bytes) {
      this.reserve(needed);
      this.buffer.copyWithin(place + needed, begin, this.at);
      this.at += needed - bytes;
    }
    putVarInt(this.buffer, place, size);
  }

  from(place: number): Buffer {
    return this.buffer.subarray(place, this.at);
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.buffer.length, this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
}

const zigZag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0;

function varIntSize(value: number): number {
  let size = 1;
  for (let rest = zigZag(value); rest > 0x7f; rest >>>= 7) size += 1;
  return size;
}

function putVarInt(buffer: Buffer, at: number, value: number): number {
  let rest = zigZag(value);
  for (; rest > 0x7f; rest >>>= 7) buffer[at++] = (rest & 0x7f) | 0x80;
  buffer[at++] = rest;
  return at;
}

function putAscii(buffer: Buffer, begin: number, value: string): boolean {
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (code > ASCII_MAX) return false;
    buffer[begin + index] = code;
  }
  return true;
}
