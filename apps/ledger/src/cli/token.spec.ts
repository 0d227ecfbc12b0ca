import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { tokensFor } from '../auth/tokens';
import { token } from './token';

describe('npm run token', () => {
  let dataDir: string;
  let out: string[];
  let err: string[];
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'ledger-cli-'));
    [out, err] = [[], []];
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));
  const run = (args: string, env = {}) =>
    token(
      args.split(' '),
      { DATA_DIR: dataDir, ...env },
      (line) => void out.push(line),
      (line) => void err.push(line),
    );

  it.each([
    ['--role platform', { actor: 'platform', role: 'platform', client: 'token-cli' }],
    ['--role auditor', { actor: 'auditor', role: 'auditor', client: 'token-cli' }],
    ['--role member --user u1', { actor: 'u1', role: 'member', client: 'token-cli' }],
    ['--role admin --organisation acme', { actor: 'admin@acme', role: 'admin', organisation: 'acme', client: 'token-cli' }],
  ])('%s prints one token that the ledger accepts, and nothing else', async (args, principal) => {
    expect(await run(args)).toBe(0);
    expect([out.length, err]).toEqual([1, []]);
    const tokens = await tokensFor({ kind: 'local' }, dataDir);
    expect(await tokens.principal(`Bearer ${out[0]}`)).toEqual(principal);
  });

  it('lasts 30 days, or as many as it is told', async () => {
    await run('--role platform');
    await run('--role platform --days 1');
    const days = out.map((line) => decodeJwt(line)).map(({ iat, exp }) => (exp! - iat!) / 86_400);
    expect(days).toEqual([30, 1]);
  });

  it.each([
    '--role root',
    '--user u1',
    '--role admin',
    '--role member',
    '--role member --user ..',
    '--role member --user a/b',
    '--role platform --user u1',
    '--role auditor --organisation acme',
    '--role platform --days 0',
    '--role platform --days 1.5',
    '--role platform --colour blue',
    'platform',
  ])('%s is answered with a sentence and status 2', async (args) => {
    expect(await run(args)).toBe(2);
    expect(out).toEqual([]);
    expect(err.join('\n')).toMatch(/Usage: npm run token/);
  });

  it('says so when tokens are the matter of an issuer', async () => {
    const oidc = { AUTH: 'oidc', AUTH_ISSUER: 'https://id.example', AUTH_AUDIENCE: 'ledger', AUTH_JWKS_URL: 'https://id.example/keys' };
    expect(await run('--role platform', oidc)).toBe(2);
    expect(err[0]).toContain('AUTH is local');
  });
});
