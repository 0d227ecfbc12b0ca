import { endToEndSuite } from './support/end-to-end-suite';
import { REAL_URL } from './real-server';
import { ServerUnderTest } from './server-under-test';

// Against a real server the same suite runs in end-to-end-real-server.eventstoredb-spec.ts, one after the other with the others.
(REAL_URL === undefined ? describe : describe.skip)('the ledger on the test server', () => {
  let server: ServerUnderTest;
  beforeAll(async () => {
    server = await ServerUnderTest.start({ systemEventEvery: 10 });
  }, 60_000);
  afterAll(() => server.stop());
  endToEndSuite('from end to end', () => server.url());
});
