import { Writable } from 'node:stream';
import { pino } from 'pino';
import { LedgerForSpec } from '../http/ledger-for-spec';
import { ProblemFilter } from '../http/problem.filter';
import { Queries } from '../views/queries';
import { ReadModel } from '../views/read-model';

describe('operations', () => {
  let ledger: LedgerForSpec;
  beforeAll(async () => {
    ledger = await LedgerForSpec.start({ HOST: '0.0.0.0' });
  });
  afterAll(() => ledger.stop());
  afterEach(() => jest.restoreAllMocks());
  const open = (path: string) => ledger.send('GET', path, { as: false });

  it('is live, and ready when the read model has caught up', async () => {
    expect((await open('/health/live')).body).toEqual({ status: 'live' });
    expect((await open('/health/ready')).body).toMatchObject({ status: 'ready' });
    jest.spyOn(ledger.app.get(ReadModel), 'ready', 'get').mockReturnValue(false);
    const behind = await open('/health/ready');
    expect([behind.status, behind.body.code, behind.headers['retry-after']]).toEqual([503, 'CATCHING_UP', '1']);
  });

  it('measures commands by outcome and requests by route, never by id', async () => {
    await ledger.send('POST', '/v1/users/some-user/purchases', { body: { tokens: 200, paymentReference: 'p' } });
    await ledger.send('POST', '/v1/users/some-user/purchases', { body: { tokens: 200, paymentReference: 'p' } });
    const { body } = await open('/metrics');
    expect(body).toContain('ledger_commands_total{type="PurchaseTokens",outcome="accepted"} 1');
    expect(body).toContain('ledger_commands_total{type="PurchaseTokens",outcome="refused"} 1');
    expect(body).toContain('ledger_http_request_duration_seconds_count{method="POST",route="/v1/users/:userId/purchases",status="2xx"} 1');
    expect(body).toContain('process_resident_memory_bytes');
    expect(body).toContain('ledger_settlement_gaps 0');
    expect(body).not.toContain('some-user');
  });

  it('keeps the metrics to this machine when HOST means every address', async () => {
    const from = async (remoteAddress: string) => (await ledger.app.inject({ url: '/metrics', remoteAddress })).statusCode;
    expect([await from('127.0.0.1'), await from('::1'), await from('::ffff:127.0.0.1'), await from('10.0.0.5')]).toEqual([
      200, 200, 200, 403,
    ]);
  });

  it('answers a defect without its internals', async () => {
    jest.spyOn(ledger.app.get(Queries), 'user').mockImplementation(() => {
      throw new Error('SQLITE_CORRUPT in /srv/data');
    });
    const { status, body } = await ledger.send('GET', '/v1/users/u1', { headers: { 'x-request-id': 'r-1' } });
    expect([status, body]).toEqual([500, expect.objectContaining({ code: 'INTERNAL_ERROR', requestId: 'r-1' })]);
    expect(JSON.stringify(body)).not.toMatch(/SQLITE|srv/);
  });

  it('logs a defect with its stack, and neither body nor token', async () => {
    const lines: string[] = [];
    const log = pino(new Writable({ write: (line, _, done) => (lines.push(String(line)), done()) }));
    const app = ledger.app.getHttpAdapter().getInstance();
    const reply = { sent: false, header: () => reply, headers: () => reply, code: () => reply, type: () => reply, send: () => reply };
    const request = {
      headers: { authorization: 'Bearer secret' },
      method: 'GET',
      routeOptions: { url: '/v1/x' },
      body: { tokens: 7 },
      server: app,
    };
    new ProblemFilter(1_000, log).answer(new Error('oops'), request as never, reply as never);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: 50,
      route: '/v1/x',
      err: { message: 'oops', stack: expect.stringContaining('operations.spec') },
    });
    expect(lines[0]).not.toMatch(/secret|tokens/);
  });

  it('answers 503 with Retry-After when a position is not reached in 5 s', async () => {
    const written = await ledger.send('PUT', '/v1/organisations/acme');
    const [mark, position, event] = Buffer.from(written.headers['ledger-position']!, 'base64url').toString().split('.');
    const ahead = Buffer.from(`${mark}.${Number(position) + 1_000}.${event}`).toString('base64url');
    const began = Date.now();
    const { status, body, headers } = await ledger.send('GET', '/v1/organisations/acme', { headers: { 'ledger-position': ahead } });
    expect([status, body.code, headers['retry-after']]).toEqual([503, 'POSITION_NOT_REACHED', '1']);
    expect(Date.now() - began).toBeLessThan(6_000);
  }, 10_000);
});
