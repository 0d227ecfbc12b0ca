import type { AddressInfo } from 'node:net';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EventStore, StoreUnavailable } from '@ledger/event-store';
import { FeedBounds } from '../feed/bounds';
import { LedgerForSpec, PLATFORM } from './ledger-for-spec';
import { EventReader, type ReaderOptions } from './testing/event-reader';

const decoded = (position: string): string => Buffer.from(position, 'base64url').toString();
const encoded = (text: string): string => Buffer.from(text).toString('base64url');

describe('a position', () => {
  let ledger: LedgerForSpec;
  const readers: EventReader[] = [];

  beforeEach(async () => void (ledger = await LedgerForSpec.start()));
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.close();
    await ledger.stop();
  });

  const use = async (userId: string, key: string): Promise<string> => {
    const { status, headers } = await ledger.send('POST', `/v1/users/${userId}/usages`, {
      body: { tokens: 1 },
      headers: { 'idempotency-key': key },
    });
    expect(status).toBe(201);
    return headers['ledger-position']!;
  };
  const buy = async (userId: string): Promise<string> => {
    const body = { tokens: 1_000, paymentReference: 'p' };
    return (await ledger.send('POST', `/v1/users/${userId}/purchases`, { body })).headers['ledger-position']!;
  };
  const read = async (options: ReaderOptions): Promise<EventReader> => {
    const server = ledger.app.getHttpServer();
    if (!server.listening) await ledger.app.listen(0, '127.0.0.1');
    const reader = new EventReader(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, await ledger.token(PLATFORM), options);
    readers.push(reader);
    await reader.opened;
    return reader;
  };
  /** As text, every position that the store's events have. */
  const stored = async (): Promise<string[]> => {
    const events = await ledger.app.get(EventStore).readAll(-1n, 10_000);
    return events.map(({ position, id }) => `${events[0]!.id.slice(0, 13)}.${position}.${id.slice(0, 8)}`);
  };

  it('names store, position and event, whoever gives it', async () => {
    const bought = await buy('ann');
    const used = await use('ann', 'k');
    const organisation = await ledger.send('PUT', '/v1/organisations/acme');
    await use('ann', 'other');
    const repeated = await use('ann', 'k');
    const unchanged = await ledger.send('PUT', '/v1/organisations/acme');
    const usages = ['ben', 'ann', 'ben'].map((userId, n) => ({ key: `b${n}`, userId, tokens: 1 }));
    await buy('ben');
    const batch = await ledger.send('POST', '/v1/usages/batch', { body: { usages }, keyless: true });
    const { body: statement } = await ledger.send('GET', '/v1/users/ann/entries');
    Object.assign(ledger.app.get(FeedBounds), { sweepMs: 20, heartbeatMs: 40 });
    const reader = await read({});
    const all = await stored();
    await reader.many(all.length);
    const narrow = await read({ query: '?wallet=user:nobody' });
    const resumed = await read({ query: `?wallet=user:nobody&from=${encoded(all[1]!)}` });
    for (const silent of [narrow, resumed]) await silent.until(() => silent.heartbeats.length > 1, 'two heartbeats');

    expect(reader.events.map(({ id }) => decoded(id))).toEqual(all);
    const given = [bought, used, organisation.headers['ledger-position']!, unchanged.headers['ledger-position']!];
    given.push(batch.headers['ledger-position']!, ...statement.data.map(({ position }: { position: string }) => position));
    given.push(...narrow.heartbeats, ...resumed.heartbeats, ...reader.heartbeats);
    for (const position of given) expect(all).toContain(decoded(position));
    expect(repeated).toBe(used);
    expect(unchanged.headers['ledger-position']).toBe(organisation.headers['ledger-position']);
    expect(decoded(batch.headers['ledger-position']!)).toBe(all.at(-1));
    expect(decoded(narrow.heartbeats.at(-1)!)).toBe(all.at(-1));
  });

  it('is good for as long as it is remembered, and else only when the store can say which event stands there', async () => {
    const bought = await buy('ann');
    const get = async () => {
      const { status, body } = await ledger.send('GET', '/v1/users/ann', { headers: { 'ledger-position': bought } });
      return [status, body.code];
    };
    const away = () => void (ledger.app.get(EventStore).idAt = () => Promise.reject(new StoreUnavailable('away')));
    away();
    expect(await get()).toEqual([200, undefined]);
    await ledger.restart();
    away();
    expect(await get()).toEqual([503, 'STORE_UNAVAILABLE']);
  });

  it('of a store that went back to a backup and grew differently is refused, wherever it is sent; of what both share it is good', async () => {
    await buy('ann');
    await buy('ben');
    const shared = await use('ann', 'before');
    await ledger.restart({}, (folder) => copyFileSync(join(folder, 'events.db'), join(folder, 'backup.db')));
    const lost = [await use('ann', 'then'), await use('ann', 'then-too')];
    await ledger.restart({}, (folder) => {
      for (const suffix of ['-wal', '-shm']) rmSync(join(folder, `events.db${suffix}`), { force: true });
      copyFileSync(join(folder, 'backup.db'), join(folder, 'events.db'));
    });
    // The store has not come that far again: nobody can tell yet.
    const early = await read({ lastEventId: lost[1]! });
    await early.end();
    expect([early.status, JSON.parse(early.body).code]).toEqual([503, 'POSITION_NOT_REACHED']);

    for (const key of ['now', 'now-too', 'and-more', 'and-more-still']) await use('ben', key);
    const none = encoded(`${decoded(shared).split('.')[0]}.0.01234567`);
    for (const position of [...lost, none, ...lost]) {
      const refusal = (field: string) => ({
        status: 400,
        code: 'VALIDATION_FAILED',
        errors: [expect.objectContaining({ field, message: 'is a position of a history that this store no longer has' })],
      });
      const headers = { 'ledger-position': position };
      expect((await ledger.send('GET', '/v1/users/ann', { headers })).body).toMatchObject(refusal('/Ledger-Position'));
      const usage = await ledger.send('POST', '/v1/users/ann/usages', { body: { tokens: 1 }, headers });
      expect(usage.body).toMatchObject(refusal('/Ledger-Position'));
      for (const [options, field] of [
        [{ query: `?from=${position}` }, '/from'],
        [{ lastEventId: position }, '/Last-Event-ID'],
      ] as const) {
        const reader = await read(options);
        await reader.end();
        expect(JSON.parse(reader.body)).toMatchObject(refusal(field));
      }
    }
    for (let twice = 0; twice < 2; twice += 1) {
      expect((await ledger.send('GET', '/v1/users/ann', { headers: { 'ledger-position': shared } })).status).toBe(200);
      for (const options of [{ query: `?from=${shared}` }, { lastEventId: shared }]) {
        const reader = await read(options);
        await reader.many(4);
        expect(reader.events.map(({ data }) => data.wallet)).toEqual(Array(4).fill('user:ben'));
      }
    }
  });
});
