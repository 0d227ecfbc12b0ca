import { Sqlite } from '@ledger/sqlite';
import { sentenceOf } from '../../apps/auditor/src/verify/finding';
import { verified } from './since-run';
import { randomRows, type Row, Stores } from './tamper-store';

/** Tables of a file that say something else than its events, where no event is wrong. */

const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);
const stores = new Stores();
let rows: Row[];

beforeAll(() => {
  process.stdout.write(`tables beside events: TAMPER_SEED=${seed}\n`);
  rows = randomRows(seed);
});
afterAll(() => stores.close());

/** What is found by a whole audit, and by one that goes on from the untouched store. */
async function found(change: (db: InstanceType<typeof Sqlite>) => void): Promise<string[]> {
  const path = await stores.holding(rows);
  const certificate = stores.file('c.json');
  expect((await verified(path, { certificate })).result.findings.count).toBe(0);
  const db = new Sqlite(path);
  change(db);
  db.close();
  const whole = (await verified(path)).result.findings.kept.map(sentenceOf);
  const since = (await verified(path, { since: certificate })).result.findings.kept.map(sentenceOf);
  expect(since).toEqual(expect.arrayContaining(whole));
  return whole;
}

it.each([0, -7])('finds an event at position %i, where every reader of all events begins and no stream leads', async (position) => {
  const copy = 'insert into events select ?, stream, revision, previous, id, type, data, metadata from events where position = 2';
  expect(await found((db) => void db.prepare(copy).run(position))).toEqual([
    expect.stringMatching(/^the store: the events before position 1 should be 0 and is 1 \(rule index/),
  ]);
});

it('finds a stream that goes on under another number, so that who asks by its name sees an older end', async () => {
  const { stream } = rows.at(-1)!;
  const sentences = await found((db) => {
    db.exec(
      'drop view ledger; drop trigger events_are_never_changed; create table others (id integer primary key, name text not null) strict',
    );
    db.exec('insert into others select * from streams; drop table streams; alter table others rename to streams');
    const last = db.prepare<[], { position: number; stream: number; revision: number; previous: number }>('select * from events order by position desc limit 1').get()!; // prettier-ignore
    const { lastInsertRowid } = db.prepare('insert into streams (name) values (?)').run(stream);
    db.prepare('update events set stream = ?, previous = 0 where position = ?').run(lastInsertRowid, last.position);
    db.prepare('update heads set revision = ?, position = ? where stream = ?').run(last.revision - 1, last.previous, last.stream);
    db.prepare('insert into heads values (?, ?, ?)').run(lastInsertRowid, last.revision, last.position);
  });
  expect(sentences).toEqual([expect.stringMatching(new RegExp(`^${stream}: the name of the stream should be there once`))]);
});
