import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { canonical } from '@ledger/wallet';
import { type Certificate, signed, statementOf } from '../certificates/certificate';
import { writeHeads } from '../certificates/heads-file';
import { reason } from '../certificates/keys';
import { removeState, writeState } from '../certificates/state-file';
import { writeWhole } from '../certificates/whole-file';
import type { Kept } from '../verify/kept';
import type { AuditResult } from '../verify/result';
import { CouldNotRun } from './command';

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
  try {
    // At no moment a state lies beside a certificate that is not its own: that would look like a forgery.
    removeState(path);
    const text = `${canonical(certificate)}\n`;
    writeWhole(path, Buffer.from(text));
    if (withHeads) writeHeads(path, result.heads);
    // The state of this run does not belong to the certificate of that one.
    if (readFileSync(path, 'utf8') !== text) throw new Error('another run has written it too');
    if (kept) writeState(path, certificate.statement, kept, key);
  } catch (error) {
    throw new CouldNotRun(`The certificate cannot be written to ${path}: ${reason(error)}.`);
  }
  return certificate;
}
