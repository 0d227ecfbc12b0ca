import type { KeyObject } from 'node:crypto';
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
    writeWhole(path, Buffer.from(`${canonical(certificate)}\n`));
    if (withHeads) writeHeads(path, result.heads);
    if (kept) writeState(path, certificate.statement, kept, key);
  } catch (error) {
    throw new CouldNotRun(`The certificate cannot be written to ${path}: ${reason(error)}.`);
  }
  return certificate;
}
