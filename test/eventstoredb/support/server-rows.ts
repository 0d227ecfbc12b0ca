import type { WalletEvent } from '@ledger/wallet';
import { NO_POSITION } from '../../../libs/event-store/src/event-store';
import { EventStoreDbEventStore } from '../../../libs/event-store/src/eventstoredb/event-store-db-event-store';
import type { Elsewhere } from '../../support/ledger-under-test';
import type { StoredRow } from '../../support/stored-rows';

const PAGE = 5_000;
/** A server that a test has just killed is back within this; a witness that asks it must not fail meanwhile. */
const TRIES_MAX = 400;
const PAUSE_MS = 50;

/** Looks into an EventStoreDB on a connection of its own. */
export class ServerRows implements Elsewhere {
  private readonly store: EventStoreDbEventStore;

  constructor(url: string) {
    this.store = EventStoreDbEventStore.open(url);
  }

  reader() {
    return { head: () => this.head(), close: () => undefined };
  }

  async head(): Promise<number> {
    return Number(await this.patiently(() => this.store.headPosition()));
  }

  async rows(): Promise<StoredRow[]> {
    const rows: StoredRow[] = [];
    for (let position = NO_POSITION; ;) {
      const page = await this.patiently(() => this.store.readAll(position, PAGE));
      for (const { type, data, metadata, ...place } of page) {
        const event = { type, data: JSON.parse(data) as unknown } as WalletEvent;
        const strings = JSON.parse(metadata) as Record<string, string>;
        rows.push({ ...place, position: Number(place.position), type, data, metadata: strings, event });
      }
      const last = page.at(-1);
      if (last === undefined) return rows;
      position = last.position;
    }
  }

  isEmpty = async (): Promise<boolean> => (await this.store.mark()) === undefined;

  close(): Promise<void> {
    return this.store.close();
  }

  private async patiently<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof Error && error.name === 'StoreUnavailable') || tries === TRIES_MAX) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }
}
