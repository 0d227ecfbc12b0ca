import type { AuthSettings } from '../settings';
import { localKey, signToken, type TokenClaims } from './local-key';

/** Long enough to try things out; who needs more asks `npm run token`. */
const DAYS = 1;

/** One of each role, with the ids that the documentation uses in its examples. */
const READY_MADE: Readonly<Record<string, TokenClaims>> = {
  'platform service': { sub: 'platform', role: 'platform' },
  'admin of acme': { sub: 'admin@acme', role: 'admin', organisation: 'acme' },
  'member u1': { sub: 'u1', role: 'member' },
  auditor: { sub: 'auditor', role: 'auditor' },
};

/** What a start prints, so that the first request needs nothing but a copy: nothing when an issuer makes the tokens. */
export async function readyMadeTokens({ auth, dataDir }: { auth: AuthSettings; dataDir: string }): Promise<string[]> {
  if (auth.kind !== 'local') return [];
  const key = await localKey(dataDir);
  const lines = Object.entries(READY_MADE).map(
    async ([who, claims]) => `  ${who}: ${await signToken(key, { ...claims, client: 'ready-made' }, DAYS)}`,
  );
  return ['Bearer tokens of the local key, good for a day (npm run token makes others):', ...(await Promise.all(lines))];
}
