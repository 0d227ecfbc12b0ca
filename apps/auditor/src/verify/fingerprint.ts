import { randomBytes } from 'node:crypto';

/** Two numbers that start every fingerprint of one run, so that nobody can prepare entries that collide. */
export type Seed = readonly [number, number];
export const newSeed = (): Seed => [randomBytes(4).readUInt32LE(), randomBytes(4).readUInt32LE()];

export const HIGH = 2 ** 32;

/** Two numbers of 32 bits that take in texts and numbers. */
export class Fingerprint {
  low = 0;
  high = 0;

  start([low, high]: Seed): void {
    this.low = low;
    this.high = high;
  }

  text(part: string): void {
    let { low, high } = this;
    for (let index = 0; index < part.length; index += 1) {
      const unit = part.charCodeAt(index);
      low = Math.imul(low ^ unit, 2_654_435_761);
      high = Math.imul(high ^ unit, 1_597_334_677);
    }
    this.low = Math.imul(low ^ (low >>> 16) ^ 0x10000, 2_246_822_507);
    this.high = Math.imul(high ^ (high >>> 13) ^ 0x10000, 3_266_489_909);
  }

  /** What `text` takes in, of ASCII that lies in bytes. */
  ascii(bytes: Uint8Array, from: number, to: number): void {
    let { low, high } = this;
    for (let index = from; index < to; index += 1) {
      const unit = bytes[index]!;
      low = Math.imul(low ^ unit, 2_654_435_761);
      high = Math.imul(high ^ unit, 1_597_334_677);
    }
    this.low = Math.imul(low ^ (low >>> 16) ^ 0x10000, 2_246_822_507);
    this.high = Math.imul(high ^ (high >>> 13) ^ 0x10000, 3_266_489_909);
  }

  /** Of a whole number. */
  number(value: number): void {
    this.low = Math.imul(this.low ^ value ^ (this.low >>> 16), 2_246_822_507);
    this.high = Math.imul(this.high ^ value ^ (value / HIGH) ^ (this.high >>> 13), 3_266_489_909);
  }

  end(): void {
    this.low = (this.low ^ (this.high >>> 15)) >>> 0;
    this.high = (this.high ^ (this.low >>> 14)) >>> 0;
  }

  /** Of 49 bits, as an `extra` of an entry may be. */
  extra(): number {
    this.end();
    return (this.high & 0x1ffff) * HIGH + this.low;
  }
}

/** The start of the fingerprints of one kind of entry. */
export function mixed([low, high]: Seed, text: string): Seed {
  let [a, b] = [low, high];
  for (const character of text) {
    a = Math.imul(a ^ character.charCodeAt(0), 2_654_435_761);
    b = Math.imul(b ^ character.charCodeAt(0), 1_597_334_677);
  }
  return [a, b];
}
