import { Ajv } from 'ajv';
import { type Answer, LedgerForSpec, type Sent } from './ledger-for-spec';
import { SCHEMAS_AT, type JsonSchema } from './validation/schemas';

/** Fields that the schema does not name are a defect here, although clients are told to ignore them. */
function closed(schema: JsonSchema): JsonSchema {
  if (!schema.properties) return schema.items ? { ...schema, items: closed(schema.items) } : schema;
  const properties = Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [name, closed(property)]));
  return { ...schema, properties, additionalProperties: schema.additionalProperties ?? false };
}

describe('what the ledger answers', () => {
  let ledger: LedgerForSpec;
  let paths: Record<
    string,
    Record<string, { responses: Record<string, { description: string; content: Record<string, { schema: { $ref: string } }> }> }>
  >;
  let schemas: Ajv;
  beforeAll(async () => {
    ledger = await LedgerForSpec.start({ FREE_TOKENS_PER_MONTH: '10' });
    const { body } = await ledger.send('GET', '/docs/json', { as: false });
    paths = body.paths;
    const components = Object.fromEntries(
      Object.entries(body.components.schemas as Record<string, JsonSchema>).map(([name, schema]) => [name, closed(schema)]),
    );
    schemas = new Ajv({ strict: false, validateFormats: false }).addSchema({ $id: 'doc', components: { schemas: components } });
  });
  afterAll(() => ledger.stop());

  /** Sends, and holds the answer against what the OpenAPI document says of this route and status. */
  async function send(method: string, url: string, sent: Sent = {}): Promise<Answer> {
    const answer = await ledger.send(method, url, sent);
    const path = Object.keys(paths).find(
      (candidate) =>
        method.toLowerCase() in paths[candidate]! && new RegExp(`^${candidate.replace(/\{\w+\}/g, '[^/]+')}$`).test(url.split('?')[0]!),
    );
    const response = paths[path!]![method.toLowerCase()]!.responses[answer.status];
    expect([url, answer.status, response !== undefined]).toEqual([url, answer.status, true]);
    // The description of a refusal lists the codes that it may have.
    if (answer.status >= 400)
      expect([method, url, response!.description.split(', ')]).toEqual([method, url, expect.arrayContaining([answer.body.code])]);
    const { $ref } = Object.values(response!.content)[0]!.schema;
    expect($ref.startsWith(SCHEMAS_AT)).toBe(true);
    schemas.validate(`doc${$ref}`, answer.body);
    expect({ $ref, errors: schemas.errors }).toEqual({ $ref, errors: null });
    return answer;
  }
  const at = (answer: Answer) => ({ 'ledger-position': answer.headers['ledger-position']! });

  it('to the life of an organisation', async () => {
    expect((await send('GET', '/v1/organisations/acme')).body).toMatchObject({ code: 'ORGANISATION_NOT_FOUND', organisationId: 'acme' });
    for (const path of ['/limits', '/members', '/members/u1', '/allocations', '/allocations/x'])
      expect((await send('GET', `/v1/organisations/acme${path}`)).body.code).toBe('ORGANISATION_NOT_FOUND');

    const opened = await send('PUT', '/v1/organisations/acme', { body: { timeZone: 'Europe/Berlin' } });
    expect([opened.status, opened.body.timeZone, opened.headers['ledger-position']]).toEqual([201, 'Europe/Berlin', expect.any(String)]);
    expect((await send('PUT', '/v1/organisations/acme', { body: { timeZone: 'UTC' } })).status).toBe(200);
    expect((await send('PUT', '/v1/organisations/acme', { body: { timeZone: 'Mars/Olympus' } })).body.code).toBe('VALIDATION_FAILED');

    expect((await send('PATCH', '/v1/organisations/acme/limits', { body: { usage: { daily: 50 } } })).body).toEqual({
      usage: { daily: 50, monthly: null },
      allocation: { daily: null, monthly: null },
    });
    expect(
      (await send('PATCH', '/v1/organisations/acme/limits', { body: { usage: { daily: null }, allocation: { monthly: 0 } } })).body,
    ).toEqual({ usage: { daily: null, monthly: null }, allocation: { daily: null, monthly: 0 } });
    expect((await send('PATCH', '/v1/organisations/acme/limits', { body: { allocation: { monthly: null } } })).status).toBe(200);
    expect((await send('GET', '/v1/organisations/acme/limits')).body.allocation.monthly).toBeNull();

    const bought = await send('POST', '/v1/organisations/acme/purchases', { body: { tokens: 5_000, paymentReference: 'p1' } });
    expect(bought.body).toMatchObject({ tokens: 5_000, listPriceCents: 5_000, discountPercent: 10, priceCents: 4_500, available: 5_000 });
    expect((await send('POST', '/v1/organisations/acme/purchases', { body: { tokens: 199, paymentReference: 'p2' } })).body.code).toBe(
      'PURCHASE_TOO_SMALL',
    );
    expect((await send('POST', '/v1/organisations/acme/purchases', { body: { tokens: 500, paymentReference: 'p1' } })).body).toMatchObject({
      status: 409,
      code: 'PAYMENT_REFERENCE_USED',
    });
  });

  it('to the life of its members', async () => {
    const member = '/v1/organisations/acme/members/u1';
    expect((await send('GET', member)).body.code).toBe('MEMBER_NOT_FOUND');
    expect((await send('DELETE', member)).body.code).toBe('MEMBER_NOT_FOUND');
    expect((await send('PUT', `${member}/limits`, { body: {} })).body.code).toBe('MEMBER_NOT_FOUND');
    expect((await send('PUT', member, { body: { status: 'permitted' } })).status).toBe(201);
    const statusOf = async (method: string, body?: object) => {
      const answer = await send(method, member, body ? { body } : {});
      return [answer.status, answer.body.status];
    };
    expect(await statusOf('PUT', { status: 'suspended' })).toEqual([200, 'suspended']);
    expect(await statusOf('DELETE')).toEqual([200, 'removed']);
    expect(await statusOf('DELETE')).toEqual([200, 'removed']);
    expect(await statusOf('PUT', { status: 'permitted' })).toEqual([200, 'permitted']);
    const limited = await send('PUT', `${member}/limits`, { body: { usage: { daily: 5 } } });
    expect(limited.body.limits.usage.daily).toMatchObject({ limit: 5, source: 'member', used: 0, remaining: 5 });
    expect((await send('DELETE', `${member}/limits`)).body.limits.usage.daily).toMatchObject({
      limit: null,
      source: 'default',
      remaining: null,
    });

    const batch = (members: object[], query = '') => send('POST', `/v1/organisations/acme/members/batch${query}`, { body: { members } });
    const lines = [
      { userId: 'u1', status: 'permitted' },
      { userId: 'u2', status: 'permitted', limits: { usage: { daily: 0 } } },
      { userId: 'u3', status: 'suspended', limits: null },
    ];
    expect((await batch(lines, '?dryRun=true')).body).toEqual({ members: 3, changed: 2 });
    const set = await batch(lines);
    expect([set.status, set.body]).toEqual([200, { members: 3, changed: 2 }]);
    expect((await batch([lines[0]!, lines[0]!])).body).toMatchObject({ code: 'DUPLICATE_MEMBER' });
    const list = (query: string) => send('GET', `/v1/organisations/acme/members?${query}`, { headers: at(set) });
    expect((await list('')).body.data).toHaveLength(3);
    expect((await list('status=suspended')).body.data.map(({ userId }: { userId: string }) => userId)).toEqual(['u3']);
    expect((await list('blocked=true')).body.data.map(({ userId }: { userId: string }) => userId)).toEqual(['u2', 'u3']);
    const first = (await list('limit=2')).body;
    expect((await list(`limit=2&cursor=${first.nextCursor}`)).body).toMatchObject({ data: [{ userId: 'u3' }], nextCursor: null });
  });

  it('to an allocation, and to who names its position', async () => {
    const allocate = (lines: object[], query = '') =>
      send('POST', `/v1/organisations/acme/allocations${query}`, { body: { lines, memo: 'week 48' } });
    const dry = await allocate([{ userId: 'u1', tokens: 100 }], '?dryRun=true');
    expect([dry.status, dry.body, dry.headers['ledger-position']]).toEqual([
      200,
      { tokens: 100, lineCount: 1, available: 4_900 },
      undefined,
    ]);
    const made = await allocate([
      { userId: 'u1', tokens: 100 },
      { userId: 'u2', tokens: 50 },
    ]);
    expect([made.status, made.body]).toEqual([201, { allocationId: expect.any(String), tokens: 150, lineCount: 2, available: 4_850 }]);
    expect(
      (
        await allocate([
          { userId: 'u1', tokens: 1 },
          { userId: 'stranger', tokens: 1 },
        ])
      ).body,
    ).toMatchObject({ code: 'ALLOCATION_REFUSED', failedLines: 1 });
    const read = await send('GET', `/v1/organisations/acme/allocations/${made.body.allocationId}`, { headers: at(made) });
    expect(read.body).toMatchObject({ settled: true, settledLines: 2, memo: 'week 48', actor: 'billing', nextCursor: null });
    expect((await send('GET', '/v1/users/u1', { headers: at(made) })).body).toMatchObject({
      balance: 110,
      free: { tokens: 10 },
      allocated: [{ organisationId: 'acme', tokens: 100, usable: 100 }],
    });
    expect((await send('GET', '/v1/organisations/acme/allocations')).body.data).toHaveLength(1);
    expect((await send('GET', '/v1/organisations/acme/allocations/none')).body.code).toBe('ALLOCATION_NOT_FOUND');
  });

  it('to usages, their reversal, and what would be', async () => {
    const afford = (query: string) => send('GET', `/v1/users/u1/affordability?${query}`);
    expect((await afford('variableCostEuros=0.10')).body).toEqual({
      affordable: true,
      tokens: 19,
      charged: [
        { source: 'free', tokens: 10 },
        { source: 'allocated', organisationId: 'acme', tokens: 9 },
      ],
      blockedBy: [],
    });
    expect((await afford('tokens=500&sources=free,allocated')).body).toMatchObject({
      affordable: false,
      tokens: 500,
      charged: [],
      blockedBy: [{ code: 'INSUFFICIENT_TOKENS', status: 402, missing: 390 }],
    });
    expect((await afford('tokens=1&organisationId=nowhere')).body.code).toBe('ORGANISATION_NOT_FOUND');

    const used = await send('POST', '/v1/users/u1/usages', { body: { variableCostEuros: '0.10', service: 'chat', reference: 'c1' } });
    expect([used.status, used.body]).toEqual([201, { usageId: expect.any(String), tokens: 19, charged: expect.any(Array), balance: 91 }]);
    expect((await send('POST', '/v1/users/u1/usages', { body: { tokens: 1_000 } })).body).toMatchObject({
      status: 402,
      code: 'INSUFFICIENT_TOKENS',
      requested: 1_000,
      sources: expect.any(Array),
    });
    const { usageId } = used.body;
    expect((await send('GET', `/v1/users/u1/usages/${usageId}`, { headers: at(used) })).body).toMatchObject({
      usageId,
      reversed: false,
      service: 'chat',
    });
    const reversed = await send('POST', `/v1/users/u1/usages/${usageId}/reversal`);
    expect([reversed.status, reversed.body]).toEqual([201, { usageId, tokens: 19, returned: used.body.charged, balance: 110 }]);
    expect((await send('POST', `/v1/users/u1/usages/${usageId}/reversal`)).body).toMatchObject({
      status: 409,
      code: 'USAGE_ALREADY_REVERSED',
    });
    expect((await send('GET', '/v1/users/u1/usages?reference=c1', { headers: at(reversed) })).body).toMatchObject({
      data: [{ usageId, reversed: true }],
      nextCursor: null,
    });
    expect((await send('GET', '/v1/users/u1/usages/none')).body.code).toBe('USAGE_NOT_FOUND');
    expect((await send('PUT', '/v1/users/u1/free-allowance', { body: { tokensPerMonth: 25 } })).body).toMatchObject({
      userId: 'u1',
      tokens: 25,
      tokensPerMonth: 25,
    });
  });

  it('to prices', async () => {
    expect((await send('GET', '/v1/pricing')).body).toMatchObject({
      version: '2026-01',
      minimumTokens: 200,
      hosting: { tokensPerMemberPerMonth: 10, freeCampuses: 1, freeCourses: 3 },
      storage: { tokensPerGigabytePerMonth: '3.99', freeGigabytes: '1', bytesPerGigabyte: 1_000_000_000, daysPerMonth: 30 },
      ai: { percentOfCost: 190, leastTokens: 1 },
    });
    expect((await send('POST', '/v1/pricing/quote', { body: { tokens: 999 } })).body).toEqual({
      tokens: 999,
      listPriceCents: 999,
      discountPercent: 0,
      priceCents: 999,
      better: { tokens: 1_000, priceCents: 950 },
    });
    const euros = await send('POST', '/v1/pricing/quote', { body: { euros: '50.00' } });
    expect([euros.status, euros.body]).toEqual([200, { tokens: 5_000, listPriceCents: 5_000, discountPercent: 10, priceCents: 4_500 }]);
    for (const body of [{ euros: '0' }, { euros: '1.234' }, { euros: 50 }, {}, { tokens: 1, euros: '1' }, { tokens: 1e13 }])
      expect((await send('POST', '/v1/pricing/quote', { body })).body.code).toBe('VALIDATION_FAILED');
    expect((await send('POST', '/v1/pricing/quote', { body: { tokens: 199 } })).body).toMatchObject({
      code: 'PURCHASE_TOO_SMALL',
      minimum: 200,
    });
  });

  it('to bills of both kinds of owner, and to what they would be', async () => {
    const month = new Date().toISOString().slice(0, 7);
    const day = new Date().toISOString().slice(0, 10);
    const hosting = { kind: 'hosting', month, campuses: [5, 5], courses: [], onShortfall: 'decline' };
    const storage = { day, bytes: 2_000_000_000, onShortfall: 'owe' };
    for (const owner of ['/v1/organisations/acme', '/v1/users/u1']) {
      const billed = await send('POST', `${owner}/bills`, { body: hosting });
      expect(billed.status).toBe(201);
      expect((await send('POST', `${owner}/bills`, { body: hosting })).status).toBe(billed.body.declined ? 402 : 409);
      expect((await send('POST', `${owner}/storage`, { body: storage })).body).toMatchObject({ accruedTokens: '0.133' });
      const last = await send('POST', `${owner}/storage`, { body: { ...storage, day: '2020-01-01' } });
      expect(last.body.code).toBe('TOO_OLD');
      expect((await send('GET', `${owner}/bills`, { headers: at(billed) })).body.data.length).toBeGreaterThanOrEqual(1);
      expect((await send('GET', `${owner}/storage`)).status).toBe(200);
    }
    expect((await send('POST', '/v1/users/u9/bills', { body: { ...hosting, campuses: [5, 500] } })).body).toMatchObject({ declined: true });
    expect((await send('GET', '/v1/organisations/none/bills')).body.code).toBe('ORGANISATION_NOT_FOUND');

    const plan = { campuses: [75, 75], courses: [30, 30, 30, 30, 30, 30], storageGigabytes: '120', members: 150, eurosPerMember: '5.00' };
    const estimate = (body: object) => send('POST', '/v1/estimates', { body, keyless: true });
    expect((await estimate(plan)).body).toEqual({
      tokensPerMonth: 77_125,
      listPriceCentsPerMonth: 77_125,
      listPriceCentsPerYear: 925_500,
      hosting: { tokens: 1_650, billableCampuses: 1, billableCourses: 3, billablePlaces: 165 },
      storage: { tokens: 475, billableGigabytes: '119' },
      memberAi: { tokens: 75_000, members: 150, tokensPerMember: 500, conversationsPerMember: 26 },
      free: [
        { what: 'campuses', amount: '1', why: 'The first (oldest) campus is free.' },
        { what: 'courses', amount: '3', why: 'The first three (oldest) courses are free.' },
        { what: 'gigabytes', amount: '1', why: 'The first gigabyte (10^9 bytes) is free.' },
      ],
    });
    for (const [field, value] of [
      ['storageGigabytes', 120],
      ['storageGigabytes', '1.0000000001'],
      ['eurosPerMember', '5.001'],
      ['eurosPerMember', 5],
      ['members', -1],
      ['campuses', [1.5]],
      ['courses', '30'],
    ] as const)
      expect((await estimate({ ...plan, [field]: value })).body).toMatchObject({
        code: 'VALIDATION_FAILED',
        errors: [{ field: expect.stringContaining(`/${field}`) }],
      });
    expect((await estimate({ ...plan, members: undefined })).body.errors).toEqual([
      { in: 'body', field: '/members', message: 'is missing' },
    ]);
  });

  it('names the request as its events do, accepted or refused: as the caller did, or by a new id', async () => {
    const use = (tokens: number, headers = {}) => ledger.send('POST', '/v1/users/named/usages', { body: { tokens }, headers });
    const refused = await use(100_000, { 'x-request-id': 'mine-1' });
    expect([refused.status, refused.headers['x-request-id']]).toEqual([402, 'mine-1']);
    const bought = await ledger.send('POST', '/v1/users/named/purchases', { body: { tokens: 200, paymentReference: 'named' } });
    expect(bought.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect((await use(1, { 'x-request-id': 'with space' })).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('to the same key: on POST the first answer to the letter, on PUT the resource as it is now', async () => {
    const headers = { 'idempotency-key': 'again' };
    const use = (body: object) => send('POST', '/v1/users/u9/usages', { body, headers });
    const first = await use({ tokens: 3, service: 'chat' });
    await send('POST', '/v1/users/u9/usages', { body: { tokens: 1 } });
    const second = await use({ service: 'chat', tokens: 3 });
    expect([first.headers['idempotency-replayed'], second.headers['idempotency-replayed']]).toEqual([undefined, 'true']);
    expect([second.status, second.body]).toEqual([first.status, first.body]);
    expect((await use({ tokens: 4, service: 'chat' })).body).toMatchObject({ status: 422, code: 'KEY_REUSED' });
    expect((await send('POST', '/v1/users/u9/purchases', { body: { tokens: 300, paymentReference: 'x' }, headers })).body.code).toBe(
      'KEY_REUSED',
    );

    await send('PUT', '/v1/organisations/globex', { body: { timeZone: 'UTC' }, headers });
    await send('PUT', '/v1/organisations/globex', { body: { timeZone: 'Asia/Tokyo' } });
    const replayed = await send('PUT', '/v1/organisations/globex', { body: { timeZone: 'UTC' }, headers });
    expect([replayed.status, replayed.body.timeZone, replayed.headers['idempotency-replayed']]).toEqual([200, 'Asia/Tokyo', 'true']);
  });

  it('to a dry run, which neither takes nor looks up a key', async () => {
    const body = { members: [{ userId: 'u5', status: 'permitted' }] };
    const dry = '/v1/organisations/acme/members/batch?dryRun=true';
    const headers = { 'idempotency-key': 'dry' };
    expect((await send('POST', dry, { body, keyless: true })).body).toEqual({ members: 1, changed: 1 });
    expect((await send('POST', dry, { body, headers: { 'idempotency-key': 'not a key' } })).status).toBe(200);
    expect((await send('POST', dry, { body, headers })).body).toEqual({ members: 1, changed: 1 });
    const { status, body: set } = await send('POST', '/v1/organisations/acme/members/batch', { body, headers });
    expect([status, set]).toEqual([200, { members: 1, changed: 1 }]);
    expect((await send('POST', dry, { body, headers })).body).toEqual({ members: 1, changed: 0 });
    expect((await send('POST', '/v1/organisations/acme/members/batch?dryRun=false', { body, keyless: true })).body.code).toBe(
      'KEY_MISSING',
    );
  });

  it('with no cache that does not ask', async () => {
    expect((await send('GET', '/v1/users/u1')).headers['cache-control']).toBe('private, no-cache');
    expect((await send('GET', '/v1/organisations/none')).headers['cache-control']).toBe('no-store');
  });
});
