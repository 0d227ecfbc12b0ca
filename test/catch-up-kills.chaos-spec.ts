import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SqliteEventStore } from '@ledger/event-store';
import Sqlite from 'better-sqlite3';
import { rebuild } from '../apps/ledger/src/cli/rebuild';
import { generate } from './load/generate';
import { Choices } from './support/choices';
import { seedOf } from './support/ledger-under-test';

/** The read model is killed again and again while it catches up; in the end it is as if it had been left in peace. */

const BUILT = resolve(__dirname, '../dist');
const EVENTS = 120_000;
const KILLS = 20;
const LIFE_MS: [number, number] = [150, 900];
const MINUTES_MAX = 3;

/** What the service does with its read model, and nothing else: so a life is spent on catching up. */
const READER = `
  const { SqliteEventStore } = require(process.argv[1] + '/libs/event-store/src');
  const { SqliteReadModel } = require(process.argv[1] + '/apps/ledger/src/views/sqlite-read-model');
  (async () => {
    const store = await SqliteEventStore.open(process.argv[2] + '/events.db');
    const readModel = new SqliteReadModel(store, process.argv[2] + '/read-model.db');
    await readModel.start();
    console.log('started');
    await readModel.reached(await store.headPosition(), 120_000);
    await readModel.stop();
    await store.close();
    process.exit(0);
  })();`;

let folder: string;
let reader: ChildProcess | undefined;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ledger-catch-up-'));
  const store = await SqliteEventStore.open(join(folder, 'events.db'));
  await generate(store, { events: EVENTS, shape: 'spread', seed: 3 });
  await store.close();
}, MINUTES_MAX * 60_000);
afterAll(() => {
  reader?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function start(): { started: Promise<void>; ended: Promise<number | null>; child: ChildProcess } {
  const child = spawn(process.execPath, ['-e', READER, BUILT, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  reader = child;
  const ended = new Promise<number | null>((done) => child.on('exit', done));
  const said = new Promise<void>((done) => child.stdout.on('data', (text) => (String(text).includes('started') ? done() : undefined)));
  return { child, ended, started: Promise.race([said, ended.then(() => undefined)]) };
}

/** Position of the last commit; -1 before the first. */
function committed(): number {
  const db = new Sqlite(join(folder, 'read-model.db'), { readonly: true });
  try {
    return Number(db.prepare('select position from checkpoint').pluck().get() ?? -1);
  } catch {
    return -1;
  } finally {
    db.close();
  }
}

it(
  `answers the same after ${KILLS} kills while it catches up`,
  async () => {
    const choices = new Choices(seedOf('CATCH_UP_SEED'));
    const positions: number[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const { child, ended, started } = start();
      await started;
      await pause(choices.from(...LIFE_MS));
      child.kill('SIGKILL');
      await ended;
      positions.push(committed());
    }
    // Nothing that was committed is lost by a kill.
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(await start().ended).toBe(0);
    const said: string[] = [];
    expect(await rebuild(['--check'], { DATA_DIR: folder }, (line) => said.push(line), (line) => said.push(line))).toBe(0); // prettier-ignore
    expect(said.at(-1)).toMatch(/no difference/);
  },
  MINUTES_MAX * 60_000,
);
