import type { TokenClaims } from '../auth/local-key';
import { LedgerForSpec } from './ledger-for-spec';

const WHO: Record<string, TokenClaims> = {
  platform: { sub: 'billing', role: 'platform' },
  admin: { sub: 'ann', role: 'admin', organisation: 'acme' },
  'another admin': { sub: 'bob', role: 'admin', organisation: 'globex' },
  'an admin of nothing': { sub: 'u1', role: 'admin' },
  member: { sub: 'u1', role: 'member' },
  'another member': { sub: 'u2', role: 'member' },
  auditor: { sub: 'eve', role: 'auditor' },
  'a token without a role': { sub: 'u1', role: 'root' as 'member', organisation: 'acme' },
};
const COMMAND = ['platform', 'admin'];
const READ = ['platform', 'admin', 'auditor'];
const OWN = ['platform', 'member', 'auditor'];
const SPEND = ['platform'];
const ANY = Object.keys(WHO).filter((name) => name !== 'a token without a role');

/** Who may, route by route, as design.md section 5 and api.md say. */
const MAY: Record<string, string[]> = {
  'PUT /v1/organisations/{organisationId}': COMMAND,
  'GET /v1/organisations/{organisationId}': READ,
  'POST /v1/organisations/{organisationId}/purchases': SPEND,
  'PATCH /v1/organisations/{organisationId}/limits': COMMAND,
  'GET /v1/organisations/{organisationId}/limits': READ,
  'PUT /v1/organisations/{organisationId}/members/{userId}': COMMAND,
  'DELETE /v1/organisations/{organisationId}/members/{userId}': COMMAND,
  'POST /v1/organisations/{organisationId}/members/batch': COMMAND,
  'GET /v1/organisations/{organisationId}/members': READ,
  'GET /v1/organisations/{organisationId}/members/{userId}': READ,
  'PUT /v1/organisations/{organisationId}/members/{userId}/limits': COMMAND,
  'DELETE /v1/organisations/{organisationId}/members/{userId}/limits': COMMAND,
  'POST /v1/organisations/{organisationId}/allocations': COMMAND,
  'GET /v1/organisations/{organisationId}/allocations': READ,
  'GET /v1/organisations/{organisationId}/allocations/{allocationId}': READ,
  'POST /v1/organisations/{organisationId}/bills': SPEND,
  'GET /v1/organisations/{organisationId}/bills': READ,
  'POST /v1/organisations/{organisationId}/storage': SPEND,
  'GET /v1/organisations/{organisationId}/storage': READ,
  'POST /v1/users/{userId}/bills': SPEND,
  'GET /v1/users/{userId}/bills': OWN,
  'POST /v1/users/{userId}/storage': SPEND,
  'GET /v1/users/{userId}/storage': OWN,
  'POST /v1/estimates': ANY,
  'GET /v1/organisations/{organisationId}/entries': READ,
  'GET /v1/organisations/{organisationId}/balance': READ,
  'GET /v1/organisations/{organisationId}/purchases': READ,
  'GET /v1/users/{userId}': OWN,
  'GET /v1/users/{userId}/entries': OWN,
  'GET /v1/users/{userId}/balance': OWN,
  'GET /v1/users/{userId}/purchases': OWN,
  'PUT /v1/users/{userId}/free-allowance': SPEND,
  'POST /v1/users/{userId}/purchases': SPEND,
  'POST /v1/users/{userId}/usages': SPEND,
  'GET /v1/users/{userId}/usages': OWN,
  'GET /v1/users/{userId}/usages/{usageId}': OWN,
  'POST /v1/users/{userId}/usages/{usageId}/reversal': SPEND,
  'GET /v1/users/{userId}/affordability': OWN,
  'POST /v1/usages/batch': SPEND,
  'GET /v1/events': ANY.filter((name) => name !== 'an admin of nothing'),
  'GET /v1/pricing': ANY,
  'POST /v1/pricing/quote': ANY,
};

