import { existsSync, readdirSync, statSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { NO_POSITION } from '@ledger/event-store';
import { Logger } from '@nestjs/common';
import { Sqlite } from '@ledger/sqlite';
import { buildFromNothing, pagesTo } from './building';
import { SqliteReadModel } from './sqlite-read-model';
import { allocated, bought, opened, permitted, purchased, received, used, walletOpened } from './testing/facts';
import { organisation, TestLedger, user } from './testing/ledger';
import { ReadModelClosed, ViewFile } from './view-file';

const [acme, ann] = [organisation('acme'), user('ann')];
const [acmeStream, annStream] = ['organisationWallet-acme', 'userWallet-ann'];
/** A content hash as its writers spell it, and another text. */
const DIGEST = '0123456789abcdef'.repeat(4);

let ledger: TestLedger;
let warnings: jest.SpyInstance;
beforeEach(async () => {
  warnings = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  ledger = await TestLedger.open();
  await ledger.write(acme, [opened('acme'), purchased(1_000, 1_000, 'r1'), permitted('ann', 'ben')], { key: 'k1', contentHash: DIGEST });
  await ledger.write(acme, [allocated('a1', [['ann', 100, 1], ['ben', 50, 1]], 850)], { key: 'k2', contentHash: 'another text' }); // prettier-ignore
  await ledger.write(ann, [walletOpened('ann', 10), received('acme', 'a1', 1, 100), bought(200, 200, 'r2')]);
  await ledger.write(ann, [used({ usageId: 'u1', organisationId: 'acme', tokens: 30, held: 70, used: [30, 30] })]);
});
afterEach(async () => {
  await ledger.close();
  jest.restoreAllMocks();
});

const filesBeside = (): string[] => readdirSync(ledger.folder).filter((name) => /^read-model\.db-(entries|other|journal)/.test(name));

/** What a process leaves that was killed while it filled the file. */
async function leaveUnfinished(): Promise<void> {
  const file = new ViewFile(ledger.path);
  const { db, views } = file.begin();
  for (const event of await ledger.all()) views.apply(event);
  views.complete();
  db.close();
  file.release();
}

describe('a file that is filled from nothing', () => {
  it('answers like one that was read live', async () => {
    const readModel = await ledger.read();
    const { views } = readModel;
    expect(views.balances.find('acme')).toMatchObject({ available: 850, in_transit: 50, revision: 3 });
    expect(readModel.lookUp(acmeStream, 'key', 'k1')).toEqual({ revision: 3, found: { revision: 0, contentHash: DIGEST } });
    expect(readModel.lookUp(acmeStream, 'key', 'k2')).toEqual({ revision: 3, found: { revision: 3, contentHash: 'another text' } });
    expect(readModel.lookUp(annStream, 'payment', 'r2')).toEqual({ revision: 3, found: { revision: 2 } });
    expect(readModel.lookUp(annStream, 'usage', 'u1')).toEqual({ revision: 3, found: { revision: 3 } });
    expect(readModel.pendingLines(0, 10)).toMatchObject([{ userId: 'ben', tokens: 50 }]);
    expect([readModel.ready, readModel.progress.percent, readModel.build, filesBeside()]).toEqual([true, 100, 0, []]);
  });

  it('is a read model only when it is whole, and then for its owner alone', async () => {
    const file = new ViewFile(ledger.path);
    const head = await ledger.store.headPosition();
    const filling = file.begin();
    expect(statSync(`${ledger.path}-entries`).mode & 0o777).toBe(0o600);
    filling.db.close();
    const built = await buildFromNothing({ store: ledger.store, until: head, pages: pagesTo(head, ledger.store, NO_POSITION), file });
    expect([built?.checkpoints.last()?.position, built?.db.pragma('journal_mode', { simple: true })]).toEqual([head, 'wal']);
    expect([built?.db.pragma('integrity_check', { simple: true }), statSync(ledger.path).mode & 0o777]).toEqual(['ok', 0o600]);
    built?.db.close();
    file.release();
  });

  it('is begun again when it was left unfinished', async () => {
    await leaveUnfinished();
    expect(filesBeside()).toEqual(['read-model.db-entries']);
    const readModel = await ledger.read();
    expect([readModel.views.balances.find('acme')?.available, filesBeside()]).toEqual([850, []]);
    expect(warnings).toHaveBeenCalledWith(expect.stringMatching(/never finished/));
  });

  it('is gone when the store ends before', async () => {
    const file = new ViewFile(ledger.path);
    const head = await ledger.store.headPosition();
    expect(
      await buildFromNothing({ store: ledger.store, until: head + 1n, pages: pagesTo(head, ledger.store, NO_POSITION), file }),
    ).toBeUndefined();
    expect([existsSync(ledger.path), filesBeside()]).toEqual([false, []]);
    file.release();
  });

  it('fails when its second thread does, and is begun again', async () => {
    const file = new ViewFile(ledger.path);
    const until = await ledger.store.headPosition();
    let ended = 0;
    const fillBeside = () => ({ done: Promise.reject(new Error('no room on the disk')), end: () => Promise.resolve((ended += 1)) });
    const pages = pagesTo(until, ledger.store, NO_POSITION);
    await expect(buildFromNothing({ store: ledger.store, until, pages, file, fillBeside })).rejects.toThrow('no room on the disk');
    expect(ended).toBe(1);
    // The thread that sorts had its end too: at work on, it would meet the file that is begun again.
    const left = new Sqlite(ledger.path, { readonly: true });
    expect(left.prepare('select count(*) from unique_entries').pluck().get()).toBeGreaterThan(0);
    left.close();
    file.release();
    expect((await ledger.read()).views.balances.find('acme')?.available).toBe(850);
    expect(filesBeside()).toEqual([]);
  });

  it('says nothing before it is done: no half answers, and no entry that would be called new', async () => {
    const readModel = new SqliteReadModel(ledger.store, ledger.path);
    await readModel.start();
    expect(() => readModel.views).toThrow(ReadModelClosed);
    expect(() => readModel.membershipsOf('ann')).toThrow(ReadModelClosed);
    expect(readModel.lookUp(acmeStream, 'key', 'k1')).toEqual({ revision: -1 });
    expect([readModel.ready, readModel.position, readModel.pendingLines(0, 10)]).toEqual([false, NO_POSITION, []]);
    expect(await readModel.reached(ledger.position, 5_000)).toBe(true);
    expect(readModel.membershipsOf('ann')).toBe(1);
    await readModel.stop();
  });

  it('leaves nothing behind when the read model stops meanwhile, at any turn', async () => {
    for (let turns = 0; turns < 6; turns += 1) {
      const readModel = new SqliteReadModel(ledger.store, ledger.path);
      await readModel.start();
      for (let done = 0; done < turns; done += 1) await turn();
      await readModel.stop();
      expect(filesBeside()).toEqual([]);
    }
    expect((await ledger.read()).views.balances.find('acme')?.available).toBe(850);
    expect(warnings).not.toHaveBeenCalled();
  });

  it('goes on with what was written while it was filled', async () => {
    const readModel = new SqliteReadModel(ledger.store, ledger.path);
    await readModel.start();
    await ledger.write(ann, [bought(300, 500, 'r3')]);
    expect(await readModel.reached(ledger.position, 5_000)).toBe(true);
    expect(readModel.views.users.find('ann')?.purchased).toBe(500);
    await readModel.stop();
    const db = new Sqlite(ledger.path, { readonly: true });
    expect(db.prepare('select position from checkpoint').pluck().get()).toBe(String(ledger.position));
    db.close();
  });
});
