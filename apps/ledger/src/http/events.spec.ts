import type { AddressInfo } from 'node:net';
import { EventStore } from '@ledger/event-store';
import { Ajv } from 'ajv';
import type { TokenClaims } from '../auth/local-key';
import { FeedBounds } from '../feed/bounds';
import { LedgerForSpec, PLATFORM } from './ledger-for-spec';
import { EventReader, type ReaderOptions } from './testing/event-reader';

const AUDITOR: TokenClaims = { sub: 'eve', role: 'auditor' };
const ADMIN: TokenClaims = { sub: 'ann', role: 'admin', organisation: 'acme' };
const ADMIN_OF_NOTHING: TokenClaims = { sub: 'x', role: 'admin' };
const member = (sub: string): TokenClaims => ({ sub, role: 'member' });
/** As short as a token can be: those who verify it allow five seconds more than it says. */
const SECONDS = 1 / 86_400;

describe('GET /v1/events', () => {
  let ledger: LedgerForSpec;
  let url: string;
  let readers: EventReader[];
  const bounds = () => ledger.app.get(FeedBounds);

  beforeEach(async () => {
    ledger = await LedgerForSpec.start({ FREE_TOKENS_PER_MONTH: '1000' });
    Object.assign(bounds(), { sweepMs: 20, flushMs: 1, farewellMs: 200 });
    await ledger.app.listen(0, '127.0.0.1');
    url = `http://127.0.0.1:${(ledger.app.getHttpServer().address() as AddressInfo).port}`;
    readers = [];
  });
  afterEach(async () => {
    for (const reader of readers) reader.close();
    await ledger.stop();
  });

  const read = async (options: ReaderOptions = {}, as: TokenClaims = PLATFORM): Promise<EventReader> => {
    const reader = new EventReader(url, await ledger.token(as), options);
    readers.push(reader);
    await reader.opened;
    return reader;
  };
  let keys = 0;
  const use = async (userId: string, count: number, tokens = 1): Promise<void> => {
    const usages = Array.from({ length: count }, () => ({ key: `k${(keys += 1)}`, userId, tokens, reference: 'r'.repeat(200) }));
    expect((await ledger.send('POST', '/v1/usages/batch', { body: { usages }, keyless: true })).status).toBe(200);
  };
  const stored = () => ledger.app.get(EventStore).readAll(-1n, 10_000);
  const told = async (): Promise<string[]> =>
    (await stored()).map(({ stream, revision }) => `${stream.replace('Wallet-', ':')} ${revision}`);
  const toldTo = ({ events }: EventReader): string[] => events.map(({ data }) => `${data.wallet} ${data.revision}`);

  /** u1 draws from acme, globex and the own tokens; u2 from acme. */
  async function school(): Promise<void> {
    for (const organisation of ['acme', 'globex']) {
      const of = `/v1/organisations/${organisation}`;
      await ledger.send('PUT', of);
      await ledger.send('POST', `${of}/purchases`, { body: { tokens: 5_000, paymentReference: 'p' } });
      await ledger.send('PUT', `${of}/members/u1`, { body: { status: 'permitted' } });
      await ledger.send('PUT', `${of}/members/u1/limits`, { body: { usage: { daily: 30 } } });
      const { headers } = await ledger.send('POST', `${of}/allocations`, { body: { lines: [{ userId: 'u1', tokens: 100 }] } });
      await ledger.send('GET', '/v1/users/u1', { headers: { 'ledger-position': headers['ledger-position']! } });
    }
    const used = await ledger.send('POST', '/v1/users/u1/usages', { body: { tokens: 1_040, service: 'chat', reference: 'secret' } });
    expect(used.status).toBe(201);
    await ledger.send('POST', `/v1/users/u1/usages/${used.body.usageId}/reversal`, { body: { reason: 'private' } });
    await ledger.send('POST', '/v1/users/u1/purchases', { body: { tokens: 300, paymentReference: 'own' } });
    await ledger.send('POST', '/v1/users/u2/usages', { body: { tokens: 5 } });
  }

  it('gives every event from the beginning, then what is written, once and in order', async () => {
    await school();
    const reader = await read();
    await use('u3', 300);
    await reader.many((await told()).length);
    await use('u3', 5);
    await use('u4', 5);
    const all = await told();
    await reader.many(all.length);
    expect(toldTo(reader)).toEqual(all);
    expect(reader.headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    const facts = await stored();
    for (const [index, { id, event, data }] of reader.events.entries()) {
      const fact = facts[index]!;
      expect([event, data.type, data.position, data.data]).toEqual([fact.type, fact.type, id, JSON.parse(fact.data)]);
      expect(data.metadata).toMatchObject({ actor: expect.any(String), hash: expect.any(String) });
      expect(data.metadata.key ?? data.metadata.contentHash).toBeUndefined();
    }
  });

  it('an empty ledger is silent, and its first event comes', async () => {
    const reader = await read();
    await use('u1', 1);
    await reader.many(3);
    expect(reader.events.map(({ event }) => event)).toEqual(['UserWalletOpened', 'FreeAllowanceGranted', 'TokensUsed']);
  });

  it('resumed after any event, by header or by address, loses none and doubles none', async () => {
    await school();
    const all = await told();
    const first = await read();
    await first.many(all.length);
    for (const [index, { id }] of first.events.entries()) {
      const resumed = index % 2 ? await read({ lastEventId: id }) : await read({ query: `?from=${id}` });
      await resumed.many(all.length - index - 1);
      expect(toldTo(resumed)).toEqual(all.slice(index + 1));
      resumed.close();
    }
    const both = await read({ lastEventId: first.events.at(-2)!.id, query: `?from=${first.events[0]!.id}` });
    await both.many(1);
    expect(toldTo(both)).toEqual(all.slice(-1));
    const { headers } = await ledger.send('POST', '/v1/users/u9/usages', { body: { tokens: 1 } });
    const behind = await read({ query: `?from=${headers['ledger-position']}` });
    await use('u9', 1);
    await behind.many(1);
    expect(behind.events.map(({ data }) => data.revision)).toEqual([3]);
  });

  it.each([{}, { wallet: 'user:u2' }, { type: 'TokensUsed' }])(
    'a reader that is torn away again and again while events are written sees each once: %j',
    async (filter) => {
      const query = `?${new URLSearchParams(filter as Record<string, string>).toString()}`;
      Object.assign(bounds(), { windowBytes: 100_000, pieceBytes: 4_000 });
      const ids: string[] = [];
      let done = false;
      const writing = (async () => {
        for (let n = 0; n < 25; n += 1) await use(`u${n % 3}`, 40);
        done = true;
      })();
      let lastEventId: string | undefined;
      let torn = 0;
      const wanted = async () =>
        (await stored())
          .filter(({ stream, type }) => (!filter.wallet || stream === 'userWallet-u2') && (!filter.type || type === 'TokensUsed'))
          .map(({ stream, revision }) => `${stream.replace('Wallet-', ':')} ${revision}`);
      for (;;) {
        const complete = done && ids.length >= (await wanted()).length;
        if (complete) break;
        const reader = await read({ query, ...(lastEventId !== undefined && { lastEventId }) });
        const enough = 1 + ((torn * 37) % 60);
        await Promise.race([reader.many(enough), new Promise((resolve) => setTimeout(resolve, 100))]).catch(() => undefined);
        reader.close();
        await reader.end();
        ids.push(...toldTo(reader));
        lastEventId = reader.lastId;
        torn += 1;
      }
      await writing;
      expect(ids).toEqual(await wanted());
      expect(torn).toBeGreaterThan(3);
    },
    30_000,
  );

  it('filters by wallet and by type', async () => {
    await school();
    const all = await stored();
    const expected = (met: (stream: string, type: string) => boolean) => all.filter(({ stream, type }) => met(stream, type)).length;
    const cases: [string, number][] = [
      ['?wallet=organisation:acme', expected((stream) => stream === 'organisationWallet-acme')],
      ['?wallet=user:u1', expected((stream) => stream === 'userWallet-u1')],
      ['?wallet=user:u1&type=TokensUsed', expected((stream, type) => stream === 'userWallet-u1' && type === 'TokensUsed')],
      ['?type=TokensPurchased,TokensUsed', expected((_, type) => type === 'TokensPurchased' || type === 'TokensUsed')],
    ];
    for (const [query, count] of cases) {
      const reader = await read({ query }, AUDITOR);
      await reader.many(count);
      await use('u1', 1);
      const more = /organisation/.test(query) ? 0 : 1;
      await reader.many(count + more);
      expect([query, count > 0, reader.events.length]).toEqual([query, true, count + more]);
      if (query.endsWith('=TokensUsed')) for (const { event } of reader.events) expect(event).toBe('TokensUsed');
      reader.close();
      if (more > 0) for (const entry of cases.slice(cases.findIndex(([other]) => other === query) + 1)) entry[1] += more;
    }
  });

  it("a member sees the own wallet, an admin its organisation and its side of members' wallets, and nothing else", async () => {
    await school();
    const all = await told();
    const mine = await read({}, member('u1'));
    const own = all.filter((name) => name.startsWith('user:u1 '));
    await mine.many(own.length);
    const admin = await read({}, ADMIN);
    const ofAcme = all.filter((name) => name.startsWith('organisation:acme ')).length;
    // u1 received, drew, reached the limit and was given back.
    await admin.many(ofAcme + 4);
    await use('u1', 2);
    await use('u2', 2);
    await ledger.send('POST', '/v1/organisations/acme/purchases', { body: { tokens: 200, paymentReference: 'last' } });
    await mine.many(own.length + 2);
    await admin.many(ofAcme + 5);
    expect(toldTo(mine).every((name) => name.startsWith('user:u1 '))).toBe(true);
    expect(mine.events[0]!.data.metadata).toEqual({
      $causationId: expect.any(String),
      $correlationId: expect.any(String),
      actor: expect.any(String),
      role: expect.any(String),
      schema: '1',
    });

    const side = admin.events.filter(({ data }) => data.wallet === 'user:u1');
    expect(admin.events.filter(({ data }) => data.wallet !== 'user:u1').every(({ data }) => data.wallet === 'organisation:acme')).toBe(
      true,
    );
    const used = { organisationId: 'acme', source: 'allocated', tokens: 30 };
    expect(side.map(({ event, data: { data } }) => [event, data])).toEqual([
      [
        'AllocationReceived',
        {
          at: expect.any(String),
          organisationId: 'acme',
          allocationId: expect.any(String),
          number: 1,
          tokens: 100,
          balanceAfter: { allocated: [{ organisationId: 'acme', tokens: 100 }] },
        },
      ],
      [
        'TokensUsed',
        {
          at: expect.any(String),
          occurredAt: expect.any(String),
          usageId: expect.any(String),
          charged: [used],
          considered: [expect.objectContaining({ organisationId: 'acme', tokens: 30 })],
          balanceAfter: { allocated: [{ organisationId: 'acme', tokens: 70 }] },
        },
      ],
      ['LimitReached', expect.objectContaining({ organisationId: 'acme', limit: 30, used: 30, by: 'draw' })],
      [
        'UsageReversed',
        {
          at: expect.any(String),
          usageId: expect.any(String),
          returned: [used],
          windows: [expect.objectContaining({ organisationId: 'acme' }), expect.objectContaining({ organisationId: 'acme' })],
          balanceAfter: { allocated: [{ organisationId: 'acme', tokens: 100 }] },
        },
      ],
    ]);
    for (const { data } of side) expect([data.revision, data.metadata.hash]).toEqual([undefined, undefined]);
    expect(JSON.stringify(side)).not.toMatch(/globex|secret|private|"balance"|free|purchased|1040|requestId/);
    const one = await read({ query: '?wallet=user:u1' }, ADMIN);
    await one.many(4);
    expect(one.events).toEqual(side);
  });

  it.each([
    ['?wallet=organisation:globex', ADMIN, 403],
    ['?wallet=user:u2', member('u1'), 403],
    ['?wallet=organisation:acme', member('u1'), 403],
    ['', ADMIN_OF_NOTHING, 403],
    ['?wallet=acme', PLATFORM, 400],
    ['?wallet=campus:acme', PLATFORM, 400],
    ['?wallet=user:a%20b', PLATFORM, 400],
    ['?wallet=user:u1&wallet=user:u2', PLATFORM, 400],
    ['?type=TokensStolen', PLATFORM, 400],
    ['?type=', PLATFORM, 400],
    ['?from=', PLATFORM, 400],
    ['?from=nonsense', PLATFORM, 400],
    [`?from=${Buffer.from('01234567-89ab.5.01234567').toString('base64url')}`, PLATFORM, 400],
    ['?since=5', PLATFORM, 400],
    ['/x', PLATFORM, 404],
  ])('%s is refused before anything streams', async (query, as, status) => {
    await use('u1', 1);
    const reader = await read({ query }, as);
    await reader.end();
    expect([reader.status, JSON.parse(reader.body).status]).toEqual([status, status]);
    const foreign = await read({ lastEventId: Buffer.from('01234567-89ab.5.01234567').toString('base64url') });
    await foreign.end();
    expect(JSON.parse(foreign.body)).toMatchObject({ status: 400, errors: [{ in: 'header', field: '/Last-Event-ID' }] });
  });

  it('a position that the store has not reached is 503, and HEAD does not stream', async () => {
    await use('u1', 1);
    const { headers } = await ledger.send('POST', '/v1/users/u1/usages', { body: { tokens: 1 } });
    const [mark] = Buffer.from(headers['ledger-position']!, 'base64url').toString().split('.');
    const reader = await read({ query: `?from=${Buffer.from(`${mark}.999999.01234567`).toString('base64url')}` });
    await reader.end();
    expect([reader.status, reader.headers['retry-after'], JSON.parse(reader.body).code]).toEqual([503, '1', 'POSITION_NOT_REACHED']);
    expect((await ledger.send('HEAD', '/v1/events')).status).toBe(200);
  });

  it('is what the OpenAPI document says', async () => {
    await school();
    const { body: document } = await ledger.send('GET', '/docs/json', { as: false });
    const { responses, parameters } = document.paths['/v1/events'].get;
    expect(responses['200'].content).toEqual({ 'text/event-stream': { schema: { $ref: '#/components/schemas/EventFeed' } } });
    expect(Object.keys(responses).sort()).toEqual(['200', '400', '401', '403', '503']);
    expect(parameters.map(({ name }: { name: string }) => name)).toEqual(['from', 'wallet', 'type', 'Ledger-Position', 'Last-Event-ID']);
    const schemas = new Ajv({ strict: false, validateFormats: false }).addSchema({ $id: 'doc', components: document.components });
    const reader = await read();
    await reader.many((await told()).length);
    for (const { data } of reader.events)
      expect([data.type, schemas.validate('doc#/components/schemas/FedEvent', data)]).toEqual([data.type, true]);
  });

  it('beats in silence, and a beat moves a narrow reader on', async () => {
    bounds().heartbeatMs = 60;
    await use('u1', 3);
    const reader = await read({ query: '?wallet=user:nobody' });
    await reader.until(() => reader.heartbeats.length >= 2, 'two heartbeats');
    await use('u1', 3);
    const before = reader.heartbeats.length;
    await reader.until(() => reader.heartbeats.length >= before + 3, 'more heartbeats');
    expect(reader.events).toEqual([]);
    const resumed = await read({ lastEventId: reader.lastId! });
    await use('u1', 1);
    await resumed.many(1);
    expect(resumed.events.map(({ data }) => data.revision)).toEqual([(await stored()).length - 1]);
  });

  it('cuts off who takes nothing, and the others go on', async () => {
    Object.assign(bounds(), { stallMs: 300, windowBytes: 500_000 });
    const stuck = await read({ stuck: true });
    const well = await read();
    for (let n = 0; n < 12; n += 1) await use(`u${n}`, 1_000);
    const all = await ledger.app.get(EventStore).headPosition();
    expect(Number(all)).toBeGreaterThan(12_000);
    await well.many(12_000);
    const cut = async () => (await ledger.send('GET', '/metrics', { as: false })).body as string;
    let metrics = await cut();
    for (let tries = 0; !/cut_total\{reason="STUCK"\} 1/.test(metrics) && tries < 100; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      metrics = await cut();
    }
    expect(metrics).toMatch(/ledger_event_readers_cut_total\{reason="STUCK"\} 1/);
    for (let tries = 0; !/ledger_event_readers 1/.test(metrics) && tries < 100; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      metrics = await cut();
    }
    expect(metrics).toMatch(/ledger_event_readers 1\n/);
    stuck.resume();
    await stuck.end();
    const whole = stuck.events.filter(({ event }) => event !== 'cut');
    expect(toldTo({ events: whole } as EventReader)).toEqual(toldTo(well).slice(0, whole.length));
    expect(whole.length).toBeLessThan(Number(all));
    await use('another', 1);
    await well.many(Number(all) + 3);
    expect(new Set(toldTo(well)).size).toBe(Number(all) + 3);
    const back = await read({ lastEventId: stuck.lastId! });
    await back.many(Number(all) + 3 - whole.length);
    expect([...toldTo({ events: whole } as EventReader), ...toldTo(back)]).toEqual(toldTo(well));
  }, 60_000);

  it('takes so many readers and no more; a place is free again when one goes', async () => {
    bounds().readersMax = 2;
    const [first] = [await read(), await read()];
    const third = await read();
    await third.end();
    expect([third.status, third.headers['retry-after'], JSON.parse(third.body).code]).toEqual([503, '1', 'OVERLOADED']);
    first.close();
    let fourth = await read();
    for (let tries = 0; fourth.status !== 200 && tries < 50; tries += 1) fourth = await read();
    await use('u1', 1);
    await fourth.many(3);
  });

  it('ends with the token', async () => {
    const token = await ledger.shortToken(PLATFORM, -3 * SECONDS);
    const reader = new EventReader(url, token);
    readers.push(reader);
    await reader.opened;
    await use('u1', 1);
    await reader.end(8_000);
    expect(reader.events.map(({ event }) => event)).toEqual(['UserWalletOpened', 'FreeAllowanceGranted', 'TokensUsed', 'cut']);
    expect(reader.events.at(-1)!.data).toEqual({ reason: 'TOKEN_ENDED', detail: expect.any(String) });
  }, 15_000);

  it('a service that stops ends its streams at once, stuck ones too', async () => {
    const stuck = await read({ stuck: true });
    const reader = await read();
    await use('u1', 900);
    await reader.many(902);
    const began = performance.now();
    // As main.ts does: first the server, then everything behind it.
    await ledger.app.getHttpAdapter().getInstance().close();
    expect(performance.now() - began).toBeLessThan(2_000);
    await reader.end();
    expect(reader.events.at(-1)).toMatchObject({ event: 'cut', data: { reason: 'SHUTTING_DOWN' } });
    stuck.close();
  });
});
