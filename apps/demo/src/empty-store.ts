import { openEventStore, shownEventStoreUrl, StoreUnavailable } from '@ledger/event-store';
import { NotOurData } from './data-folder';

/**
 * Makes sure that a store which is not the demo's own has no event of the ledger yet. What is in a server belongs to whoever runs
 * it, and facts cannot be taken back one by one: the demo removes nothing there, not even what an earlier demo wrote.
 * @throws NotOurData, also when the store does not answer
 */
export async function refuseUsedStore(url: string): Promise<void> {
  const store = await openEventStore(url);
  try {
    if ((await store.mark()) === undefined) return;
  } catch (error) {
    throw error instanceof StoreUnavailable ? new NotOurData(`The demo did not begin: ${error.message}.`) : error;
  } finally {
    await store.close();
  }
  throw new NotOurData(
    `${shownEventStoreUrl(url)} has events of a ledger already, so nothing was touched: the demo needs a store without any. ` +
      'Start an empty one, or leave out --event-store to run on an embedded store.',
  );
}
