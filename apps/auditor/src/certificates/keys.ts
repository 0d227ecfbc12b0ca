import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { CouldNotRun } from '../cli/command';

/** Ed25519 keys: the private one as PKCS#8, the public one as SPKI, both in PEM as `openssl` has them. */

/** Writes a new pair. Neither file may exist: a key that signed certificates must not be lost by a slip. @throws CouldNotRun */
export function writeKeys(privatePath: string, publicPath: string): string {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  write(privatePath, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 0o600);
  try {
    write(publicPath, publicKey.export({ type: 'spki', format: 'pem' }) as string, 0o644);
  } catch (error) {
    // The pair or nothing: nobody has used this key.
    rmSync(privatePath, { force: true });
    throw error;
  }
  return keyIdOf(rawOf(publicKey));
}

function write(path: string, text: string, mode: number): void {
  let handle: number | undefined;
  try {
    handle = openSync(path, 'wx', mode);
    writeFileSync(handle, text);
    fsyncSync(handle);
  } catch (error) {
    // What is not ours stays.
    if (handle !== undefined) rmSync(path, { force: true });
    throw new CouldNotRun(`The key cannot be written to ${path}: ${reason(error)}.`);
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** @throws CouldNotRun */
export function signingKey(path: string): KeyObject {
  return keyOf(path, 'signing key', 'an Ed25519 private key in PEM (PKCS#8), as "npm run audit -- keygen" writes it', createPrivateKey);
}

/** The 32 bytes of the public key. @throws CouldNotRun */
export function publicKeyBytes(path: string): Buffer {
  return rawOf(keyOf(path, 'public key', 'an Ed25519 public key in PEM (SPKI)', createPublicKey));
}

/** The 32 bytes of a public key, or of the one that belongs to a private key. */
export function rawOf(key: KeyObject): Buffer {
  const { x = '' } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  return Buffer.from(x, 'base64url');
}

/** A public key from its 32 bytes; undefined when they are none. */
export function publicKeyFrom(raw: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** What people compare: the SHA-256 of the 32 bytes. */
export const keyIdOf = (raw: Buffer): string => createHash('sha256').update(raw).digest('hex');

function keyOf(path: string, name: string, wanted: string, read: (pem: string) => KeyObject): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = read(readFileSync(path, 'utf8'));
  } catch (error) {
    // The reason of a parser could repeat a part of a private key, so only that of the file system is passed on.
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw new CouldNotRun(`The ${name} ${path} ${code === 'ENOENT' ? 'is not there' : `must be ${wanted}`}.`);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new CouldNotRun(`The ${name} ${path} must be ${wanted}.`);
  return key;
}

export const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
