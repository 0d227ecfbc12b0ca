import { eventStoreContract } from '../../libs/event-store/src/contract';
import { contractStores } from './support/contract-stores';
import { REAL_URL } from './real-server';
import { ServerUnderTest, type ServerSettings } from './server-under-test';

/** Whole streams go over the network here, on a machine that may be busy. */
jest.setTimeout(60_000);

/** The suite that the embedded store passes too, on the adapter for EventStoreDB; end-to-end-real-server runs it on a real one. */
function onTestServer(name: string, settings: ServerSettings, user?: string): void {
  (REAL_URL === undefined ? describe : describe.skip)(name, () => {
    let server: ServerUnderTest;
    beforeAll(async () => {
      server = await ServerUnderTest.start(settings);
    }, 60_000);
    afterAll(() => server.stop());
    eventStoreContract(
      name,
      contractStores(() => server.url(user === undefined ? {} : { user })),
    );
  });
}

onTestServer('EventStoreDbEventStore', { systemEventEvery: 5 });
onTestServer('EventStoreDbEventStore with TLS and a user', { tls: true, users: ['admin:se:cret@1'] }, 'admin:se%3Acret%401');
onTestServer('EventStoreDbEventStore through gossip', { nodes: 3, systemEventEvery: 7 });
onTestServer('EventStoreDbEventStore through gossip with TLS', { nodes: 3, tls: true });
