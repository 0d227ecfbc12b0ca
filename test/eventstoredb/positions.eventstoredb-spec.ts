/** Which event stands at a position: what tells a store that went back to a backup from what it was. */
import { randomUUID } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Appended, NO_STREAM } from '../../libs/event-store/src/event-store';
import { EventStoreDbEventStore } from '../../libs/event-store/src/eventstoredb/event-store-db-event-store';
import { newEvent } from '../../libs/event-store/src/testing/contract-parts';
import { LOG_NAME } from '../eventstoredb-server/log-file';
import { describeOnTestServer } from './real-server';
import { ServerUnderTest } from './server-under-test';

jest.setTimeout(60_000);

describeOnTestServer('the event at a position', () => {
  let server: ServerUnderTest;
  let store: EventStoreDbEventStore;
  const stream = `userWallet-${randomUUID()}`;

  beforeEach(async () => {
    server = await ServerUnderTest.start();
    store = EventStoreDbEventStore.open(server.url());
  });
  afterEach(async () => {
    await store.close();
    await server.stop();
  });

  const written = async (revision: number, text: string): Promise<Appended & { id: string }> => {
    const event = newEvent({ text });
    return { ...(await store.append(stream, revision, [event])), id: event.id };
  };

  /** A start leaves an event in the log: both histories have it. */
  const startAgain = async (meanwhile: () => void = () => undefined): Promise<void> => {
    await store.close();
    await server.kill();
    meanwhile();
    await server.restart();
    store = EventStoreDbEventStore.open(server.url());
  };

  it('is none where an event of somebody else stands', async () => {
    await written(NO_STREAM, 'ours');
    for (const event of [{}, { stream: 'orders-1', type: 'Ordered' }]) {
      const position = await server.foreignEvent(event);
      const { position: next } = await written((await store.headOf(stream)).revision, 'ours behind it');
      expect(position).toBeLessThan(next);
      expect(await store.idAt(position)).toBeUndefined();
    }
  });

  it('is another, or none, in a server that went back to a backup and grew differently', async () => {
    const shared = await written(NO_STREAM, 'shared');
    const [log, backup] = [join(server.data, LOG_NAME), join(server.data, 'backup')];
    copyFileSync(log, backup);
    await startAgain();
    const lost = [await written(0, 'first'), await written(1, 'second')];
    await startAgain(() => copyFileSync(backup, log));
    const now = [await written(0, 'longer than the one that stood there'), await written(1, 'second')];
    expect(now[0]!.position).toBe(lost[0]!.position);
    expect(await store.idAt(lost[0]!.position)).toBe(now[0]!.id);
    // Within an event of today: the server refuses the position, which is no reason to give the connection up.
    expect(now[1]!.position).toBeGreaterThan(lost[1]!.position);
    expect(await store.idAt(lost[1]!.position)).toBeUndefined();
    expect(await store.idAt(shared.position)).toBe(shared.id);
  });
});
