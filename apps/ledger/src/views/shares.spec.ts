import { join } from 'node:path';
import { Sqlite } from '@ledger/sqlite';
import { endow, Instances } from '../wallets/testing/instances';
import { emptyFile } from './filling';
import { fillSecond, FIRST_PART, foldShare, SECOND_PART } from './shares';

const instances = new Instances();
afterAll(() => instances.close());

let store: string;
let events: number;
let until: bigint;
/** Between two events; in steps of a fixed length so many positions take seconds. */
const APART = 10_000_000;

beforeAll(async () => {
  const one = await instances.start({ freeTokensPerMonth: 25 });
  await endow(one, 'school', { ann: 50, bob: 60 });
  events = Number(await one.store.headPosition());
  until = BigInt(events * APART);
  store = join(instances.folder, 'apart.db');
  const db = new Sqlite(one.store.file);
  db.exec(`vacuum into '${store}'`);
  db.close();
  const apart = new Sqlite(store);
  // From the last one on: no two may stand at one place meanwhile.
  apart.exec('drop trigger events_are_never_changed');
  for (let position = events; position > 0; position -= 1)
    apart.prepare('update events set position = ?, previous = previous * ? where position = ?').run(position * APART, APART, position);
  apart.close();
});

it.each([FIRST_PART, SECOND_PART])('part %d reads what is there, and steps over positions where nothing stands', (part) => {
  const { db, views } = emptyFile(join(instances.folder, `part-${part}.db`));
  const readTo = [...foldShare(views, { store, path: '', until }, part)];
  db.close();
  expect(readTo.at(-1)).toBe(until);
  expect(readTo.length).toBeLessThanOrEqual(events * 2 + 1);
});

it('fills a file when it is wanted, and leaves it empty as soon as it is not', () => {
  const rowsOf = (name: string, unwanted: number): number => {
    const path = join(instances.folder, name);
    fillSecond({ store, path, until, unwanted: Int32Array.of(unwanted) });
    const db = new Sqlite(path);
    try {
      return db.prepare<[], number>('select count(*) from relationships').pluck().get()!;
    } finally {
      db.close();
    }
  };
  expect(rowsOf('wanted.db', 0)).toBeGreaterThan(0);
  expect(rowsOf('unwanted.db', 1)).toBe(0);
});
