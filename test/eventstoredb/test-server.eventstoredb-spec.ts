/** What the test server promises beyond the wire: that a kill loses nothing acknowledged, and that its faults are its only faults. */
import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent, type EventData } from '@eventstore/db-client';
import { readLog } from '../eventstoredb-server/log-file';
import { describeOnTestServer } from './real-server';
import { ServerUnderTest } from './server-under-test';

/** Each test starts a server, with certificates of its own. */
jest.setTimeout(60_000);

const event = (): EventData => jsonEvent({ id: randomUUID(), type: 'TokensUsed', data: {}, metadata: {} });

describeOnTestServer('the test server', () => {
  let server: ServerUnderTest;
  const clients: EventStoreDBClient[] = [];

  beforeEach(async () => {
    server = await ServerUnderTest.start({ nodes: 2, tls: true, users: ['admin:changeit', 'reader:secret'] });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.dispose()));
    await server?.stop();
  });

  function connect(user = 'admin:changeit', nodes = server.addresses): EventStoreDBClient {
    const client = EventStoreDBClient.connectionString(server.url({ user, nodes }));
    clients.push(client);
    return client;
  }

  const all = async (client: EventStoreDBClient): Promise<string[]> => {
    const seen: string[] = [];
    for await (const { event: found } of client.readAll()) if (found) seen.push(`${found.streamId} ${found.id}`);
    return seen;
  };

  it('loses nothing that it acknowledged, whenever it is killed', async () => {
    const acknowledged: string[] = [];
    for (let kill = 0; kill < 3; kill += 1) {
      const client = connect();
      let writing = true;
      const writers = Array.from({ length: 8 }, async () => {
        while (writing) {
          const one = event();
          try {
            await client.appendToStream(`userWallet-${randomUUID()}`, one, { expectedRevision: 'no_stream' });
          } catch {
            return;
          }
          acknowledged.push(one.id);
        }
      });
      const enough = acknowledged.length + 100;
      await Promise.race([Promise.all(writers), reached(() => acknowledged.length >= enough)]);
      await server.kill();
      writing = false;
      await Promise.all(writers);
      await server.restart();
    }
    const stored = readLog(server.data).map(({ id }) => id);
    expect(acknowledged.filter((id) => !stored.includes(id))).toEqual([]);
    expect(new Set(stored).size).toBe(stored.length);
    expect(await all(connect())).toHaveLength(stored.length);
  });

  it('lets nobody in without a password, and only admins read $all', async () => {
    await connect().appendToStream('userWallet-a', event());
    await expect(connect('admin:wrong').appendToStream('userWallet-a', event())).rejects.toMatchObject({ type: 'access-denied' });
    await expect(all(connect('reader:secret'))).rejects.toMatchObject({ type: 'access-denied' });
    await connect('reader:secret').appendToStream('userWallet-a', event());
    expect((await all(connect())).filter((one) => one.startsWith('userWallet-a'))).toHaveLength(2);
  });

  it('writes events of its own and of others between those of the ledger', async () => {
    const client = connect();
    await client.appendToStream('userWallet-a', event());
    const system = await server.foreignEvent();
    const foreign = await server.foreignEvent({ stream: 'somebodyElse-1', type: 'Their', data: { n: 1 } });
    expect(foreign).toBeGreaterThan(system);
    const streams = (await all(client)).map((one) => one.split(' ')[0]);
    expect(streams.slice(-3)).toEqual(['userWallet-a', expect.stringMatching(/^\$stats/), 'somebodyElse-1']);
    expect((await server.state()).headPosition).toBe(Number(foreign));
  });

  it('stands still for as long as it is told, and then answers what came meanwhile', async () => {
    const client = connect();
    await client.appendToStream('userWallet-a', event());
    const began = performance.now();
    await server.freezeFor(700);
    await client.appendToStream('userWallet-a', event());
    // The request to freeze is answered before it begins.
    expect(performance.now() - began).toBeGreaterThan(500);
  });

  it('says what is wrong with a fault that it does not know', async () => {
    await expect(server.faults({ fail: { code: 'SAD' } })).rejects.toThrow('SAD is no status of gRPC');
  });
});

async function reached(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
