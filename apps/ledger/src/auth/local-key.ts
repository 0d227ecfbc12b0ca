import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import { BadSetting } from '../settings';
import type { Role } from './principal';

/** What tokens of the local key name as issuer and audience. */
export const LOCAL_ISSUER = 'token-ledger';
export const LOCAL_AUDIENCE = 'token-ledger';
export const LOCAL_ALGORITHM = 'EdDSA';
const FILE = 'local-key.json';

/** The signing key of AUTH=local. It never leaves the data folder and is never logged. */
export interface LocalKey {
  private: JWK;
  public: JWK;
  kid: string;
}

/** Reads the key of the data folder; makes it at the first start. Processes that start at once agree on one key. */
export async function localKey(dataDir: string): Promise<LocalKey> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, FILE);
  return (await read(path)) ?? (await make(path));
}

async function read(path: string): Promise<LocalKey | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const { kty, crv, x, d } = parsed(text);
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string' || typeof d !== 'string')
    throw new BadSetting(
      'DATA_DIR',
      `holds ${path}, which is not an Ed25519 key: move it away, and a new one is made (tokens of the old one then end).`,
    );
  const shown: JWK = { kty, crv, x };
  return { private: { ...shown, d }, public: shown, kid: await calculateJwkThumbprint(shown) };
}

function parsed(text: string): JWK {
  try {
    return JSON.parse(text) as JWK;
  } catch {
    return {};
  }
}

async function make(path: string): Promise<LocalKey> {
  const { privateKey } = await generateKeyPair(LOCAL_ALGORITHM, { crv: 'Ed25519', extractable: true });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(await exportJWK(privateKey))}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // A link appears whole or not at all, and only for the first of several processes; the others read what it made.
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  const key = await read(path);
  if (key === undefined) throw new Error(`${path} vanished while it was made.`);
  return key;
}

export interface TokenClaims {
  sub: string;
  role: Role;
  organisation?: string;
  client?: string;
}

/** A bearer token of the local key that lasts `days`. */
export async function signToken(key: LocalKey, { sub, role, organisation, client }: TokenClaims, days: number): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ role, ...(organisation && { organisation }), ...(client && { azp: client }) })
    .setProtectedHeader({ alg: LOCAL_ALGORITHM, kid: key.kid, typ: 'JWT' })
    .setSubject(sub)
    .setIssuer(LOCAL_ISSUER)
    .setAudience(LOCAL_AUDIENCE)
    .setIssuedAt(now)
    .setExpirationTime(now + days * 24 * 60 * 60)
    .sign(await importJWK(key.private, LOCAL_ALGORITHM));
}
