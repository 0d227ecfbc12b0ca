import { type Answer, LedgerForSpec, PLATFORM, type Sent } from './ledger-for-spec';

describe('a body that is not valid', () => {
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

  it.each(['1.5', '-1', '0', '1e400', '-1e400', '9007199254740992', '"5"', '"NaN"', 'true', 'null', '[]', '{}', '0.1', '1e-3'])(
    'tokens: %s',
    async (tokens) => {
      const answer = await use({ raw: `{"tokens":${tokens}}` });
      expectRefused(answer);
      expect(answer.body.errors).toEqual(
        [
          {
            in: 'body',
            field: '/tokens',
            value: expect.anything(),
            message: 'must be a whole number from 1 to 9007199254740991, not in quotes',
          },
        ].map((error) => (tokens === 'null' ? { ...error, value: null } : error)),
      );
    },
  );

  it.each([
    '{"tokens":NaN}',
    '{"tokens":05}',
    '{"tokens":1',
    'tokens=1',
    '{"tokens":1}}',
    "{'tokens':1}",
    '\ufeff{"tokens":1}',
    '{"tokens":1,"tokens":2}',
    '{"tokens":1,"\\u0074okens":2}',
  ])('what is not one JSON text with each field once: %s', async (raw) => expectRefused(await use({ raw }), 400, 'MALFORMED_JSON'));

  it('bytes that are not UTF-8, and half characters', async () => {
    expectRefused(
      await use({ raw: Buffer.from([...Buffer.from('{"tokens":1,"service":"'), 0xff, ...Buffer.from('"}')]) }),
      400,
      'MALFORMED_JSON',
    );
    expectRefused(await use({ raw: '{"tokens":1,"service":"\\ud800"}' }));
    expectRefused(await use({ raw: '{"tokens":1,"\\udc00":"x"}' }));
  });

  it.each([
    ['null', ''],
    ['[]', ''],
    ['"tokens"', ''],
    ['5', ''],
    ['{}', ''],
    ['{"tokens":1,"variableCostEuros":"0.10"}', ''],
  ])('a body that is %s', async (raw, field) => {
    const answer = await use({ raw });
    expectRefused(answer);
    expect(fields(answer)).toEqual([field]);
    if (raw.startsWith('{'))
      expect(answer.body.detail).toBe('The body must name either tokens or variableCostEuros, and only one of them.');
  });

  it.each([
    ['{"tokens":1,"wallet":{"kind":"organisation","id":"acme"}}', '/wallet'],
    ['{"tokens":1,"envelope":{"actor":"root"}}', '/envelope'],
    ['{"tokens":1,"userId":"u2"}', '/userId'],
    ['{"tokens":1,"usageId":"x"}', '/usageId'],
    ['{"tokens":1,"__proto__":{"wallet":{"id":"u2"}}}', '/__proto__'],
    ['{"tokens":1,"constructor":{"prototype":{"x":1}}}', '/constructor'],
    ['{"tokens":1,"a/b~c":1}', '/a~1b~0c'],
    ['{"tokens":1,"toString":1}', '/toString'],
  ])('a field that the route knows better, or nobody knows: %s', async (raw, field) => {
    const answer = await use({ raw });
    expectRefused(answer);
    expect(fields(answer)).toEqual([field]);
  });

  // Neither a key that is missing nor a wallet that does not exist is spoken of before the shape is right.
  it.each([
    ['POST', '/v1/users/u1/usages', { tokens: 1, occurredAt: 'yesterday' }, '/occurredAt'],
    ['POST', '/v1/users/u1/usages', { tokens: 1, occurredAt: '2026-02-30T00:00:00Z', organisationId: 'nobody' }, '/occurredAt'],
    ['POST', '/v1/users/u1/usages', { tokens: 1, occurredAt: '2026-11-23T12:00:00+01:00' }, '/occurredAt'],
    ['POST', '/v1/users/u1/usages', { variableCostEuros: '00.000' }, '/variableCostEuros'],
    ['POST', '/v1/organisations/nobody/storage', { day: '2026-02-30', bytes: 1, onShortfall: 'owe' }, '/day'],
    ['POST', '/v1/users/u1/storage', { day: '2026-11-31', bytes: 1, onShortfall: 'owe' }, '/day'],
    ['PUT', '/v1/organisations/acme', { timeZone: 'europe/berlin' }, '/timeZone'],
    ['PUT', '/v1/organisations/acme', { timeZone: '+01:00' }, '/timeZone'],
  ])('a text that no calendar has, asked before the key and the wallet: %s %s %j', async (method, url, body, field) => {
    const answer = await ledger.send(method, url, { body, keyless: true });
    expectRefused(answer);
    expect(answer.body.errors).toEqual([
      { in: 'body', field, value: (body as Record<string, unknown>)[field.slice(1)], message: expect.any(String) },
    ]);
  });

  it.each([
    [{ tokens: 1, variableCost: '0.10' }, '/variableCost'],
    [{ variableCostEuros: 0.1 }, '/variableCostEuros'],
    [{ variableCostEuros: '1e3' }, '/variableCostEuros'],
    [{ variableCostEuros: '0,10' }, '/variableCostEuros'],
    [{ variableCostEuros: '0.0' }, '/variableCostEuros'],
    [{ tokens: 1, service: '' }, '/service'],
    [{ tokens: 1, service: 'x'.repeat(201) }, '/service'],
    [{ tokens: 1, organisationId: 'a:b' }, '/organisationId'],
    [{ tokens: 1, sources: [] }, '/sources'],
    [{ tokens: 1, sources: ['free', 'free'] }, '/sources'],
    [{ tokens: 1, sources: ['gold'] }, '/sources/0'],
    [{ tokens: 1, sources: 'free' }, '/sources'],
    [{ tokens: 1, occurredAt: 5 }, '/occurredAt'],
    [{ tokens: 1, occurredAt: 'yesterday' }, '/occurredAt'],
  ])('a usage of %j', async (body, field) => {
    const answer = await use({ body });
    expectRefused(answer);
    expect(fields(answer)).toEqual([field]);
  });

  it('names every bad line of a list, the first hundred, each by its index', async () => {
    const good = { userId: 'u1', tokens: 1 };
    const allocate = (lines: unknown) => ledger.send('POST', '/v1/organisations/acme/allocations', { body: { lines } });
    const answer = await allocate([good, { ...good, tokens: '1' }, { ...good, note: 1 }, { userId: 'a:b', tokens: 1 }, {}, 7, null]);
    expectRefused(answer);
    expect(fields(answer)).toEqual([
      '/lines/1/tokens',
      '/lines/2/note',
      '/lines/3/userId',
      '/lines/4/userId',
      '/lines/4/tokens',
      '/lines/5',
      '/lines/6',
    ]);
    const many = await allocate(Array.from({ length: 10_000 }, () => ({ ...good, tokens: 0 })));
    expect(many.body.errors).toHaveLength(100);
    for (const lines of [[], Array.from({ length: 10_001 }, () => good), 'all']) expect(fields(await allocate(lines))).toEqual(['/lines']);
  });

  it('refuses hostile bodies at a bounded price', async () => {
    // Processor time: how long it takes hangs on what else the machine does.
    const before = process.cpuUsage();
    const million = (text: string) => Array.from({ length: 380_000 }, () => text).join(',');
    for (const raw of [
      `{"tokens":1,"sources":[${million('"free"')}]}`,
      `{"tokens":1,${Array.from({ length: 380_000 }, (_, n) => `"f${n}":1`).join(',')}}`,
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      `[${million('[]')}]`,
      `{"tokens":1,"service":"${'\\n'.repeat(2_000_000)}"}`,
    ])
      expectRefused(await use({ raw }));
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000_000).toBeLessThan(10);
  }, 60_000);

  it('bodies that are too large, of another type, of no type, or missing', async () => {
    const large = await use({ raw: `{"tokens":1,"service":"${'x'.repeat(11 * 1024 * 1024)}"}` });
    expectRefused(large, 413, 'BODY_TOO_LARGE');
    expect(large.body.limitBytes).toBe(10_485_760);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'nonsense',
      '',
    ])
      expectRefused(await use({ raw: '{"tokens":1}', headers: { 'content-type': type } }), 415, 'UNSUPPORTED_MEDIA_TYPE');
    const typeless = await ledger.app.inject({
      method: 'PUT',
      url: '/v1/organisations/acme',
      headers: { authorization: `Bearer ${await ledger.token(PLATFORM)}`, 'content-length': '2' },
      payload: Buffer.from('{}'),
    });
    expect(typeless.statusCode).toBe(415);
    expectRefused(await use({}));
    expectRefused(await use({ raw: '', headers: { 'content-type': 'application/json' } }));
  });

  it('optional bodies may be left out, and none is taken where there is none', async () => {
    expect((await ledger.send('PUT', '/v1/organisations/acme')).status).toBe(200);
    expect((await ledger.send('PUT', '/v1/organisations/acme', { body: {} })).status).toBe(200);
    expectRefused(await ledger.send('PUT', '/v1/organisations/acme', { raw: 'null' }));
    expectRefused(await ledger.send('DELETE', '/v1/organisations/acme/members/u1', { body: { userId: 'u2' } }));
    expect((await ledger.send('POST', '/v1/users/u1/usages/none/reversal')).body).toMatchObject({ code: 'USAGE_NOT_FOUND' });
    expectRefused(await ledger.send('POST', `/v1/users/u1/usages/${'x'.repeat(65)}/reversal`));
  });
});