describe('who may', () => {
  let ledger: LedgerForSpec;
  beforeAll(async () => {
    ledger = await LedgerForSpec.start();
  });
  afterAll(() => ledger.stop());

  const urlOf = (path: string) =>
    path
      .replace('{organisationId}', 'acme')
      .replace('{userId}', 'u1')
      .replace(/\{\w+\}/, 'x')
      // A feed of events has no end to wait for: who may, meets the shape here too.
      .replace('/v1/events', '/v1/events?nonsense=1');

  it('is said here for every route that is served, and nothing that the contract promises is missing', async () => {
    const { body } = await ledger.send('GET', '/docs/json', { as: false });
    const served = Object.entries(body.paths as Record<string, object>).flatMap(([path, of]) =>
      Object.keys(of).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(served.sort()).toEqual(Object.keys(MAY).sort());
  });

  // A body that is never valid: who may, meets the shape (400) or what is missing (404), and nothing is written.
  it.each(Object.keys(MAY))('%s', async (route) => {
    const [method, path] = route.split(' ') as [string, string];
    for (const [name, as] of Object.entries(WHO)) {
      const { status, body } = await ledger.send(method, urlOf(path), { as, ...(method !== 'GET' && { body: { nonsense: 1 } }) });
      const allowed = MAY[route]!.includes(name);
      expect([name, allowed ? status !== 403 && status !== 401 && status < 500 : body.code]).toEqual([name, allowed || 'FORBIDDEN']);
      if (!allowed)
        expect(body).toMatchObject({
          status: 403,
          needed: expect.arrayContaining([expect.any(String)]),
          detail: expect.stringContaining('needs the role platform'),
        });
    }
  });

  it.each([...Object.keys(MAY), 'GET /v1/unknown', 'DELETE /v1/pricing', 'GET /v1', 'POST /v1/users/{userId}'])(
    '%s answers 401 to nobody, before it reads the body',
    async (route) => {
      const [method, path] = route.split(' ') as [string, string];
      for (const headers of [{}, { authorization: 'Bearer nonsense' }, { authorization: 'Basic YTpi' }] as Record<string, string>[]) {
        const answer = await ledger.send(method, urlOf(path), { as: false, headers, ...(method !== 'GET' && { raw: '{broken' }) });
        expect(answer.status).toBe(401);
        expect(answer.body.code).toBe('UNAUTHENTICATED');
        expect(answer.headers['www-authenticate']).toMatch(/^Bearer /);
      }
    },
  );

  it('what is not served is 404 to who is somebody, and so is another method', async () => {
    for (const [method, path] of [
      ['GET', '/v1/unknown'],
      ['DELETE', '/v1/pricing'],
      ['GET', '/v1'],
      ['PUT', '/v1/users/u1'],
      ['POST', '/v1/organisations/acme'],
      ['GET', '/v1/users/u1/'],
      ['GET', '/V1/pricing'],
      ['GET', '/unknown'],
    ] as const)
      expect((await ledger.send(method, path)).body).toMatchObject({ status: 404, code: 'NOT_FOUND', type: '/docs/problems/NOT_FOUND' });
  });

  it('operations and documentation are open, and nothing else is', async () => {
    for (const path of ['/health/live', '/health/ready', '/metrics', '/docs', '/docs/json', '/docs/problems', '/docs/problems/FORBIDDEN'])
      expect([path, (await ledger.send('GET', path, { as: false })).status]).toEqual([path, 200]);
    expect((await ledger.send('GET', '/docs/problems/NONSENSE', { as: false })).status).toBe(404);
  });

  it('HEAD is what its GET is', async () => {
    expect((await ledger.send('HEAD', '/v1/users/u1', { as: false })).status).toBe(401);
    expect((await ledger.send('HEAD', '/v1/users/u1', { as: WHO['another member']! })).status).toBe(403);
    const { status, body, headers } = await ledger.send('HEAD', '/v1/users/u1');
    expect([status, body]).toEqual([200, '']);
    const got = await ledger.send('GET', '/v1/users/u1');
    const ofTheAnswer = ['etag', 'cache-control', 'vary', 'content-type', 'content-length'];
    expect(ofTheAnswer.map((name) => headers[name])).toEqual(ofTheAnswer.map((name) => got.headers[name]));
    expect(headers['etag']).toBeDefined();
    const same = await ledger.send('HEAD', '/v1/users/u1', { headers: { 'if-none-match': headers['etag']! } });
    expect([same.status, same.headers['etag'], same.headers['content-length']]).toEqual([304, headers['etag'], undefined]);
  });

  it('a role is asked of the path, not of its encoding', async () => {
    const admin = { sub: 'ann', role: 'admin', organisation: 'acme' } as const;
    await ledger.send('PUT', '/v1/organisations/acme', { as: admin });
    expect((await ledger.send('GET', '/v1/organisations/%61cme', { as: admin })).body).toMatchObject({ organisationId: 'acme' });
    expect((await ledger.send('GET', '/v1/organisations/ACME', { as: admin })).status).toBe(403);
  });
});
