import { REAL_URL } from './real-server';
import { troubledInstancesSuite, twoInstancesSuite } from './support/two-instances-suite';
import { ServerUnderTest } from './server-under-test';

// Against a real server the same suites run in end-to-end-real-server.eventstoredb-spec.ts, one after the other with the others.
(REAL_URL === undefined ? describe : describe.skip)('two instances of the ledger on one test server', () => {
  let server: ServerUnderTest;
  beforeAll(async () => {
    server = await ServerUnderTest.start();
  }, 60_000);
  afterAll(() => server.stop());

  troubledInstancesSuite('with replies lost and appends landing late', {
    url: () => server.url(),
    unreliable: (yes) =>
      server.faults(
        yes
          ? { loseReplies: { how: 'timeout', probability: 0.03 }, lateAppends: { how: 'timeout', ms: 40, probability: 0.03 } }
          : { loseReplies: null, lateAppends: null },
      ),
  });
  twoInstancesSuite('that are both well', { url: () => server.url(), foreignEvent: () => server.foreignEvent() });
});
