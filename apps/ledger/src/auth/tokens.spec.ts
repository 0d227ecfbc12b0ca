import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, importJWK, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { LOCAL_AUDIENCE, LOCAL_ISSUER, localKey, signToken } from './local-key';
import { type Tokens, tokensFor } from './tokens';

const refused = { code: 'UNAUTHENTICATED', headers: { 'www-authenticate': expect.stringMatching(/^Bearer /) } };

describe('tokens of the local key', () => {
  let dataDir: string;
  let tokens: Tokens;
  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'ledger-tokens-'));
    tokens = await tokensFor({ kind: 'local' }, dataDir);
  });
  afterAll(() => rmSync(dataDir, { recursive: true }));
  afterEach(() => jest.useRealTimers());

  const claims: JWTPayload = { role: 'platform', sub: 'billing', iss: LOCAL_ISSUER, aud: LOCAL_AUDIENCE };
  const signed = async (payload: JWTPayload, expires: string | undefined = '1h') => {
    const key = await localKey(dataDir);
    const token = new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA' });
    return (expires ? token.setExpirationTime(expires) : token).sign(await importJWK(key.private, 'EdDSA'));
  };

  it('name who asks', async () => {
    const key = await localKey(dataDir);
    const token = await signToken(key, { sub: 'ann', role: 'admin', organisation: 'acme', client: 'console' }, 1);
    expect(await tokens.principal(`Bearer ${token}`)).toEqual({ actor: 'ann', role: 'admin', organisation: 'acme', client: 'console' });
  });

  it('are remembered after the first time, until they expire', async () => {
    const authorization = `Bearer ${await signed(claims)}`;
    expect(tokens.known(authorization)).toBeUndefined();
    const principal = await tokens.principal(authorization);
    expect(tokens.known(authorization)).toBe(principal);
    expect(tokens.known(`${authorization}x`)).toBeUndefined();
    jest.useFakeTimers({ now: Date.now() + 2 * 3_600_000 });
    expect(tokens.known(authorization)).toBeUndefined();
  });

  it('carry no role of their own making: one that we do not know is none', async () => {
    expect(await tokens.principal(`Bearer ${await signed({ ...claims, role: 'root' })}`)).toEqual({ actor: 'billing' });
    expect(await tokens.principal(`Bearer ${await signed({ ...claims, role: ['platform'] })}`)).toEqual({ actor: 'billing' });
    expect(await tokens.principal(`Bearer ${await signed({ ...claims, organisation: 'acme' })}`)).toEqual({
      actor: 'billing',
      role: 'platform',
    });
  });

  it.each([
    ['of another issuer', { ...claims, iss: 'somebody' }],
    ['for another audience', { ...claims, aud: 'another' }],
    ['that name nobody', { ...claims, sub: undefined }],
    ['that name nobody in a word', { ...claims, sub: '' }],
    ['with an endless name', { ...claims, sub: 'a'.repeat(201) }],
    ['that are not yet valid', { ...claims, nbf: Math.floor(Date.now() / 1000) + 600 }],
  ])('are refused %s', async (_, payload) => {
    await expect(tokens.principal(`Bearer ${await signed(payload)}`)).rejects.toMatchObject(refused);
  });

  it('are refused when expired, endless, unsigned, signed by others or signed with a shared secret', async () => {
    const { privateKey } = await generateKeyPair('EdDSA');
    const { public: key } = await localKey(dataDir);
    const secret = Buffer.from(JSON.stringify(key));
    const forged = [
      await signed(claims, '-1h'),
      await signed(claims, ''),
      new UnsecuredJWT(claims).setExpirationTime('1h').encode(),
      await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).setExpirationTime('1h').sign(privateKey),
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h').sign(secret),
      'a.b.c',
      '',
      'x'.repeat(9_000),
    ];
    for (const token of forged) await expect(tokens.principal(`Bearer ${token}`)).rejects.toMatchObject(refused);
    for (const header of [undefined, 'Basic YTpi', 'Bearer']) await expect(tokens.principal(header)).rejects.toMatchObject(refused);
  });
});

describe('tokens of an issuer', () => {
  let issuer: Server;
  let keys: object[] = [];
  let status = 200;
  const auth = () =>
    ({
      kind: 'oidc',
      issuer: 'https://id.example',
      audience: 'ledger',
      jwksUrl: `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/`,
    }) as const;
  beforeAll((done) => {
    issuer = createServer((_, answer) => answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys })));
    issuer.listen(0, '127.0.0.1', done);
  });
  afterAll((done) => {
    issuer.closeAllConnections();
    issuer.close(done);
  });

  it('are checked with the keys that it publishes', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    keys = [{ ...(await exportJWK(publicKey)), kid: 'a', alg: 'RS256' }];
    const tokens = await tokensFor(auth(), 'unused');
    const token = (kid: string) =>
      new SignJWT({ role: 'member' })
        .setProtectedHeader({ alg: 'RS256', kid })
        .setIssuer('https://id.example')
        .setAudience('ledger')
        .setSubject('u1')
        .setExpirationTime('1h')
        .sign(privateKey);
    expect(await tokens.principal(`Bearer ${await token('a')}`)).toEqual({ actor: 'u1', role: 'member' });
    await expect(tokens.principal(`Bearer ${await token('b')}`)).rejects.toMatchObject(refused);
    status = 500;
    const another = await tokensFor(auth(), 'unused');
    await expect(another.principal(`Bearer ${await token('a')}`)).rejects.toMatchObject({ code: 'ISSUER_UNAVAILABLE' });
    status = 200;
    expect(await another.principal(`Bearer ${await token('a')}`)).toEqual({ actor: 'u1', role: 'member' });
  });
});
