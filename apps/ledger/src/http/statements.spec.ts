import type { TokenClaims } from '../auth/local-key';
import { Clock } from '../wallets/clock';
import { LedgerForSpec } from './ledger-for-spec';
import { parseCsv } from './testing/parse-csv';

const MEMBER: TokenClaims = { sub: 'u1', role: 'member' };
const ADMIN: TokenClaims = { sub: 'ann', role: 'admin', organisation: 'acme' };

describe('statements, purchases and balances of the past', () => {
  let ledger: LedgerForSpec;
  let now = Date.parse('2026-11-23T12:00:00.000Z');
  let settled: Record<string, string>;
  const get = (path: string, sent: Parameters<LedgerForSpec['send']>[2] = {}) => ledger.send('GET', `/v1${path}`, sent);
  const post = (path: string, body: object) => ledger.send('POST', `/v1${path}`, { body });

  beforeAll(async () => {
    ledger = await LedgerForSpec.start({ FREE_TOKENS_PER_MONTH: '10' });
    ledger.app.get(Clock).now = () => now;
    await ledger.send('PUT', '/v1/organisations/acme');
    await post('/organisations/acme/purchases', { tokens: 1_000, paymentReference: 'p1', purchasedBy: 'ann' });
    now += 1_000;
    await ledger.send('PUT', '/v1/organisations/acme/members/u1', { body: { status: 'permitted' } });
    await ledger.send('PUT', '/v1/organisations/acme/members/u2', { body: { status: 'permitted' } });
    const made = await post('/organisations/acme/allocations', {
      lines: [
        { userId: 'u1', tokens: 50 },
        { userId: 'u2', tokens: 5 },
      ],
      memo: '=1+1',
    });
    settled = { 'ledger-position': made.headers['ledger-position']! };
    await get('/users/u1', { headers: settled });
    now += 1_000;
    await post('/users/u1/usages', { tokens: 30, service: 'chat, "v2"', reference: '=cmd|calc', occurredAt: '2026-11-22T10:00:00.000Z' });
    now += 1_000;
    await post('/organisations/acme/purchases', { tokens: 300, paymentReference: '-p2' });
    await post('/users/u1/purchases', { tokens: 200, paymentReference: 'p1' });
  });
  afterAll(() => ledger.stop());

  it('tell a user every step, with what moved, what was there after it, and who asked', async () => {
    const { body } = await get('/users/u1/entries', { as: MEMBER });
    expect(body.nextCursor).toBeNull();
    expect(
      body.data.map(({ type, tokens, balanceAfter }: { type: string; tokens: number; balanceAfter: { balance: number } }) => [
        type,
        tokens,
        balanceAfter.balance,
      ]),
    ).toEqual([
      ['UserWalletOpened', 0, 0],
      ['FreeAllowanceGranted', 10, 10],
      ['AllocationReceived', 50, 60],
      ['TokensUsed', -30, 30],
      ['TokensPurchased', 200, 230],
    ]);
    expect(body.data[3]).toEqual({
      position: expect.any(String),
      revision: 3,
      at: '2026-11-23T12:00:02.000Z',
      occurredAt: '2026-11-22T10:00:00.000Z',
      type: 'TokensUsed',
      tokens: -30,
      lines: [
        { account: 'user:u1:free', tokens: -10 },
        { account: 'platform:usage', tokens: 10 },
        { account: 'user:u1:allocated:acme', tokens: -20 },
        { account: 'platform:usage', tokens: 20 },
      ],
      balanceAfter: { free: { tokens: 0, month: '2026-11' }, allocated: [{ organisationId: 'acme', tokens: 30 }], balance: 30 },
      actor: 'billing',
      reference: '=cmd|calc',
      service: 'chat, "v2"',
      usageId: expect.any(String),
    });
    // The position of an entry is one that a read can wait for.
    expect((await get('/users/u1', { headers: { 'ledger-position': body.data[3].position } })).status).toBe(200);
  });

  it('tell an organisation what left for its members, in sum, and nothing that is theirs', async () => {
    const { body } = await get('/organisations/acme/entries', { as: ADMIN });
    expect(
      body.data.map(({ type, tokens, balanceAfter }: { type: string; tokens: number; balanceAfter: object }) => [
        type,
        tokens,
        balanceAfter,
      ]),
    ).toEqual([
      ['OrganisationWalletOpened', 0, { available: 0, balance: 0 }],
      ['TokensPurchased', 1_000, { available: 1_000, balance: 1_000 }],
      ['MemberPermitted', 0, { available: 1_000, balance: 1_000 }],
      ['MemberPermitted', 0, { available: 1_000, balance: 1_000 }],
      ['TokensAllocated', -55, { available: 945, balance: 945 }],
      ['TokensPurchased', 300, { available: 1_245, balance: 1_245 }],
    ]);
    expect(body.data[4]).toMatchObject({
      memo: '=1+1',
      allocationId: expect.any(String),
      lines: [
        { account: 'organisation:acme:available', tokens: -55 },
        { account: 'organisation:acme:inTransit', tokens: 55 },
      ],
    });
    expect(JSON.stringify(body)).not.toContain('u1');
    for (const path of ['/users/u1/entries', '/users/u1/balance', '/users/u1/purchases'])
      expect((await get(path, { as: ADMIN })).body.code).toBe('FORBIDDEN');
    for (const path of ['/organisations/acme/entries', '/organisations/acme/balance', '/organisations/acme/purchases', '/users/u2/entries'])
      expect((await get(path, { as: MEMBER })).body.code).toBe('FORBIDDEN');
  });

  it('carry the balance into a page that begins with what moves nothing', async () => {
    const { body } = await get('/organisations/acme/entries?type=MemberPermitted');
    expect(body.data.map(({ revision, balanceAfter }: { revision: number; balanceAfter: object }) => [revision, balanceAfter])).toEqual([
      [2, { available: 1_000, balance: 1_000 }],
      [3, { available: 1_000, balance: 1_000 }],
    ]);
  });

  it('take from as inclusive and to as exclusive, to the millisecond', async () => {
    const types = async (query: string) =>
      (await get(`/users/u1/entries?${query}`)).body.data.map(({ revision }: { revision: number }) => revision);
    expect(await types('from=2026-11-23T12:00:02.000Z')).toEqual([3, 4]);
    expect(await types('from=2026-11-23T12:00:02.001Z')).toEqual([4]);
    expect(await types('to=2026-11-23T12:00:02.000Z')).toEqual([0, 1, 2]);
    expect(await types('to=2026-11-23T12:00:02.001Z')).toEqual([0, 1, 2, 3]);
    expect(await types('from=2026-11-23T12:00:02Z&to=2026-11-23T12:00:02.001Z&type=TokensUsed,TokensPurchased')).toEqual([3]);
    expect(await types('from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z')).toEqual([0, 1, 2, 3, 4]);
    expect(await types('from=2030-01-01T00:00:00Z')).toEqual([]);
  });

  it('give every entry once, while others are written', async () => {
    const seen: number[] = [];
    let cursor = '';
    do {
      const { body } = await get(`/users/u2/entries?limit=1${cursor}`);
      seen.push(...body.data.map(({ revision }: { revision: number }) => revision));
      if (seen.length < 8) await post('/users/u2/usages', { tokens: 1 });
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
    } while (cursor !== '');
    expect(seen).toEqual([...Array(seen.length).keys()]);
    expect(seen.length).toBeGreaterThanOrEqual(8);
  });

  it('are CSV to who prefers it, one row per entry, which sums to the balance and runs in no spreadsheet', async () => {
    const json = (await get('/users/u1/entries')).body.data;
    const first = await get('/users/u1/entries?limit=4', { headers: { accept: 'text/csv' } });
    expect(first.headers['content-type']).toBe('text/csv; charset=utf-8; header=present');
    expect(first.headers['link']).toBe(`</v1/users/u1/entries?limit=4&cursor=${first.headers['next-cursor']}>; rel="next"`);
    const [, next] = /<(.*)>/.exec(first.headers['link']!)!;
    const second = await ledger.send('GET', next!, { headers: { accept: 'text/csv' } });
    expect([second.headers['link'], second.headers['next-cursor']]).toEqual([undefined, undefined]);
    const [header, ...rows] = parseCsv(first.body);
    const all = [...rows, ...parseCsv(second.body).slice(1)].map((row) =>
      Object.fromEntries(row.map((cell, index) => [header![index], cell])),
    );
    expect(
      all.map((row) => [row['position'], Number(row['revision']), row['at'], row['type'], Number(row['tokens']), Number(row['balance'])]),
    ).toEqual(
      json.map((entry: Record<string, unknown> & { balanceAfter: { balance: number } }) => [
        entry['position'],
        entry['revision'],
        entry['at'],
        entry['type'],
        entry['tokens'],
        entry.balanceAfter.balance,
      ]),
    );
    expect(all[3]).toMatchObject({
      lines: 'user:u1:free -10; platform:usage 10; user:u1:allocated:acme -20; platform:usage 20',
      free: '0',
      freeMonth: '2026-11',
      purchased: '',
      allocated: 'acme 30',
      reference: "'=cmd|calc",
      service: 'chat, "v2"',
      occurredAt: '2026-11-22T10:00:00.000Z',
    });
    expect(all.reduce((sum, row) => sum + Number(row['tokens']), 0)).toBe(230);
    const organisation = parseCsv((await get('/organisations/acme/entries', { headers: { accept: 'text/csv' } })).body);
    expect(organisation.flat().filter((cell) => /^[=@+]/.test(cell))).toEqual([]);
    expect(organisation.flat()).toContain("'-p2");
    expect((await get('/organisations/none/entries', { headers: { accept: 'text/csv' } })).headers['content-type']).toMatch(
      /problem\+json/,
    );
  });

  it('list purchases newest first, by pages', async () => {
    const { body } = await get('/organisations/acme/purchases', { as: ADMIN });
    expect(body).toMatchObject({
      data: [
        { paymentReference: '-p2', tokens: 300, available: 1_245, owedPaid: 0, actor: 'billing', at: '2026-11-23T12:00:03.000Z' },
        { paymentReference: 'p1', tokens: 1_000, available: 1_000, purchasedBy: 'ann', priceCents: 950, discountPercent: 5 },
      ],
      nextCursor: null,
    });
    const first = (await get('/organisations/acme/purchases?limit=1')).body;
    const second = (await get(`/organisations/acme/purchases?limit=1&cursor=${first.nextCursor}`)).body;
    expect([...first.data, ...second.data]).toEqual(body.data);
    expect(second.nextCursor).toBeNull();
    expect((await get('/users/u1/purchases', { as: MEMBER })).body.data).toMatchObject([{ paymentReference: 'p1', available: 230 }]);
    expect((await get('/users/stranger/purchases')).body).toEqual({ data: [], nextCursor: null });
  });

  it('say what was there at an instant, events of that instant included', async () => {
    const at = async (path: string, instant: string) => (await get(`${path}/balance?at=${instant}`)).body;
    expect(await at('/organisations/acme', '2026-11-23T12:00:00.999Z')).toEqual({
      at: '2026-11-23T12:00:00.999Z',
      revision: 1,
      available: 1_000,
      inTransit: 0,
      owed: 0,
    });
    expect(await at('/organisations/acme', '2026-11-23T12:00:01.000Z')).toMatchObject({ revision: 4, available: 945, inTransit: 0 });
    expect(await at('/organisations/acme', '2020-01-01T00:00:00Z')).toMatchObject({ revision: -1, available: 0, inTransit: 0, owed: 0 });
    expect(await at('/users/u1', '2026-11-23T12:00:01.999Z')).toEqual({
      at: '2026-11-23T12:00:01.999Z',
      revision: 2,
      balance: 60,
      free: { tokens: 10, tokensPerMonth: 10, month: '2026-11', resetsAt: '2026-12-01T00:00:00.000Z' },
      purchased: 0,
      allocated: [{ organisationId: 'acme', tokens: 50 }],
      owed: 0,
    });
    expect(await at('/users/u1', '2026-11-23T12:00:02.000Z')).toMatchObject({ revision: 3, balance: 30, free: { tokens: 0 } });
    expect(await at('/users/u1', '1970-01-01T00:00:00Z')).toMatchObject({
      revision: -1,
      balance: 10,
      allocated: [],
      free: { month: '1970-01' },
    });
  });

  it('roll the month of free tokens over, without any event', async () => {
    const before = now;
    now = Date.parse('2027-02-01T00:00:00.000Z');
    const at = async (instant: string) => (await get(`/users/u1/balance?at=${instant}`)).body;
    expect(await at('2026-11-30T23:59:59.999Z')).toMatchObject({ balance: 230, free: { tokens: 0, month: '2026-11' } });
    expect(await at('2026-12-01T00:00:00.000Z')).toMatchObject({ balance: 240, revision: 4, free: { tokens: 10, month: '2026-12' } });
    expect(await at('2027-02-01T00:00:00.000Z')).toMatchObject({ balance: 240, free: { month: '2027-02' } });
    now = before;
  });

  it('are in the OpenAPI document, with CSV, tags and every filter', async () => {
    const { paths, components } = (await ledger.send('GET', '/docs/json')).body;
    const { parameters, responses } = paths['/v1/users/{userId}/entries'].get;
    expect(Object.keys(responses[200].content)).toEqual(['application/json', 'text/csv']);
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['200', '304', '400', '401', '403', '503']));
    expect(parameters.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['userId', 'limit', 'cursor', 'from', 'to', 'type', 'Ledger-Position', 'If-None-Match']),
    );
    expect(paths['/v1/users/{userId}/balance'].get.responses[200].content['application/json'].schema.$ref).toMatch(/UserBalanceAt$/);
    const entry = (await get('/users/u1/entries')).body.data[3];
    expect(Object.keys(components.schemas.Entry.properties)).toEqual(expect.arrayContaining(Object.keys(entry)));
    expect(Object.keys(entry)).toEqual(expect.arrayContaining(components.schemas.Entry.required));
  });

  it('refuse what nobody can answer', async () => {
    const fields = async (path: string) => {
      const { status, body } = await get(path);
      return [status, body.code, body.errors.map(({ field }: { field: string }) => field)];
    };
    const refused = (...names: string[]) => [400, 'VALIDATION_FAILED', names.map((name) => `/${name}`)];
    for (const instant of ['yesterday', '2026-11-23', '2026-11-23T12:00:00', '2026-11-23T12:00:00%2B01:00', '2026-02-30T00:00:00Z', ''])
      expect(await fields(`/users/u1/entries?from=${instant}&to=${instant}`)).toEqual(refused('from', 'to'));
    expect(await fields('/users/u1/balance?at=2026-11-23T12:00:03.001Z')).toEqual(refused('at'));
    expect(await fields('/users/u1/balance?at=1969-12-31T23:59:59Z')).toEqual(refused('at'));
    expect(await fields('/organisations/acme/balance?at=9999-12-31T23:59:59Z')).toEqual(refused('at'));
    expect(await fields('/users/u1/entries?from=2026-11-23T12:00:00Z&to=2026-11-23T12:00:00Z')).toEqual(refused('to'));
    expect(await fields('/users/u1/entries?type=TokensAllocated')).toEqual(refused('type'));
    expect(await fields('/organisations/acme/entries?type=TokensAllocated,')).toEqual(refused('type'));
    expect(await fields('/users/u1/entries?limit=501&cursor=x&kind=1')).toEqual(refused('limit', 'kind'));
    expect(await fields('/users/u1/entries?cursor=x')).toEqual(refused('cursor'));
    const { nextCursor } = (await get('/organisations/acme/purchases?limit=1')).body;
    expect(await fields(`/users/u1/entries?cursor=${nextCursor}`)).toEqual(refused('cursor'));
    for (const path of ['entries', 'balance', 'purchases'])
      expect((await get(`/organisations/none/${path}`)).body).toMatchObject({ status: 404, code: 'ORGANISATION_NOT_FOUND' });
    expect((await get('/users/stranger/entries')).body).toEqual({ data: [], nextCursor: null });
  });

  it('are tagged by their bytes: unchanged is 304, and a new day or another wallet never is', async () => {
    const path = '/organisations/acme/members/u1';
    const first = await get(path);
    expect(first.headers).toMatchObject({ etag: expect.stringMatching(/^".+"$/), 'cache-control': 'private, no-cache' });
    const again = (headers: Record<string, string>) => get(path, { headers });
    const same = await again({ 'if-none-match': `"other", W/${first.headers['etag']}` });
    expect([same.status, same.body, same.headers['etag'], same.headers['content-type']]).toEqual([
      304,
      '',
      first.headers['etag'],
      undefined,
    ]);
    expect((await again({ 'if-none-match': '"other"' })).status).toBe(200);
    now += 86_400_000;
    const nextDay = await again({ 'if-none-match': first.headers['etag']! });
    expect([nextDay.status, nextDay.body.limits.usage.daily.window]).toEqual([200, '2026-11-24']);
    expect((await get(path, { as: MEMBER, headers: { 'if-none-match': nextDay.headers['etag']! } })).status).toBe(403);
    const json = await get('/users/u1/entries');
    const csv = await get('/users/u1/entries', { headers: { accept: 'text/csv', 'if-none-match': json.headers['etag']! } });
    expect([csv.status, csv.headers['vary']]).toEqual([200, 'accept, authorization']);
    expect((await get('/organisations/none', { headers: { 'if-none-match': '*' } })).status).toBe(404);
    const head = await ledger.send('HEAD', `/v1${path}`);
    expect([head.status, head.body]).toEqual([200, '']);
  });
});
