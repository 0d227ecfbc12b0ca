import { join } from 'node:path';
import { type EventStore, NO_POSITION, type StoredEvent } from '@ledger/event-store';
import { use, UseTokens } from '@ledger/wallet';
import { type Database, Sqlite } from '@ledger/sqlite';
import fc from 'fast-check';
import { command, endow, Instances } from '../wallets/testing/instances';
import { history, step } from '../wallets/testing/steps';
import { buildFromNothing, pagesTo } from './building';
import { Checkpoints } from './checkpoint';
import { compare } from './comparison';
import { type FillBeside, fillSecond } from './shares';
import { SqliteReadModel } from './sqlite-read-model';
import { ViewFile } from './view-file';
import { Views } from './views';

/** The rows after the events, folded in by batches of these sizes, each batch twice, committed now and then. */
function folded(events: readonly StoredEvent[], sizes: readonly number[]): Database {
  const db = new Sqlite(':memory:');
  Checkpoints.create(db);
  const views = new Views(db);
  for (let from = 0, turn = 0; from < events.length; turn += 1) {
    const batch = events.slice(from, (from += sizes[turn % sizes.length]!));
    for (const event of [...batch, ...batch]) views.apply(event);
    if (turn % 3 === 0) views.flush();
    if (turn % 5 === 0) views.complete();
    // What a crash drops is read again: an earlier part comes once more, into rows that hold it already.
    if (turn % 5 === 0) for (const event of events.slice(0, from)) views.apply(event);
  }
  views.complete();
  return db;
}

/** Relationships of users in the second half, over all runs. */
let seconds = 0;

/** As the second thread does it, but here: a worker has no compiler. */
const fillHere: FillBeside = (options) => {
  fillSecond(options);
  const db = new Sqlite(options.path, { readonly: true });
  seconds += db.prepare<[], number>('select count(*) from relationships where first_revision is not null').pluck().get()!;
  db.close();
  return { done: Promise.resolve(), end: () => Promise.resolve() };
};

async function filledFile(store: EventStore, folder: string, fillBeside: FillBeside | undefined): Promise<Database> {
  const file = new ViewFile(join(folder, 'filled.db'));
  const until = await store.headPosition();
  const filled = await buildFromNothing({
    store,
    until,
    pages: pagesTo(until, store, NO_POSITION),
    file,
    ...(fillBeside && { fillBeside }),
  });
  file.release();
  return filled!.db;
}

const indexesOf = (db: Database): unknown[] => db.prepare(`select name, sql from sqlite_schema where type = 'index' order by name`).all();

it('built anew, by one thread or two, in any batches and with every event twice, has the rows that it had when it was read live', async () => {
  const steps = fc.array(fc.nat(400), { minLength: 10, maxLength: 60 });
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(steps, sizes, async (numbers, batches) => {
      const instances = new Instances();
      try {
        const one = await instances.start({ freeTokensPerMonth: 25 });
        const path = join(instances.folder, 'read-model.db');
        const live = new SqliteReadModel(one.store, path);
        await live.start();
        await history(instances, one, 20);
        // Their streams are neighbours, so each is in another half.
        await endow(one, 'school', { cat: 50, dan: 60 });
        for (const id of ['cat', 'dan'])
          await one.users.execute(command(UseTokens, { kind: 'user', id }, { tokens: 30 }, `use-${id}`), use);
        for (const [at, n] of numbers.entries()) await step(instances, one, n * 100 + at);
        await live.reached(await one.store.headPosition(), 5_000);
        await live.stop();
        const rows = new Sqlite(path, { readonly: true });
        const rebuilt = folded(await one.store.readAll(NO_POSITION, 10_000), batches);
        const { differences, rows: count } = compare(rows, rebuilt);
        expect(differences).toEqual([]);
        expect(count).toBeGreaterThan(20);
        for (const fillBeside of [undefined, fillHere]) {
          const filled = await filledFile(one.store, instances.folder, fillBeside);
          expect(compare(rows, filled)).toMatchObject({ differences: [], rows: count });
          expect(indexesOf(filled)).toEqual(indexesOf(rows));
          filled.close();
        }
        rows.close();
        rebuilt.close();
      } finally {
        await instances.close();
      }
    }),
    { numRuns: 15 },
  );
  expect(seconds).toBeGreaterThan(10);
}, 60_000);
