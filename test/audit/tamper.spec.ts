import { Sqlite } from '@ledger/sqlite';
import { AMOUNT_KINDS, POLICY_KINDS } from './tamper-clever';
import { CROSS_KINDS } from './tamper-cross';
import { CERTIFICATE_KINDS, CHAIN_KINDS, SHAPE_KINDS } from './tamper-plain';
import { audited, CleanStores, hunted } from './tamper-run';
import { Stores } from './tamper-store';

/** The quick one: every kind of forgery a few times. `tamper.chaos-spec.ts` does it many times. */

const STORES = 4;
const TIMES = 1;
const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);

const stores = new Stores();
const clean = new CleanStores();

beforeAll(async () => {
  process.stdout.write(`forgeries: TAMPER_SEED=${seed}\n`);
  await clean.make(stores, seed, STORES);
}, 60_000);
afterAll(() => stores.close());

it.each([...CHAIN_KINDS, ...SHAPE_KINDS, ...AMOUNT_KINDS, ...POLICY_KINDS, ...CROSS_KINDS, ...CERTIFICATE_KINDS])(
  'finds it when: $name',
  async (kind) => {
    const { missed } = await hunted(kind, TIMES, clean, stores, seed);
    expect(missed).toEqual([]);
  },
);

it('comes to the same through the port, by which stores on servers are read', async () => {
  const { rows } = clean.all[0]!;
  const wrong = rows.map((row, index) => (index % 20 === 9 ? { ...row, data: row.data.replace(/"tokens":(\d)/, '"tokens":1$1') } : row));
  for (const some of [rows, wrong]) {
    const path = await stores.holding(some);
    const [file, port] = [await audited(path, { headsAt: 50 }), await audited(path, { headsAt: 50 }, 'esdb://server')];
    expect({ ...port, findings: port.findings.kept }).toEqual({ ...file, findings: file.findings.kept });
    expect(port.findings.count > 0).toBe(some === wrong);
  }
});

describe('the tables beside the events', () => {
  const changed = async (sql: string): Promise<{ rule: string; stream: string }[]> => {
    const path = await stores.holding(clean.all[0]!.rows);
    const db = new Sqlite(path);
    db.exec('drop trigger events_are_never_changed');
    expect(db.prepare(sql).run().changes).toBe(1);
    db.close();
    return (await audited(path)).findings.kept.map(({ rule, stream }) => ({ rule, stream }));
  };
  const stream = 'userWallet-u1';
  const number = `(select id from streams where name = '${stream}')`;

  it.each([
    ['a head that was moved back', `update heads set revision = revision - 1 where stream = ${number}`],
    ['a head that leads elsewhere', `update heads set position = 1 where stream = ${number}`],
    ['a head that is gone', `delete from heads where stream = ${number}`],
    ['a link that leaves an event out', `update events set previous = 1 where revision = 2 and stream = ${number}`],
  ])('are found when they do not lead to them: %s', async (_, sql) => {
    expect(await changed(sql)).toEqual([{ rule: 'index', stream }]);
  });

  it('are found when they lead to what is not there', async () => {
    expect(await changed(`insert into heads (stream, revision, position) values (999, 3, 7)`)).toEqual([{ rule: 'index', stream: '' }]);
  });
});
