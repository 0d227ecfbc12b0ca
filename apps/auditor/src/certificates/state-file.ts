import { createHash, type KeyObject, sign } from 'node:crypto';
import { rmSync } from 'node:fs';
import { endianness } from 'node:os';
import { canonical } from '@ledger/wallet';
import { WholeFile } from '../cli/whole-file';
import { BUCKETS } from '../verify/entries';
import type { Kept, Summary } from '../verify/kept';
import { SHAPES } from '../verify/kept-states';
import type { Statement } from './certificate';

/**
 * `<certificate>.state`: all that an audit must know to judge later events without the earlier ones. Private to this program, and to this
 * version of it: whoever changes what a field, an entry or a fingerprint means raises the number in the format.
 *
 * Three kinds of lines of JSON (header, summary, one for each stream), a line that says how many bytes each bucket of entries has, those
 * bytes, and a signature over the SHA-256 of all before it.
 */

export const STATE_FORMATS = 'token-ledger-audit-state/';
export const STATE_FORMAT = `${STATE_FORMATS}1`;
export const SIGNATURE_BYTES = 64;

export interface Header {
  format: string;
  /** SHA-256 of what the certificate's signature is over, in hexadecimal digits. */
  certificate: string;
  /** Of the words of the entries. */
  byteOrder: string;
  /** Of the names of the fields. */
  shapes: string;
}

export const statePath = (certificate: string): string => `${certificate}.state`;

export const headerOf = (statement: Statement): Header => ({
  format: STATE_FORMAT,
  certificate: createHash('sha256').update(canonical(statement)).digest('hex'),
  byteOrder: endianness(),
  shapes: SHAPES,
});

/** A new certificate needs a new state: an older one under its name would look forged. */
export const removeState = (certificate: string): void => rmSync(statePath(certificate), { force: true });

/** It says what every wallet holds, so its owner alone may read it. */
export const stateFile = (certificate: string): WholeFile => new WholeFile(statePath(certificate), 0o600);

export function writeState(file: WholeFile, statement: Statement, { summary, states, entries }: Kept, key: KeyObject): void {
  const digest = createHash('sha256');
  const write = (bytes: Uint8Array): void => {
    digest.update(bytes);
    file.write(bytes);
  };
  const writeLine = (value: Header | Summary | readonly number[]): void => write(Buffer.from(`${JSON.stringify(value)}\n`));
  writeLine(headerOf(statement));
  writeLine(summary);
  for (const lines of states) write(lines);
  const buckets = Array.from({ length: BUCKETS }, (_, bucket) => bucket);
  writeLine(buckets.map((bucket) => entries.bytesIn(bucket)));
  for (const bucket of buckets)
    for (const words of entries.wordsIn(bucket)) write(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  file.write(sign(null, digest.digest(), key));
}
