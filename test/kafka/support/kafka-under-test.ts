import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteEventStore } from '@ledger/event-store';
import { Kafka, logLevel } from 'kafkajs';
import { generate } from '../../load/generate';

export const clientOf = (bootstrap: string, clientId = 'test'): Kafka =>
  new Kafka({
    clientId,
    brokers: bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 20, initialRetryTime: 50, maxRetryTime: 1_000 },
  });

/** A ledger's store in a folder of its own, filled with what a platform of some organisations would have written. */
export class FilledStore {
  readonly folder = mkdtempSync(join(tmpdir(), 'ledger-kafka-store-'));
  readonly url = `sqlite:${join(this.folder, 'events.db')}`;
  private constructor() {}

  static async of(events: number, seed = 7): Promise<{ filled: FilledStore; store: SqliteEventStore }> {
    const filled = new FilledStore();
    const store = await SqliteEventStore.open(join(filled.folder, 'events.db'));
    await generate(store, { events, shape: 'spread', seed });
    return { filled, store };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
