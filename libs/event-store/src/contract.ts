/** The suite that every adapter of the port must pass. It may run on a store that holds events of others. */
import { NO_STREAM, StoreClosed, type EventStore } from './event-store';
import { appendingContract } from './testing/contract-appending';
import { ids, newEvent, newEvents, newStream, readAllAfter, type StoreUnderTest } from './testing/contract-parts';
import { readingContract } from './testing/contract-reading';

export type { StoreUnderTest };

export function eventStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of the event store`, () => {
    let test: StoreUnderTest;
    let store: EventStore;
    /** Everything after it was written by the test itself. */
    let start: bigint;

    beforeEach(async () => {
      test = await open();
      store = test.store;
      start = await store.headPosition();
    });

    afterEach(() => test.dispose());

    const current = () => ({ test, store, start });
    appendingContract(current);
    readingContract(current);

    it('answers what was asked before it was closed, and refuses everything after', async () => {
      const stream = newStream();
      const events = newEvents(2);
      const pending = store.append(stream, NO_STREAM, events);
      await Promise.all([store.close(), store.close()]);
      expect((await pending).revision).toBe(1);
      await store.close();
      await expect(store.append(stream, 1, [newEvent()])).rejects.toThrow(StoreClosed);
      await expect(store.readStream(stream, 0, 1)).rejects.toThrow(StoreClosed);
      await expect(store.readAll(start, 1)).rejects.toThrow(StoreClosed);
      await expect(store.headOf(stream)).rejects.toThrow(StoreClosed);
      await expect(store.headPosition()).rejects.toThrow(StoreClosed);
      await expect(store.idAt(start)).rejects.toThrow(StoreClosed);
      await expect(store.eventAt(start)).rejects.toThrow(StoreClosed);
      await expect(store.mark()).rejects.toThrow(StoreClosed);
      store = await test.reopen();
      expect(ids(await readAllAfter(store, start))).toEqual(ids(events));
    });
  });
}
