import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { Sqlite } from '@ledger/sqlite';
import { SqliteReadModel } from './sqlite-read-model';
import { allocated, opened, permitted, purchased, received } from './testing/facts';
import { organisation, TestLedger, user } from './testing/ledger';
import { ReadModelInUse } from './view-file';

const acme = organisation('acme');

let ledger: TestLedger;
let warnings: jest.SpyInstance;
beforeEach(async () => {
  warnings = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  ledger = await TestLedger.open();
  await ledger.write(acme, [opened('acme'), purchased(1_000, 1_000, 'r1'), permitted('ann', 'ben')]);
});
afterEach(async () => {
  await ledger.close();
  jest.restoreAllMocks();
});

const availableIn = (readModel: SqliteReadModel) => readModel.views.balances.find('acme')?.available;

/** Changes the closed file by hand. */
function edit(sql: string): void {
  const db = new Sqlite(ledger.path);
  db.exec(sql);
  db.close();
}

describe('the file', () => {
  it('is readable by its owner only, and goes on where it stopped', async () => {
    await ledger.read();
    await ledger.stopReading();
    edit('update organisations set available = 77');
    const again = await ledger.read();
    expect([availableIn(again), again.position, warnings.mock.calls]).toEqual([77, ledger.position, []]);
    expect(['', '.lock'].map((suffix) => statSync(ledger.path + suffix).mode & 0o777)).toEqual([0o600, 0o600]);
  });

  it('is held by one read model, and free again after it', async () => {
    const first = await ledger.read();
    const second = new SqliteReadModel(ledger.store, ledger.path);
    await expect(second.start()).rejects.toThrow(ReadModelInUse);
    await expect(second.start()).rejects.toThrow(`The read model ${ledger.path} is in use by another process`);
    expect(availableIn(first)).toBe(1_000);
    await ledger.stopReading();
    expect(availableIn(await ledger.read())).toBe(1_000);
  });

  it('is committed when the read model stops, and by itself before', async () => {
    await ledger.read();
    await ledger.stopReading();
    const db = new Sqlite(ledger.path);
    expect(db.prepare('select position, mark from checkpoint').get()).toEqual({
      position: String(ledger.position),
      mark: await ledger.store.mark(),
    });
    db.close();
  });
});

describe('a file that does not match is discarded and built again', () => {
  const rebuilt = async (reason: RegExp) => {
    const readModel = await ledger.read();
    expect([availableIn(readModel), readModel.mark]).toEqual([1_000, await ledger.store.mark()]);
    expect(warnings).toHaveBeenCalledTimes(1);
    expect(warnings).toHaveBeenCalledWith(expect.stringMatching(reason));
  };

  it.each([
    ['another schema version', 'pragma user_version = 12', /schema version is 12/],
    ['another schema in the checkpoint', `update checkpoint set schema = 'old'`, /schema is old/],
    ['no schema version', 'pragma user_version = 0', /no schema version/],
    ['another store', `update checkpoint set mark = 'elsewhere'`, /built from the store elsewhere/],
    ['a store whose head is behind', `update checkpoint set position = '999999'`, /went back to position/],
    ['another event at that revision', `update checkpoint set hash = 'other'`, /another event at position/],
    ['a stream that has gone back', 'update checkpoint set revision = 40', /another event at position/],
    ['a table that is missing', 'drop table checkpoint', /no such table/],
  ])('%s', async (_, sql, reason) => {
    await ledger.read();
    await ledger.stopReading();
    edit(`update organisations set available = 77; ${sql}`);
    await rebuilt(reason);
  });

  it('a file that is no database', async () => {
    writeFileSync(ledger.path, 'not a database, and longer than the header of one would be. '.repeat(200));
    await rebuilt(/not a database/);
  });

  it('a file that is damaged in its middle', async () => {
    await ledger.read();
    await ledger.stopReading();
    const size = statSync(ledger.path).size;
    const file = Buffer.alloc(size, 0xa5);
    const db = new Sqlite(ledger.path, { readonly: true });
    db.serialize().copy(file, 0, 0, 100);
    db.close();
    writeFileSync(ledger.path, file);
    await rebuilt(/malformed|disk image|not a database/);
  });

  it('an empty store, where there was one', async () => {
    await ledger.read();
    await ledger.stopReading();
    const empty = await TestLedger.open();
    const readModel = await empty.read(ledger.path);
    expect([availableIn(readModel), readModel.position, readModel.mark, readModel.ready]).toEqual([undefined, -1n, undefined, true]);
    expect(warnings).toHaveBeenCalledWith(expect.stringMatching(/this one is empty/));
    await empty.close();
  });

  it('also while it is being read: a row that contradicts the next event', async () => {
    const readModel = await ledger.read();
    await ledger.stopReading();
    edit('update organisations set revision = 0');
    const again = new SqliteReadModel(ledger.store, ledger.path);
    await again.start();
    await ledger.write(acme, [purchased(500, 1_500, 'r2')]);
    expect(await again.reached(ledger.position, 5_000)).toBe(true);
    expect([availableIn(again), again.build, readModel.build]).toEqual([1_500, 1, 0]);
    expect(warnings).toHaveBeenCalledWith(expect.stringMatching(/goes on with 3/));
    await again.stop();
  });
});

