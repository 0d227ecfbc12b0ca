import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, Sqlite } from '@ledger/sqlite';
import { NO_STREAM, StoreClosed, StoreUnavailable, type NewEvent } from '../event-store';
import { LedgerFile } from './ledger-file';
import { SqliteEventStore } from './sqlite-event-store';

const STREAM = 'userWallet-1';
const newEvent = (): NewEvent => ({ id: randomUUID(), type: 'TokensUsed', data: '{}', metadata: '{}' });

let folder: string;
let store: SqliteEventStore;
let outside: Database;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'head-reads-'));
  const path = join(folder, 'ledger.db');
  store = await SqliteEventStore.open(path, { busySeconds: 0.1 });
  outside = new Sqlite(path);
  await store.append(STREAM, NO_STREAM, [newEvent()]);
});

afterEach(async () => {
  jest.restoreAllMocks();
  outside.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

/** What another process would write, committed before this returns. */
function commitOutside(): void {
  const id = randomUUID();
  outside.exec(`
    insert into events select max(position) + 1, stream, max(revision) + 1, max(position), '${id}', 'TokensUsed', '{}', '{}' from events;
    update heads set revision = revision + 1, position = position + 1`);
}

it('share one look when they are asked for in one turn, which is made after the last of them', async () => {
  const looks = jest.spyOn(LedgerFile.prototype, 'dataVersion');
  const first = store.headOf(STREAM);
  await Promise.resolve();
  commitOutside();
  const last = store.headOf(STREAM);
  const none = store.headOf('userWallet-2');
  expect([(await last).revision, (await first).revision, (await none).revision]).toEqual([1, 1, NO_STREAM]);
  expect(looks).toHaveBeenCalledTimes(1);
});

it('are read anew when they are asked for while a look waits for a lock', async () => {
  const waiting = jest.spyOn(LedgerFile.prototype, 'dataVersion').mockImplementationOnce(() => {
    throw Object.assign(new Error('locked'), { code: 'SQLITE_BUSY' });
  });
  const first = store.headOf(STREAM);
  while (waiting.mock.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  commitOutside();
  expect((await store.headOf(STREAM)).revision).toBe(1);
  expect((await first).revision).toBe(1);
});

it('are refused together when the file cannot be read, and when the store is closed', async () => {
  jest.spyOn(LedgerFile.prototype, 'dataVersion').mockImplementation(() => {
    throw Object.assign(new Error('no disk'), { code: 'SQLITE_IOERR_READ' });
  });
  for (const head of [store.headOf(STREAM), store.headOf(STREAM)]) await expect(head).rejects.toThrow(StoreUnavailable);
  jest.restoreAllMocks();
  expect((await store.headOf(STREAM)).revision).toBe(0);
  const late = store.headOf(STREAM);
  const closed = store.close();
  await expect(late).rejects.toThrow(StoreClosed);
  await closed;
});
