import { join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { type Database, Sqlite } from '@ledger/sqlite';
import { buildTo } from '../../apps/ledger/src/views/building';
import { compare } from '../../apps/ledger/src/views/comparison';
import { SqliteReadModel } from '../../apps/ledger/src/views/sqlite-read-model';
import { allocated, opened, permitted, purchased, received } from '../../apps/ledger/src/views/testing/facts';
import { organisation, TestLedger, user } from '../../apps/ledger/src/views/testing/ledger';
import { ViewFile } from '../../apps/ledger/src/views/view-file';
import { settleTown } from './town';

/** The read model as the built service has it: another thread follows the store and writes, this one reads. */

const SCRIPT = resolve(__dirname, '../../dist/apps/ledger/src/views/keeping-worker.js');
const WAIT_MS = 30_000;
const TOWN_EVENTS = 6_000;

const acme = organisation('acme');
let ledger: TestLedger;
let readModel: SqliteReadModel;
let outside: Database;

beforeEach(async () => {
  ledger = await TestLedger.open();
  await ledger.write(acme, [opened('acme'), purchased(1_000, 1_000, 'r1'), permitted('ann', 'ben')]);
  readModel = new SqliteReadModel(ledger.store, ledger.path, SCRIPT);
  await readModel.start();
  await reached();
  outside = new Sqlite(ledger.path);
});
afterEach(async () => {
  outside.close();
  await readModel.stop();
  await ledger.close();
  jest.restoreAllMocks();
});

async function reached(): Promise<void> {
  expect(await readModel.reached(ledger.position, WAIT_MS)).toBe(true);
}

const available = (): number | undefined => readModel.views.balances.find('acme')?.available;

/** What is committed in the file, whatever this thread has heard of. */
const committed = (): bigint => BigInt(outside.prepare<[], string>('select position from checkpoint').pluck().get()!);

/** Stands in the way of every commit. */
const OBSTACLE = `create trigger full before insert on checkpoint begin select raise(abort, 'the disk is full'); end`;

it('shows at each position what stands up to it', async () => {
  for (let n = 1; n <= 100; n += 1) {
    await ledger.write(acme, [purchased(10, 1_000 + 10 * n, `more-${n}`)]);
    await reached();
    expect(available()).toBe(1_000 + 10 * n);
    expect(readModel.lookUp('organisationWallet-acme', 'payment', `more-${n}`)).toEqual({ revision: 2 + n, found: { revision: 2 + n } });
  }
});

it('shows one commit in one turn, and the next as soon as somebody was told of it', async () => {
  await ledger.write(acme, [purchased(500, 1_500, 'r2')]);
  // In the phase of the event loop after which a message of the other thread comes before anything else.
  const [before, still, then] = await new Promise<(number | undefined)[]>((resolve) =>
    setImmediate(() => {
      const first = available();
      const seen = readModel.reached(ledger.position, WAIT_MS).then(available);
      while (committed() < ledger.position) continue;
      const second = available();
      resolve(seen.then((third) => [first, second, third]));
    }),
  );
  expect(still).toBe(before);
  expect(then).toBe(1_500);
});

it('has the lines of an allocation for settlement, and wakes who waits for their receipt', async () => {
  await ledger.write(acme, [allocated('a1', [['ann', 10, 1], ['ben', 10, 1]], 980)]); // prettier-ignore
  const { position } = ledger;
  const lines = await new Promise<string[]>((resolve) => {
    const end = readModel.onRead(() => {
      const pending = readModel.pendingLines(0, 10);
      if (pending.length === 0) return;
      end();
      resolve(pending.map(({ userId }) => userId));
    });
  });
  expect(lines).toEqual(['ann', 'ben']);
  const settled = readModel.reached(position, WAIT_MS, 'a1');
  for (const id of ['ann', 'ben']) await ledger.write(user(id), [received('acme', 'a1', 1, 10)]);
  expect(await settled).toBe(true);
  expect(readModel.pendingLines(0, 10)).toEqual([]);
});

it('is built again when a row contradicts the next event', async () => {
  const warnings = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  await readModel.stop();
  outside.exec('update organisations set revision = 0');
  await readModel.start();
  await ledger.write(acme, [purchased(500, 1_500, 'r2')]);
  await reached();
  expect([available(), readModel.build]).toEqual([1_500, 1]);
  expect(warnings).toHaveBeenCalledWith(expect.stringMatching(/goes on with 3/));
});

it('goes on at its last commit when the next one fails, and wakes who waits', async () => {
  const said = new Promise<string>((resolve) => {
    jest.spyOn(Logger.prototype, 'error').mockImplementation((sentence: string) => resolve(sentence));
  });
  outside.exec(OBSTACLE);
  await ledger.write(acme, [purchased(500, 1_500, 'r2')]);
  const waiting = readModel.reached(ledger.position, WAIT_MS);
  expect(await said).toMatch(/goes on at position 3: KeeperFailed: .*the disk is full/);
  expect([available(), committed()]).toEqual([1_000, 3n]);
  outside.exec('drop trigger full');
  expect([await waiting, available()]).toEqual([true, 1_500]);
});

it('says how far it is while it catches up from where it was', async () => {
  await readModel.stop();
  await settleTown(ledger.store, { events: TOWN_EVENTS, seed: 8, timeZone: 'UTC' });
  await readModel.start();
  const seen = new Set<number>();
  while (!readModel.ready) {
    await turn();
    seen.add(readModel.progress.percent);
  }
  expect(seen.size).toBeGreaterThan(3);
  expect(await readModel.reached(await ledger.store.headPosition(), WAIT_MS)).toBe(true);
}, 60_000);

it('commits what it has read when it stops', async () => {
  await ledger.write(acme, [purchased(500, 1_500, 'r2')]);
  await reached();
  await readModel.stop();
  expect(committed()).toBe(ledger.position);
});

it('has the rows that a file has which one thread fills alone', async () => {
  const halfway = reached;
  await settleTown(ledger.store, { events: TOWN_EVENTS, seed: 7, timeZone: 'Europe/Berlin', halfway });
  const head = await ledger.store.headPosition();
  expect(await readModel.reached(head, WAIT_MS)).toBe(true);
  await readModel.stop();
  const file = new ViewFile(join(ledger.folder, 'alone.db'));
  const alone = file.open();
  await buildTo(head, ledger.store, alone);
  const { differences, rows } = compare(outside, alone.db);
  alone.db.close();
  file.release();
  expect(differences).toEqual([]);
  expect(rows).toBeGreaterThan(TOWN_EVENTS / 2);
}, 60_000);
