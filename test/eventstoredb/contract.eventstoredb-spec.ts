import { eventStoreContract, type StoreUnderTest } from '../../libs/event-store/src/contract';
import { EventStoreDbEventStore } from '../../libs/event-store/src/eventstoredb/event-store-db-event-store';
import { realServer } from './support/real-server';
import { ServerUnderTest, type ServerSettings } from './server-under-test';

/** The suite that the embedded store passes too, on the adapter for EventStoreDB. */

function storesOf(url: () => string): () => Promise<StoreUnderTest> {
  return async () => {
    const opened: EventStoreDbEventStore[] = [];
    const another = async (): Promise<EventStoreDbEventStore> => {
      const store = EventStoreDbEventStore.open(url());
      opened.push(store);
      return store;
    };
    let latest = await another();
    return {
      store: latest,
      openSecond: another,
      reopen: async () => {
        await latest.close();
        return (latest = await another());
      },
      dispose: async () => void (await Promise.all(opened.map((store) => store.close()))),
    };
  };
}

function onTestServer(name: string, settings: ServerSettings, user?: string): void {
  describe(name, () => {
    let server: ServerUnderTest;
    beforeAll(async () => {
      server = await ServerUnderTest.start(settings);
    }, 60_000);
    afterAll(() => server.stop());
    eventStoreContract(
      name,
      storesOf(() => server.url(user === undefined ? {} : { user })),
    );
  });
}

if (realServer !== undefined) {
  const url = realServer;
  eventStoreContract(
    'EventStoreDbEventStore on the server of EVENTSTOREDB_URL',
    storesOf(() => url),
  );
} else {
  onTestServer('EventStoreDbEventStore', { systemEventEvery: 5 });
  onTestServer('EventStoreDbEventStore with TLS and a user', { tls: true, users: ['admin:se:cret@1'] }, 'admin:se%3Acret%401');
  onTestServer('EventStoreDbEventStore through gossip', { nodes: 3, systemEventEvery: 7 });
  onTestServer('EventStoreDbEventStore through gossip with TLS', { nodes: 3, tls: true });
}
