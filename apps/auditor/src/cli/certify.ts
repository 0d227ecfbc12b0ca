import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { canonical } from '@ledger/wallet';
import { type Certificate, signed, statementOf } from '../certificates/certificate';
import { headsFile, writeHeads } from '../certificates/heads-file';
import { reason } from '../certificates/keys';
import { removeState, stateFile, writeState } from '../certificates/state-file';
import type { Kept } from '../verify/kept';
import type { AuditResult } from '../verify/result';
import { CouldNotRun } from './command';
import { WholeFile } from './whole-file';

export interface Certifying {
  /** The file of the certificate; those beside it are named after it. */
  path: string;
  key: KeyObject;
  withHeads: boolean;
}

/** Certifies what a clean audit has seen. `kept` is what the next one can go on from. @throws CouldNotRun */
export function certify({ path, key, withHeads }: Certifying, result: AuditResult, kept: Kept | undefined): Certificate {
  if (result.mark === undefined) throw new CouldNotRun('An empty store has nothing to certify.');
  const certificate = signed(statementOf(result, new Date().toISOString()), key);
  const text = `${canonical(certificate)}\n`;
  const files: WholeFile[] = [];
  const begin = (file: WholeFile): WholeFile => {
    files.push(file);
    return file;
  };
  try {
    begin(new WholeFile(path, 0o644)).write(Buffer.from(text));
    if (withHeads) writeHeads(begin(headsFile(path)), result.heads);
    if (kept) writeState(begin(stateFile(path)), certificate.statement, kept, key);
    // Where one finds no room all stay as they were.
    for (const file of files) file.seal();
    // At no moment a state lies beside a certificate that is not its own: that would look like a forgery.
    removeState(path);
    for (const file of files) {
      // The state of this run does not belong to the certificate of another one that ends at the same moment.
      if (file !== files[0] && readFileSync(path, 'utf8') !== text) throw new Error('another run has written it too');
      file.close();
    }
  } catch (error) {
    for (const file of files) file.discard();
    throw new CouldNotRun(`The certificate cannot be written to ${path}: ${reason(error)}.`);
  }
  return certificate;
}