describe('a commit that fails', () => {
  it('goes back to the last one, and reads again from there', async () => {
    jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    const readModel = await ledger.read();
    const failing = jest.spyOn(readModel.views.users, 'flush').mockImplementationOnce(() => {
      throw new Error('the disk is full');
    });
    await ledger.write(user('ann'), [received('acme', 'a1', 1, 100)]);
    expect(await readModel.reached(ledger.position, 5_000)).toBe(true);
    while (failing.mock.calls.length < 1) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(readModel.position).toBeLessThan(ledger.position);
    expect(await readModel.reached(ledger.position, 5_000)).toBe(true);
    expect([readModel.build, readModel.views.relationships.find('ann', 'acme')?.tokens]).toEqual([1, 100]);
  });
});

describe('reached', () => {
  it('answers at once what is there, waits for what is coming, and gives up in time', async () => {
    const readModel = await ledger.read();
    expect(await readModel.reached(ledger.position, 0)).toBe(true);
    const coming = readModel.reached(ledger.position + 1n, 5_000);
    await ledger.write(acme, [purchased(500, 1_500, 'r2')]);
    expect(await coming).toBe(true);
    expect(await readModel.reached(ledger.position + 1n, 20)).toBe(false);
  });

  it('is not woken by a batch that ends before the position', async () => {
    const readModel = await ledger.read();
    let answered = false;
    const second = readModel.reached(ledger.position + 2n, 5_000).then((reached) => (answered = reached));
    await ledger.write(acme, [purchased(500, 1_500, 'r2')]);
    expect(await readModel.reached(ledger.position, 5_000)).toBe(true);
    expect(answered).toBe(false);
    await ledger.write(acme, [purchased(500, 2_000, 'r3')]);
    expect(await second).toBe(true);
  });

  it('waits for the settlement of the allocation that is named, and of no other', async () => {
    const readModel = await ledger.read();
    await ledger.write(acme, [allocated('a1', [['ann', 10, 1], ['ben', 10, 1]], 980)]); // prettier-ignore
    const { position } = ledger;
    let settled = false;
    const named = readModel.reached(position, 5_000, 'a1').then((reached) => (settled = reached));
    expect(await readModel.reached(position, 5_000)).toBe(true);
    await ledger.write(user('ann'), [received('acme', 'a1', 1, 10)]);
    expect(await readModel.reached(ledger.position, 5_000, 'other')).toBe(true);
    expect([settled, await readModel.reached(position, 20, 'a1')]).toEqual([false, false]);
    await ledger.write(user('ben'), [received('acme', 'a1', 1, 10)]);
    expect(await named).toBe(true);
    expect(await readModel.reached(position, 0, 'a1')).toBe(true);
  });

  it('answers false to everybody when the read model stops', async () => {
    const readModel = await ledger.read();
    const waiting = readModel.reached(ledger.position + 1n, 60_000);
    await ledger.stopReading();
    expect(await waiting).toBe(false);
  });
});

describe('ready', () => {
  it('is true once the head of the start was passed', async () => {
    const readModel = new SqliteReadModel(ledger.store, join(ledger.folder, 'other.db'));
    expect(readModel.ready).toBe(false);
    await readModel.start();
    expect(readModel.ready).toBe(false);
    await readModel.reached(ledger.position, 5_000);
    expect(readModel.ready).toBe(true);
    await readModel.stop();
  });
});
