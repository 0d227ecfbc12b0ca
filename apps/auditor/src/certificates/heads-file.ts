import { existsSync, readFileSync } from 'node:fs';
import { WholeFile } from '../cli/whole-file';
import type { Head } from '../verify/audited';
import { leafOf } from './certificate';

/**
 * The heads that a certificate's root stands for, a line each: `<certificate>.heads`. It needs no signature, for its root is signed.
 * With it a difference is named by its stream, and proofs need no second reading of the store.
 */

export const headsPath = (certificate: string): string => `${certificate}.heads`;

export const headsFile = (certificate: string): WholeFile => new WholeFile(headsPath(certificate), 0o644);

export function writeHeads(file: WholeFile, heads: readonly Head[]): void {
  file.write(Buffer.from(heads.map((head) => `${leafOf(head)}\n`).join('')));
}

/** Undefined when there is no such file, or it is not what it should be: then it is as good as none. */
export function readHeads(certificate: string): Head[] | undefined {
  if (!existsSync(headsPath(certificate))) return undefined;
  try {
    const lines = readFileSync(headsPath(certificate), 'utf8').split('\n').slice(0, -1);
    const heads = lines.map((line) => JSON.parse(line) as unknown);
    return heads.every(isHead) ? heads : undefined;
  } catch {
    return undefined;
  }
}

/** Anybody may have written the file. */
function isHead(value: unknown): value is Head {
  const { stream, revision, hash } = (value ?? {}) as Partial<Head>;
  return typeof stream === 'string' && Number.isSafeInteger(revision) && typeof hash === 'string';
}
