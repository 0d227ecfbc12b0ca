import { EventStore } from '@ledger/event-store';
import { Ajv } from 'ajv';
import { type Answer, LedgerForSpec } from './ledger-for-spec';
import { PROBLEM_CODES } from './problem-codes';

type Line = Record<string, unknown>;

describe('POST /v1/usages/batch', () => {
  let ledger: LedgerForSpec;
  beforeAll(async () => {
    ledger = await LedgerForSpec.start({ FREE_TOKENS_PER_MONTH: '100' });
  });
  afterAll(() => ledger.stop());

  const batch = (usages: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    ledger.send('POST', '/v1/usages/batch', { body: { usages }, keyless: true, headers });
  const single = ({ key, userId, ...body }: Line): Promise<Answer> =>
    ledger.send('POST', `/v1/users/${String(userId)}/usages`, { body, headers: { 'idempotency-key': String(key) } });
  const results = async (usages: unknown): Promise<Line[]> => {
    const { status, body } = await batch(usages);
    expect(status).toBe(200);
    return body.results;
  };
  const balance = async (userId: string): Promise<number> => (await ledger.send('GET', `/v1/users/${userId}`)).body.balance;

  /** One user of each kind, named with a prefix, so that the same story can be told on both ways. */
  const story = (prefix: string): Line[] => [
    { key: 'a', userId: `${prefix}-1`, tokens: 19, service: 'chat', reference: 'c1' },
    { key: 'b', userId: `${prefix}-1`, variableCostEuros: '0.10' },
    { key: 'c', userId: `${prefix}-1`, tokens: 63 },
    { key: 'c', userId: `${prefix}-1`, tokens: 62, sources: ['free'] },
    { key: 'a', userId: `${prefix}-1`, tokens: 19, reference: 'c1', service: 'chat' },
    { key: 'a', userId: `${prefix}-1`, tokens: 20 },
    { key: 'd', userId: `${prefix}-2`, tokens: 1, organisationId: 'nowhere' },
    { key: 'e', userId: `${prefix}-2`, tokens: 1, occurredAt: '2020-01-01T00:00:00.000Z' },
    { key: 'f', userId: `${prefix}-2`, tokens: 1, sources: ['purchased'] },
    { key: 'g', userId: `${prefix}-2`, tokens: 1, colour: 'red' },
    { key: 'h', userId: `${prefix}-2` },
  ];

  it('writes the lines of one user by one append, wherever they stand, and answers in the order of the list', async () => {
    const users = 600;
    const lines = Array.from({ length: 2 * users }, (_, index) => ({ key: `k${index}`, userId: `beside-${index % users}`, tokens: 1 }));
    const answers = await results(lines);
    expect(answers.map(({ key, status }) => [key, status])).toEqual(lines.map(({ key }) => [key, 201]));
    const store = ledger.app.get(EventStore);
    const appends = await Promise.all(
      ['beside-0', `beside-${users - 1}`].map(async (userId) => {
        const written = await store.readStream(`userWallet-${userId}`, 0, 10);
        return written.map(({ position, type }) => [Number(position - written[0]!.position), type]);
      }),
    );
    const together = [[0, 'UserWalletOpened'], [1, 'FreeAllowanceGranted'], [2, 'TokensUsed'], [3, 'TokensUsed']]; // prettier-ignore
    expect(appends).toEqual([together, together]);
  });

  it('answers line by line what single requests answer', async () => {
    const alone: Line[] = [];
    for (const line of story('alone')) {
      const { status, headers, body } = await single(line);
      alone.push({ key: line['key'], status, replayed: headers['idempotency-replayed'] === 'true', ...body });
    }
    const together = await results(story('together'));
    const comparable = (lines: Line[]) =>
      JSON.parse(
        JSON.stringify(lines)
          .replaceAll(/alone|together/g, 'user')
          .replaceAll(/"usageId":"[^"]+"/g, '"usageId":"id"')
          .replaceAll(/"earliest":"[^"]+"|still counts is [^ ]+/g, '')
          .replaceAll(/The field \/usages\/\d+ must/g, 'The body must')
          .replaceAll(/\/usages\/\d+/g, '')
          .replaceAll(/,}/g, '}')
          .replaceAll(/,,/g, ','),
      ) as Line[];
    expect(comparable(together)).toEqual(comparable(alone));
    expect(together.map(({ status, replayed }) => [status, replayed])).toEqual([
      [201, false],
      [201, false],
      [402, false],
      [201, false],
      [201, true],
      [422, false],
      [404, false],
      [422, false],
      [402, false],
      [400, false],
      [400, false],
    ]);
    expect(together[4]).toEqual({ ...together[0], replayed: true });
    expect(together[5]).toMatchObject({ code: 'KEY_REUSED', key: 'a' });
    expect(await balance('together-1')).toBe(0);
    expect(await balance('together-2')).toBe(100);
  });

  it('points at the field of the line, also where the decision refused it', async () => {
    const occurredAt = new Date(Date.now() + 3_600_000).toISOString();
    const [, early] = await results([
      { key: 'p', userId: 'pointed', tokens: 1 },
      { key: 'q', userId: 'pointed', tokens: 1, occurredAt },
    ]);
    expect(early).toMatchObject({ code: 'VALIDATION_FAILED', errors: [{ field: '/usages/1/occurredAt', value: occurredAt }] });
  });

  it('is what the OpenAPI document says', async () => {
    const { body: document } = await ledger.send('GET', '/docs/json', { as: false });
    const { requestBody, responses, parameters } = document.paths['/v1/usages/batch'].post;
    expect(requestBody.content['application/json'].schema).toEqual({ $ref: '#/components/schemas/UsageBatch' });
    expect(parameters.map(({ name }: { name: string }) => name)).toEqual(['Ledger-Position']);
    expect(Object.keys(responses).sort()).toEqual(['200', '400', '401', '403', '413', '415', '503']);
    const schemas = new Ajv({ strict: false, validateFormats: false }).addSchema({ $id: 'doc', components: document.components });
    const { body } = await batch(story('documented'));
    schemas.validate('doc#/components/schemas/UsagesCharged', body);
    expect(schemas.errors).toBeNull();
    const lines = schemas.getSchema('doc#/components/schemas/UsageLine')!;
    expect([
      lines({ key: 'a', userId: 'u', tokens: 1 }),
      lines({ key: 'a', tokens: 1 }),
      lines({ key: 'a b', userId: 'u', tokens: 1 }),
    ]).toEqual([true, false, false]);
    for (const line of body.results)
      expect([line.status, schemas.validate(`doc#/components/schemas/${line.status === 201 ? 'UsageCharged' : 'Problem'}`, line)]).toEqual([
        line.status,
        true,
      ]);
  });

  it('a key means the same on both ways, whichever was first', async () => {
    const one = { key: 'k1', userId: 'both', tokens: 3, service: 'chat' };
    const two = { key: 'k2', userId: 'both', variableCostEuros: '0.05', reference: 'r' };
    const [first] = await results([one]);
    const repeated = await single(one);
    expect([repeated.status, repeated.headers['idempotency-replayed']]).toEqual([201, 'true']);
    expect(first).toEqual({ key: 'k1', status: 201, replayed: false, ...repeated.body });

    const alone = await single(two);
    expect(await results([two, one])).toEqual([
      { key: 'k2', status: 201, replayed: true, ...alone.body },
      { ...first, replayed: true },
    ]);
    expect((await single({ ...one, tokens: 4 })).body.code).toBe('KEY_REUSED');
    expect(await results([{ ...two, service: 'other' }])).toMatchObject([{ status: 422, code: 'KEY_REUSED', key: 'k2' }]);
    expect(await balance('both')).toBe(100 - 3 - 10);
  });

  it('refuses a bad line alone, and names its place in the body', async () => {
    const bad: [unknown, string, string][] = [
      [null, '/usages/0', 'VALIDATION_FAILED'],
      [7, '/usages/1', 'VALIDATION_FAILED'],
      [['a'], '/usages/2', 'VALIDATION_FAILED'],
      [{ userId: 'bad', tokens: 1 }, '', 'KEY_MISSING'],
      [{ key: '', userId: 'bad', tokens: 1 }, '/usages/4/key', 'VALIDATION_FAILED'],
      [{ key: 'a b', userId: 'bad', tokens: 1 }, '/usages/5/key', 'VALIDATION_FAILED'],
      [{ key: 'k'.repeat(201), userId: 'bad', tokens: 1 }, '/usages/6/key', 'VALIDATION_FAILED'],
      [{ key: 7, userId: 'bad', tokens: 1 }, '/usages/7/key', 'VALIDATION_FAILED'],
      [{ key: 'a', tokens: 1 }, '/usages/8/userId', 'VALIDATION_FAILED'],
      [{ key: 'a', userId: '..', tokens: 1 }, '/usages/9/userId', 'VALIDATION_FAILED'],
      [{ key: 'a', userId: 'bad', tokens: 0 }, '/usages/10/tokens', 'VALIDATION_FAILED'],
      [{ key: 'a', userId: 'bad', tokens: 1, wallet: { kind: 'user', id: 'rich' } }, '/usages/11/wallet', 'VALIDATION_FAILED'],
      [{ key: 'a', userId: 'bad', tokens: 1, envelope: {} }, '/usages/12/envelope', 'VALIDATION_FAILED'],
      [{ key: 'a', userId: 'bad', tokens: 1, variableCostEuros: '1' }, '/usages/13', 'VALIDATION_FAILED'],
    ];
    const good = { key: 'good', userId: 'bad', tokens: 1 };
    const answered = await results([...bad.map(([line]) => line), good]);
    for (const [index, [, field, code]] of bad.entries()) {
      expect(answered[index]).toMatchObject({ status: 400, replayed: false, code, type: `/docs/problems/${code}` });
      if (field !== '') expect((answered[index]!['errors'] as Line[]).map((error) => error['field'])).toEqual([field]);
    }
    expect(answered.map(({ key }) => key).slice(0, 5)).toEqual([null, null, null, null, '']);
    expect(answered.at(-1)).toMatchObject({ key: 'good', status: 201, balance: 99 });
    expect((await results([{ key: '~'.repeat(200), userId: 'bad', tokens: 1 }]))[0]).toMatchObject({ status: 201 });
  });

  it.each([
    ['no list', { usages: 'all' }],
    ['an empty list', { usages: [] }],
    ['10,001 lines', { usages: Array(10_001).fill({}) }],
    ['another field', { usages: [{}], dryRun: true }],
    ['nothing', {}],
  ])('refuses the whole of a body with %s', async (_name, body) => {
    const answer = await ledger.send('POST', '/v1/usages/batch', { body, keyless: true });
    expect([answer.status, answer.body.code, answer.body.results]).toEqual([400, 'VALIDATION_FAILED', undefined]);
  });

  it("decides a user's lines in the order of the list, between those of others", async () => {
    const tokens = Array.from({ length: 60 }, (_, n) => (n % 7) + 1);
    const lines = tokens.flatMap((of, n) => ['left', 'right'].map((userId) => ({ key: `o${n}`, userId, tokens: of })));
    const answered = await results(lines);
    for (const [offset] of ['left', 'right'].entries()) {
      let left = 100;
      for (let n = 0; n < tokens.length; n += 1) {
        const accepted = tokens[n]! <= left;
        if (accepted) left -= tokens[n]!;
        expect(answered[2 * n + offset]).toMatchObject(accepted ? { status: 201, balance: left } : { status: 402, available: left });
      }
    }
  });

  it('carries the largest position: a read with it sees every line', async () => {
    const users = Array.from({ length: 200 }, (_, n) => `seen-${n}`);
    // The last lines are answered last, and with the oldest position of all.
    const old = { key: 'old', userId: 'long-ago', tokens: 1 };
    await batch([old]);
    const lines = [...users.map((userId) => ({ key: 'once', userId, tokens: 7 })), ...Array<typeof old>(3_000).fill(old)];
    const { headers } = await batch(lines);
    const [, position] = Buffer.from(headers['ledger-position']!, 'base64url').toString().split('.');
    expect(position).toBe(String(await ledger.app.get(EventStore).headPosition()));
    for (const userId of users) {
      const read = await ledger.send('GET', `/v1/users/${userId}`, { headers: { 'ledger-position': headers['ledger-position']! } });
      expect([userId, read.body.balance]).toEqual([userId, 93]);
    }
    const refused = await batch([{ key: 'x', userId: 'seen-0', tokens: 1_000 }], { 'ledger-position': headers['ledger-position']! });
    expect([refused.status, refused.headers['ledger-position']]).toEqual([200, undefined]);
  });

  it('takes 10,000 lines, and the same again changes nothing', async () => {
    const lines = Array.from({ length: 10_000 }, (_, n) => ({ key: `n${n}`, userId: `many-${n % 2_500}`, tokens: 1 + (n % 3) }));
    const first = await results(lines);
    expect(first.filter(({ status }) => status === 201)).toHaveLength(10_000);
    expect(first.map(({ key }) => key)).toEqual(lines.map(({ key }) => key));
    const second = await results(lines);
    expect(second).toEqual(first.map((line) => ({ ...line, replayed: true })));
  }, 30_000);

  it('refuses a batch that finds too many lines under way, whole, with Retry-After', async () => {
    const lines = (way: number) => Array.from({ length: 10_000 }, (_, n) => ({ key: `w${way}-${n}`, userId: `way-${n % 100}`, tokens: 1 }));
    const answers = await Promise.all([0, 1, 2, 3, 4].map((way) => batch(lines(way))));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.map(({ status, body, headers }) => [status, body.code, headers['retry-after']])).toEqual([[503, 'OVERLOADED', '1']]);
    expect(PROBLEM_CODES.OVERLOADED.status).toBe(503);
    const statuses = answers
      .filter(({ status }) => status === 200)
      .flatMap(({ body }) => (body.results as Line[]).map(({ status }) => status));
    expect([statuses.filter((status) => status === 201).length, statuses.every((status) => status === 201 || status === 402)]).toEqual([
      100 * 100,
      true,
    ]);
    expect((await batch(lines(9).slice(0, 1))).status).toBe(200);
  }, 60_000);

  it('keeps an answer of refusals within bounds, however many limits each would name', async () => {
    for (let n = 0; n < 15; n += 1) {
      const of = `/v1/organisations/o${n}`;
      await ledger.send('PUT', of);
      await ledger.send('PATCH', `${of}/limits`, { body: { usage: { daily: 1, monthly: 1 } } });
      await ledger.send('POST', `${of}/purchases`, { body: { tokens: 5_000, paymentReference: 'p' } });
      await ledger.send('PUT', `${of}/members/limited`, { body: { status: 'permitted' } });
      const { headers } = await ledger.send('POST', `${of}/allocations`, { body: { lines: [{ userId: 'limited', tokens: 900 }] } });
      await ledger.send('GET', '/v1/users/limited', { headers: { 'ledger-position': headers['ledger-position']! } });
    }
    const lines = Array.from({ length: 10_000 }, (_, n) => ({ key: `${n}`, userId: 'limited', tokens: 500, sources: ['allocated'] }));
    const answered = await results(lines);
    expect(answered.every(({ code, detail }) => code === 'LIMIT_EXCEEDED' && typeof detail === 'string')).toBe(true);
    expect(answered[0]!['limits']).toHaveLength(30);
    expect(answered.at(-1)!['limits']).toBeUndefined();
    expect(JSON.stringify(answered).length).toBeLessThan(24 * 1024 * 1024);
  }, 30_000);
});
