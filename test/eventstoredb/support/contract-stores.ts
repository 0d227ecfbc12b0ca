import type { StoreUnderTest } from '../../../libs/event-store/src/contract';
import { EventStoreDbEventStore } from '../../../libs/event-store/src/eventstoredb/event-store-db-event-store';

/** What the contract needs of a server: handles on it, each with a connection of its own. */
export function contractStores(url: () => string): () => Promise<StoreUnderTest> {
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
