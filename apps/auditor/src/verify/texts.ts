/** What a glance looks for. */

/**
 * A text of eight bytes or more, which are compared as numbers of 64 bits: no two texts of ASCII are the same number, and none is NaN.
 */
export interface Fixed {
  words: Float64Array;
  /** The last eight bytes, which may overlap the words. */
  last: number;
  length: number;
}

export function fixed(text: string): Fixed {
  const bytes = Buffer.from(text, 'latin1');
  const words = Float64Array.from({ length: Math.trunc((bytes.length - 1) / WORD) }, (_, word) => bytes.readDoubleBE(word * WORD));
  return { words, last: bytes.readDoubleBE(bytes.length - WORD), length: bytes.length };
}

export const WORD = 8;

/** Of every byte, whether it belongs. */
export type Kind = Uint8Array;
export const kindOf = (pattern: RegExp): Kind =>
  Uint8Array.from({ length: 256 }, (_, code) => (pattern.test(String.fromCharCode(code)) ? 1 : 0));

export const PLAIN = kindOf(/[ !#-[\]-~]/);
