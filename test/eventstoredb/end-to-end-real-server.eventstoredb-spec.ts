import { eventStoreContract } from '../../libs/event-store/src/contract';
import { contractStores } from './support/contract-stores';
import { endToEndSuite } from './support/end-to-end-suite';
import { REAL_URL } from './real-server';
import { troubledInstancesSuite, twoInstancesSuite } from './support/two-instances-suite';

/**
 * Everything that a real server can be asked, in one file so that it comes in this order: the first suites audit the whole store,
 * and the contract leaves events in it that no ledger wrote. The server must be empty of them: start it with --mem-db.
 */
if (REAL_URL === undefined) {
  // Skipped, since there is no real server here; a file without a test would fail.
  it.skip('runs the suites on the real server that EVENTSTOREDB_URL names, when it names one', () => undefined);
} else {
  const url = () => REAL_URL!;
  const nobody = () => Promise.resolve();
  troubledInstancesSuite('two instances of the ledger on the real server', { url, unreliable: nobody });
  twoInstancesSuite('two instances of the ledger on the real server', { url, foreignEvent: nobody });
  endToEndSuite('the ledger on the real server', url);
  eventStoreContract('EventStoreDbEventStore on the real server', contractStores(url));
}
