import { createRemoteJWKSet, errors, importJWK, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose';
import { LRUCache } from 'lru-cache';
import { Problem } from '../http/problem';
import type { AuthSettings } from '../settings';
import { LOCAL_ALGORITHM, LOCAL_AUDIENCE, LOCAL_ISSUER, localKey } from './local-key';
import { principalOf, type Principal } from './principal';

/** Signatures are the issuer's private matter: no algorithm with a shared secret, and never `none`. */
const ISSUER_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const CLOCK_TOLERANCE_SECONDS = 5;
const TOKEN_LENGTH_MAX = 8_192;
/** Checking a signature costs more than a whole usage, so verified tokens are remembered. */
const REMEMBERED_TOKENS_MAX = 10_000;
/** A key that its issuer withdraws stops working within this time, whatever was remembered. */
const REMEMBERED_MS_MAX = 300_000;
const JWKS_TIMEOUT_MS = 5_000;
const JWKS_COOLDOWN_MS = 30_000;
const JWKS_AGE_MS_MAX = 600_000;

interface Remembered {
  principal: Principal;
  until: number;
}

/** Verifies bearer tokens. */
export class Tokens {
  private readonly remembered = new LRUCache<string, Remembered>({ max: REMEMBERED_TOKENS_MAX });

  constructor(private readonly verify: (token: string) => Promise<JWTPayload>) {}

  /** The principal of a token that was verified lately: no promise, as this is the path of nearly every request. */
  known(authorization: string | undefined): Principal | undefined {
    const token = tokenOf(authorization);
    if (token === undefined) return undefined;
    const entry = this.remembered.get(token);
    return entry !== undefined && entry.until > Date.now() ? entry.principal : undefined;
  }

  /** @throws Problem UNAUTHENTICATED, ISSUER_UNAVAILABLE */
  async principal(authorization: string | undefined): Promise<Principal> {
    const token = tokenOf(authorization);
    if (token === undefined) throw unauthenticated('Send a bearer token in the Authorization header.');
    const claims = await this.claims(token);
    const principal = principalOf(claims);
    if (principal === undefined) throw unauthenticated('The token names nobody: its claim sub is missing or too long.', 'invalid_token');
    const until = Math.min(((claims.exp ?? 0) + CLOCK_TOLERANCE_SECONDS) * 1000, Date.now() + REMEMBERED_MS_MAX);
    this.remembered.set(token, { principal, until });
    return principal;
  }

  private async claims(token: string): Promise<JWTPayload> {
    try {
      return await this.verify(token);
    } catch (error) {
      if (isIssuerAway(error)) throw new Problem('ISSUER_UNAVAILABLE', 'The keys of the issuer of tokens cannot be fetched: try again.');
      const reason = error instanceof errors.JWTExpired ? 'The token has expired.' : 'The token is not valid here.';
      throw unauthenticated(reason, 'invalid_token');
    }
  }
}

/** Verification as the settings ask for it. Makes the local key at the first start. */
export async function tokensFor(auth: AuthSettings, dataDir: string): Promise<Tokens> {
  if (auth.kind === 'local') {
    const key = await importJWK((await localKey(dataDir)).public, LOCAL_ALGORITHM);
    const options = checks(LOCAL_ISSUER, LOCAL_AUDIENCE, [LOCAL_ALGORITHM]);
    return new Tokens(async (token) => (await jwtVerify(token, key, options)).payload);
  }
  const keys = createRemoteJWKSet(new URL(auth.jwksUrl), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: JWKS_COOLDOWN_MS,
    cacheMaxAge: JWKS_AGE_MS_MAX,
  });
  const options = checks(auth.issuer, auth.audience, ISSUER_ALGORITHMS);
  return new Tokens(async (token) => (await jwtVerify(token, keys, options)).payload);
}

const checks = (issuer: string, audience: string, algorithms: string[]): JWTVerifyOptions => ({
  issuer,
  audience,
  algorithms,
  clockTolerance: CLOCK_TOLERANCE_SECONDS,
  requiredClaims: ['exp', 'sub'],
});

const BEARER = /^bearer +([A-Za-z0-9._~+/=-]+)$/i;

function tokenOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length > TOKEN_LENGTH_MAX) return undefined;
  // Nearly everybody writes it like this; the pattern is for the rest.
  return authorization.startsWith('Bearer ') ? authorization.slice(7).trim() : BEARER.exec(authorization)?.[1];
}

/** Anything that jose did not say about the token itself is about fetching the keys. */
function isIssuerAway(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout) return true;
  if (!(error instanceof errors.JOSEError)) return true;
  // jose's own word for a JWKS address that did not answer 200 or not with JSON.
  return error.code === 'ERR_JOSE_GENERIC';
}

function unauthenticated(detail: string, error?: string): Problem {
  const challenge = `Bearer realm="token-ledger"${error === undefined ? '' : `, error="${error}"`}`;
  return new Problem('UNAUTHENTICATED', detail, {}, { 'www-authenticate': challenge });
}
