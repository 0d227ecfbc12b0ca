import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readyMadeTokens } from './ready-made-tokens';
import { tokensFor } from './tokens';

describe('tokens that a start prints', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'ledger-ready-made-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  it('are one of each role, and accepted by the ledger of that folder', async () => {
    const auth = { kind: 'local' } as const;
    const [, ...lines] = await readyMadeTokens({ auth, dataDir });
    const tokens = await tokensFor(auth, dataDir);
    const principals = await Promise.all(lines.map((line) => tokens.principal(`Bearer ${line.split(': ')[1]}`)));
    expect(principals).toMatchObject([
      { actor: 'platform', role: 'platform' },
      { actor: 'admin@acme', role: 'admin', organisation: 'acme' },
      { actor: 'u1', role: 'member' },
      { actor: 'auditor', role: 'auditor' },
    ]);
  });

  it('are none where an issuer makes them', async () => {
    const auth = { kind: 'oidc', issuer: 'https://issuer.example', audience: 'ledger', jwksUrl: 'https://issuer.example/jwks' } as const;
    expect(await readyMadeTokens({ auth, dataDir })).toEqual([]);
  });
});
