import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { SqliteEventStore } from '@ledger/event-store';
import { SqliteReadModel } from '../../apps/ledger/src/views/sqlite-read-model';
import { goOn } from './long-wallet';

/** More than one batch, several times. */
const EVENTS = 8_000;
const WAIT_MS = 60_000;

let folder: string;
let store: SqliteEventStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-turns-'));
  store = await SqliteEventStore.open(join(folder, 'events.db'));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * The embedded store answers at once, page after page. A read model that took them in one go would leave nobody a turn: no request
 * would learn that the service is catching up, no command could be told to wait, and no signal would end it.
 */
it('lets others have their turn while the read model catches up, from nothing and from where it was', async () => {
  for (const wallet of ['one', 'two']) {
    await goOn(store, wallet, EVENTS, 'UTC');
    const readModel = new SqliteReadModel(store, join(folder, 'read-model.db'));
    await readModel.start();
    const seen: number[] = [];
    while (!readModel.ready) {
      await turn();
      seen.push(readModel.progress.percent);
    }
    expect(await readModel.reached(await store.headPosition(), WAIT_MS)).toBe(true);
    await readModel.stop();
    // Had it been done in one turn, nobody would have seen it on the way.
    expect(new Set(seen).size).toBeGreaterThan(3);
  }
}, 120_000);
