/** What the adapter remembers of the ends of streams: it saves the server from sending large events again, and is never taken for the truth. */
import { randomUUID } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { EventStoreDBClient } from '@eventstore/db-client';
import { NO_STREAM, OutcomeUnknown, StoreUnavailable } from '../../libs/event-store/src/event-store';
import { EventStoreDbEventStore } from '../../libs/event-store/src/eventstoredb/event-store-db-event-store';
import { newEvent, newEvents } from '../../libs/event-store/src/testing/contract-parts';
import { LOG_NAME } from '../eventstoredb-server/log-file';
import { describeOnTestServer } from './real-server';
import { ServerUnderTest } from './server-under-test';

jest.setTimeout(60_000);

const LARGE_BYTES = 500_000;
const TIMES = 20;

describeOnTestServer('the head of a stream', () => {
  let server: ServerUnderTest;
  let store: EventStoreDbEventStore;
  let stream: string;

  beforeEach(async () => {
    server = await ServerUnderTest.start();
    store = EventStoreDbEventStore.open(server.url());
    stream = `organisationWallet-${randomUUID()}`;
  });
  afterEach(async () => {
    await store?.close();
    await server?.stop();
  });

  it('is asked for without the event that stands there, once it is known', async () => {
    let bytes = 0;
    const proxy: Server = createServer((client) => {
      const upstream = connect(Number(server.addresses[0]!.split(':')[1]), '127.0.0.1');
      upstream.on('data', (chunk) => (bytes += chunk.length));
      for (const socket of [client, upstream])
        socket.on('error', () => undefined).on('close', () => (client.destroy(), upstream.destroy()));
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    const behind = EventStoreDbEventStore.open(server.url({ nodes: [`127.0.0.1:${(proxy.address() as AddressInfo).port}`] }));
    try {
      const { position } = await store.append(stream, NO_STREAM, [newEvent({ text: 'x'.repeat(LARGE_BYTES) })]);
      for (let n = 0; n < TIMES; n += 1) expect(await behind.headOf(stream)).toEqual({ revision: 0, position });
      expect(bytes).toBeGreaterThan(LARGE_BYTES);
      expect(bytes).toBeLessThan(2 * LARGE_BYTES);
    } finally {
      await behind.close();
      proxy.close();
    }
  });

  it('is the last of another writer, and of one’s own', async () => {
    const other = EventStoreDbEventStore.open(server.url());
    expect(await store.headOf(stream)).toEqual({ revision: NO_STREAM, position: -1n });
    const steps: [EventStoreDbEventStore, number, number][] = [[store, NO_STREAM, 1], [other, 0, 5], [store, 5, 1], [other, 6, 1]]; // prettier-ignore
    for (const [writer, revision, count] of steps) {
      const appended = await writer.append(stream, revision, newEvents(count));
      expect(await store.headOf(stream)).toEqual(appended);
    }
    await other.close();
  });

  it('is none when somebody deleted the stream', async () => {
    await store.append(stream, NO_STREAM, newEvents(3));
    await store.headOf(stream);
    const client = EventStoreDBClient.connectionString(server.url());
    await client.deleteStream(stream);
    await client.dispose();
    expect((await store.headOf(stream)).revision).toBe(NO_STREAM);
  });

  it('is that of the backup which the server was restored from', async () => {
    const first = await store.append(stream, NO_STREAM, newEvents(2));
    const [log, backup] = [join(server.data, LOG_NAME), join(server.data, 'backup')];
    copyFileSync(log, backup);
    await store.append(stream, 1, newEvents(2));
    expect((await store.headOf(stream)).revision).toBe(3);
    await server.kill();
    copyFileSync(backup, log);
    await server.restart();
    expect(await eventually(() => store.headOf(stream))).toEqual(first);
  });
});

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof StoreUnavailable || error instanceof OutcomeUnknown)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
