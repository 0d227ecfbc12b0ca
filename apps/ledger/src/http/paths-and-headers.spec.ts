import { connect, type AddressInfo } from 'node:net';
import { type Answer, LedgerForSpec, PLATFORM, type Sent } from './ledger-for-spec';

describe('a path, a query or a header that is not valid', () => {
  let ledger: LedgerForSpec;
  beforeAll(async () => {
    ledger = await LedgerForSpec.start();
    await ledger.send('PUT', '/v1/organisations/acme');
    await ledger.send('POST', '/v1/users/u1/purchases', { body: { tokens: 1_000, paymentReference: 'p1' } });
  });
  afterAll(() => ledger.stop());
  afterEach(async () => {
    expect((await ledger.send('GET', '/v1/users/u1')).body).toMatchObject({ balance: 1_000 });
  });

  const usages = '/v1/users/u1/usages';
  const use = (sent: Sent) => ledger.send('POST', usages, sent);
  const readTo = ({ headers }: Answer) =>
    ledger.send('GET', '/v1/users/u1', { headers: { 'ledger-position': headers['ledger-position']! } });
  const fields = ({ body }: Answer) => body.errors.map(({ field }: { field: string }) => field);
  const expectRefused = (answer: Answer, status = 400, code = 'VALIDATION_FAILED') => {
    expect(answer.body).toMatchObject({
      type: `/docs/problems/${code}`,
      status,
      code,
      title: expect.any(String),
      detail: expect.stringMatching(/\.$/),
    });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  };

  it.each([
    'a:b',
    'a%2Fb',
    'a%2fb',
    "a'b",
    'a"b',
    'a%22b',
    'a%0Ab',
    'ab%0A',
    '%2e%2e%2f',
    'a%00b',
    'a*b',
    '%C3%A9',
    'a'.repeat(65),
    'a'.repeat(5_000),
    'a%20b',
    '%25',
  ])('the id %s', async (id) => {
    for (const url of [`/v1/users/${id}`, `/v1/organisations/${id}`, `/v1/organisations/acme/members/${id}`]) {
      const answer = await ledger.send('GET', url);
      expectRefused(answer);
      expect(fields(answer)).toEqual([url.includes('users') || url.includes('members') ? '/userId' : '/organisationId']);
    }
    expectRefused(await ledger.send('POST', `/v1/users/${id}/usages`, { body: { tokens: 1 } }));
  });

  it('takes ids of every character that is allowed, 64 of them, and encoded ones', async () => {
    for (const id of ['a', 'A.z_9~-', '...', 'a'.repeat(64)])
      expect((await ledger.send('GET', `/v1/users/${id}`)).body).toMatchObject({ userId: id });
    expect((await ledger.send('GET', '/v1/users/%61%2D')).body).toMatchObject({ userId: 'a-' });
  });

  /** Bytes as they stand here, up to the end of their connection. */
  async function raw(text: string): Promise<string> {
    if (!ledger.app.getHttpServer().listening) await ledger.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = ledger.app.getHttpServer().address() as AddressInfo;
    return new Promise((resolve) => {
      let answer = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket
        .on('data', (data) => (answer += data.toString()))
        .on('error', () => undefined)
        .on('close', () => resolve(answer));
    });
  }

  it('ids that only a raw request can carry: dots, broken encodings, nothing at all', async () => {
    const token = await ledger.token(PLATFORM);
    for (const path of [
      '/v1/users/..',
      '/v1/users/.',
      '/v1/users/%2e%2E',
      '/v1/users/%zz',
      '/v1/users/%C3',
      '/v1/users//usages/1',
      '/v1/users/a b',
      `/v1/users/${'a'.repeat(20_000)}`,
    ]) {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('application/problem+json');
      expect(answer).toContain('VALIDATION_FAILED');
    }
  });

  it('a request without a Host, or with an expectation that nobody meets', async () => {
    const request = (headers: string) => raw(`GET /health/live HTTP/1.1\r\n${headers}connection: close\r\n\r\n`);
    for (const [headers, field] of [
      ['', 'host'],
      ['host: x\r\nexpect: tea\r\n', 'expect'],
    ] as const) {
      const answer = await request(headers);
      expect(answer).toMatch(/^HTTP\/1\.1 400 .*application\/problem\+json.*VALIDATION_FAILED/s);
      expect(answer).toContain(`The header ${field} m`);
    }
    expect(await request('host: x\r\n')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await request('host: x\r\nexpect: 100-continue\r\n')).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    expect(await raw('GET /health/live HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('no refusal to a request whose connection goes on with what is not HTTP: its command may be accepted', async () => {
    const token = await ledger.token(PLATFORM);
    const body = '{"tokens":1}';
    const request = `POST ${usages} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nidempotency-key: short\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    expect(await raw(`${request}, and more than it said\r\n\r\n`)).not.toMatch(/ 4\d\d /);
    expect(await raw('what is not HTTP\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*VALIDATION_FAILED/s);
    expect((await use({ body: { tokens: 1 }, headers: { 'idempotency-key': 'short' } })).status).toBe(201);
    await ledger.send('POST', '/v1/users/u1/purchases', { body: { tokens: 200, paymentReference: 'short' } });
    await readTo(await use({ body: { tokens: 199 } }));
  });

  it.each([
    ['GET', '/v1/organisations/acme/members?limit=0', '/limit'],
    ['GET', '/v1/organisations/acme/members?limit=501', '/limit'],
    ['GET', '/v1/organisations/acme/members?limit=1.5', '/limit'],
    ['GET', '/v1/organisations/acme/members?limit=', '/limit'],
    ['GET', '/v1/organisations/acme/members?limit=5&limit=6', '/limit'],
    ['GET', '/v1/organisations/acme/members?Limit=5', '/Limit'],
    ['GET', '/v1/organisations/acme/members?status=gone', '/status'],
    ['GET', '/v1/organisations/acme/members?blocked=yes', '/blocked'],
    ['GET', '/v1/organisations/acme/members?cursor=nonsense', '/cursor'],
    ['GET', '/v1/organisations/acme/allocations?cursor=', '/cursor'],
    ['GET', '/v1/organisations/acme?verbose=true', '/verbose'],
    ['GET', '/v1/users/u1?__proto__=1', '/__proto__'],
    ['GET', '/v1/users/u1/usages', '/reference'],
    ['GET', '/v1/users/u1/affordability?tokens=1.5', '/tokens'],
    ['GET', '/v1/users/u1/affordability?tokens=0', '/tokens'],
    ['GET', '/v1/users/u1/affordability?tokens=1&sources=free,gold', '/sources/1'],
    ['GET', '/v1/users/u1/affordability', ''],
    ['POST', '/v1/organisations/acme/allocations?dryRun=1', '/dryRun'],
    ['POST', '/v1/organisations/acme/allocations?dryrun=true', '/dryrun'],
  ])('the query of %s %s', async (method, url, field) => {
    const answer = await ledger.send(method, url, method === 'POST' ? { body: { lines: [{ userId: 'u1', tokens: 1 }] } } : {});
    expectRefused(answer);
    expect(fields(answer)).toEqual([field]);
  });

  it('keys that are missing, empty, too long, with spaces, or given twice; the shape is checked before the key', async () => {
    const keyed = (key: string) => use({ body: { tokens: 1 }, headers: { 'idempotency-key': key } });
    expectRefused(await use({ body: { tokens: 1 }, keyless: true }), 400, 'KEY_MISSING');
    expectRefused(await use({ body: { tokens: 0 }, keyless: true }));
    for (const key of ['', 'k'.repeat(201), 'a b', 'a, a', 'schl\u00fcssel', 'a\tb']) expectRefused(await keyed(key));
    expectRefused(await ledger.send('PUT', '/v1/organisations/acme', { headers: { 'idempotency-key': 'k'.repeat(201) } }));
    expect((await keyed('~'.repeat(200))).status).toBe(201);
    await ledger.send('POST', '/v1/users/u1/purchases', { body: { tokens: 200, paymentReference: 'p2' } });
    await readTo(await use({ body: { tokens: 199 } }));
  });

  it('positions that nobody gave, or another store', async () => {
    const other = Buffer.from('01234567-89ab.5.01234567').toString('base64url');
    const given = (await ledger.send('POST', '/v1/users/u9/usages', { body: { tokens: 1 } })).headers['ledger-position'];
    const withoutEvent = Buffer.from(
      Buffer.from(given ?? '', 'base64url')
        .toString()
        .split('.')
        .slice(0, 2)
        .join('.'),
    ).toString('base64url');
    for (const position of ['garbage', '', '%', other, withoutEvent, 'x'.repeat(5_000)])
      expectRefused(await ledger.send('GET', '/v1/users/u1', { headers: { 'ledger-position': position } }));
    expectRefused(await use({ body: { tokens: 1 }, headers: { 'ledger-position': other } }));
  });
});
