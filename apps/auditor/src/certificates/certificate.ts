import { type KeyObject, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { canonical } from '@ledger/wallet';
import { CouldNotRun } from '../cli/command';
import { shown } from '../cli/shown';
import type { Head } from '../verify/audited';
import type { AuditResult } from '../verify/result';
import { TOTALS } from '../verify/totals';
import { keyIdOf, publicKeyFrom, rawOf, reason } from './keys';
import { leafHash, rootOf } from './merkle';

/** A signed statement of what a clean store held at a position. docs/audit-format.md binds every byte of it. */

export const CERTIFICATE_FORMAT = 'token-ledger-certificate/1';

export interface Statement {
  format: string;
  /** The id of the store's first event. */
  mark: string;
  /** Position of the last event that it covers, in decimal digits. */
  position: string;
  events: number;
  streams: number;
  merkleRoot: string;
  /** Tokens, in decimal digits. */
  totals: Record<string, string>;
  issuedAt: string;
}

export interface Certificate {
  statement: Statement;
  signature: { algorithm: string; keyId: string; publicKey: string; value: string };
}

/** The bytes of a leaf, as text: canonical JSON. A line of the heads file is the same. */
export const leafOf = ({ stream, revision, hash }: Head): string => canonical({ stream, revision, hash });

export const merkleRootOf = (heads: readonly Head[]): string => rootOf(heads.map((head) => leafHash(leafOf(head)))).toString('hex');

/** What a clean audit has seen, up to the last event. */
export function statementOf({ mark = '', position, events, heads, totals }: AuditResult, issuedAt: string): Statement {
  return {
    format: CERTIFICATE_FORMAT,
    mark,
    position: String(position),
    events,
    streams: heads.length,
    merkleRoot: merkleRootOf(heads),
    totals: Object.fromEntries(TOTALS.map((name) => [name, String(totals[name])])),
    issuedAt,
  };
}

export function signed(statement: Statement, key: KeyObject): Certificate {
  const publicKey = rawOf(key);
  const value = sign(null, Buffer.from(canonical(statement)), key);
  const signature = {
    algorithm: 'Ed25519',
    keyId: keyIdOf(publicKey),
    publicKey: publicKey.toString('base64url'),
    value: value.toString('base64url'),
  };
  return { statement, signature };
}

/** What is wrong with a certificate, as one sentence; undefined when nothing is. `pinned` is the key that must have signed it. */
export function certificateFault({ statement, signature }: Certificate, pinned: Buffer | undefined): string | undefined {
  if (statement.format !== CERTIFICATE_FORMAT) return `its format is ${shown(statement.format)} where ${CERTIFICATE_FORMAT} is known`;
  if (signature.algorithm !== 'Ed25519') return `its signature is ${shown(signature.algorithm)} where Ed25519 is known`;
  const raw = Buffer.from(signature.publicKey, 'base64url');
  if (pinned && !pinned.equals(raw)) return `it was signed by the key ${keyIdOf(raw)}, not by ${keyIdOf(pinned)}`;
  const key = raw.length === 32 ? publicKeyFrom(raw) : undefined;
  if (!key || signature.keyId !== keyIdOf(raw)) return 'its public key and key id do not belong together';
  let text: string;
  try {
    text = canonical(statement);
  } catch {
    return 'its statement has no canonical JSON';
  }
  if (!verify(null, Buffer.from(text), key, Buffer.from(signature.value, 'base64url')))
    return 'its signature does not fit its statement: it was changed after it was signed';
  return undefined;
}

/** @throws CouldNotRun when the file is no certificate at all */
export function readCertificate(path: string): Certificate {
  return certificateOf(readJson(path, 'certificate'), path);
}

export function certificateOf(value: unknown, where: string): Certificate {
  const { statement, signature } = (value ?? {}) as Partial<Certificate>;
  const texts = [statement?.format, statement?.mark, statement?.position, statement?.merkleRoot, statement?.issuedAt];
  const shaped =
    texts.every((text) => typeof text === 'string') &&
    /^(-1|\d{1,19})$/.test(statement!.position) &&
    Number.isSafeInteger(statement!.streams);
  const signedBy = [signature?.algorithm, signature?.keyId, signature?.publicKey, signature?.value];
  if (!shaped || !signedBy.every((text) => typeof text === 'string'))
    throw new CouldNotRun(`${where} is not a certificate: it must hold "statement" and "signature" as docs/audit-format.md says.`);
  return { statement, signature } as Certificate;
}

/** @throws CouldNotRun */
export function readJson(path: string, name: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch (error) {
    throw new CouldNotRun(`The ${name} ${path} cannot be read: ${reason(error)}.`);
  }
}
