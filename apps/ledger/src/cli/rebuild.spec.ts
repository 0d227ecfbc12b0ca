import { existsSync } from 'node:fs';
import { Sqlite } from '@ledger/sqlite';
import { allocated, bought, opened, permitted, purchased, received, used, walletOpened } from '../views/testing/facts';
import { organisation, TestLedger, user } from '../views/testing/ledger';
import { rebuild, rebuildPath } from './rebuild';

const [acme, ann] = [organisation('acme'), user('ann')];

let ledger: TestLedger;
let said: string[];
beforeEach(async () => {
  said = [];
  ledger = await TestLedger.open();
  await ledger.write(acme, [opened('acme'), purchased(1_000, 1_000, 'r1'), permitted('ann', 'ben')], { key: 'k1', contentHash: 'c' });
  await ledger.write(acme, [allocated('a1', [['ann', 100, 1], ['ben', 50, 1]], 850)]); // prettier-ignore
  await ledger.write(ann, [walletOpened('ann', 10), received('acme', 'a1', 1, 100), bought(200, 200, 'r2')]);
  await ledger.write(ann, [used({ usageId: 'u1', organisationId: 'acme', tokens: 30, held: 70, used: [30, 30] })]);
});
afterEach(() => ledger.close());

const run = (...args: string[]): Promise<number> => {
  const env = { DATA_DIR: ledger.folder, READ_MODEL_PATH: ledger.path };
  return rebuild(args, env, (line) => said.push(line), (line) => said.push(line)); // prettier-ignore
};

function edit(sql: string): void {
  const db = new Sqlite(ledger.path);
  db.exec(sql);
  db.close();
}

describe('npm run rebuild', () => {
  it('puts a fresh read model in the place of the old one, and leaves nothing beside it', async () => {
    await ledger.read();
    await ledger.stopReading();
    edit('update organisations set available = 77');
    expect(await run()).toBe(0);
    expect(said.at(-1)).toBe(`${ledger.path} was built anew.`);
    expect([rebuildPath(ledger.path), `${rebuildPath(ledger.path)}.lock`, `${ledger.path}-wal`].filter(existsSync)).toEqual([]);
    const readModel = await ledger.read();
    expect([readModel.build, readModel.views.balances.find('acme')?.available]).toEqual([0, 850]);
  });

  it('makes one where there was none, also of an empty store', async () => {
    expect(await run()).toBe(0);
    expect((await ledger.read()).views.balances.find('acme')?.available).toBe(850);
    const empty = await TestLedger.open();
    expect(await rebuild([], { DATA_DIR: empty.folder }, () => undefined, () => undefined)).toBe(0); // prettier-ignore
    expect((await empty.read()).views.balances.find('acme')).toBeUndefined();
    await empty.close();
  });

  it('leaves the read model of a running service alone', async () => {
    const readModel = await ledger.read();
    expect(await run()).toBe(1);
    expect(said.join(' ')).toMatch(/in use by another process.*--check/);
    expect(readModel.views.balances.find('acme')?.available).toBe(850);
  });

  it('is asked wrongly with an option that it does not know', async () => {
    expect(await run('--chek')).toBe(2);
    expect(said.join(' ')).toMatch(/Usage: npm run rebuild/);
  });
});

describe('npm run rebuild -- --check', () => {
  it('finds the read model of a running service equal, also when it goes on meanwhile', async () => {
    const readModel = await ledger.read();
    await ledger.stopReading();
    const again = await ledger.read();
    await ledger.write(ann, [bought(300, 500, 'r3')]);
    expect(await again.reached(ledger.position, 5_000)).toBe(true);
    expect(await run('--check')).toBe(0);
    expect(said.at(-1)).toMatch(/^Compared \d+ rows of \d+ tables at position \d+: no difference\.$/);
    expect([readModel.build, existsSync(rebuildPath(ledger.path))]).toEqual([0, false]);
  });

  it.each([
    ['a figure', 'update organisations set available = 77', /^organisations organisation_id acme: available is 77 live and 850 rebuilt/],
    ['a row that is missing', `delete from usages`, /^usages: only the rebuilt file has usage_id u1, user_id ann/],
    ['a row too many', `insert into users (user_id, revision) values ('zoe', 1)`, /^users: only the live file has user_id zoe/],
    ['a pending line', 'update pending_lines set tokens = 51', /^pending_lines user_id ben, organisation_id acme, number 1: tokens is 51/],
    ['an entry that is unique for ever', 'update unique_entries set revision = 9', /^unique_entries .*revision is 9/],
  ])('names %s that differs', async (_, sql, named) => {
    await ledger.read();
    await ledger.stopReading();
    edit(sql);
    expect(await run('--check')).toBe(1);
    expect(said).toEqual(expect.arrayContaining([expect.stringMatching(named)]));
  });

  it('says why a file of another store cannot be compared', async () => {
    await ledger.read();
    await ledger.stopReading();
    edit(`update checkpoint set mark = 'elsewhere'`);
    expect(await run('--check')).toBe(1);
    expect(said.join(' ')).toMatch(/cannot be compared: it was built from the store elsewhere/);
  });
});
