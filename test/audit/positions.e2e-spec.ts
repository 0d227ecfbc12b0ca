import { Sqlite } from '@ledger/sqlite';
import { auditor } from './explain-cli';
import { randomRows, Stores } from './tamper-store';

/** Positions and links that nobody but a forger writes: no reading goes on for ever. */

const WAIT_MS = 120_000;
const rows = randomRows(12);
const stores = new Stores();
afterAll(() => stores.close());

const instants = rows.map(({ data }) => (JSON.parse(data) as { at: string }).at).sort();
const AT = ['--at', instants.at(-1)!];
const answer = async (path: string, ...args: string[]) => {
  const { status, out, err } = await auditor([...args, '--event-store', `sqlite:${path}`]);
  return {
    status,
    err,
    said: out === '' ? undefined : ({ ...(JSON.parse(out) as object), ms: 0, position: 0 } as Record<string, unknown>),
  };
};

it.each([
  ['verify', '--json'],
  ['replay', '--json', ...AT],
])(
  '%s reads events that stand far apart, up to the last position that there can be, as it reads them side by side',
  async (...command) => {
    const near = await stores.holding(rows);
    const apart = Math.floor(Number.MAX_SAFE_INTEGER / rows.length);
    const far = await stores.holding(rows.map((row, index) => ({ ...row, position: (index + 1) * apart })));
    const edge = rows.map((row, index) => ({ ...row, position: index + 1 < rows.length ? index + 1 : Number.MAX_SAFE_INTEGER }));
    const expected = await answer(near, ...command, '--workers', '1');
    expect(expected).toMatchObject({ status: 0, err: '' });
    for (const path of [far, await stores.holding(edge)])
      for (const workers of ['1', '3']) expect(await answer(path, ...command, '--workers', workers)).toEqual(expected);
  },
  WAIT_MS,
);

it.each([
  [
    'to itself',
    'update events set previous = position where position = @second',
    /the event at position (\d+) says that \1 comes before it/,
  ],
  ['to a later event', 'update events set previous = @head where position = @second', /the event at position \d+ says that \d+ comes/],
])(
  'a link that leads %s is told of where the stream is read, and found by verify',
  async (_, sql, sentence) => {
    const path = await stores.holding(rows);
    const [stream] = [...new Set(rows.map((row) => row.stream))].filter(
      (name) => name.startsWith('userWallet-') && rows.filter((row) => row.stream === name).length > 3,
    );
    const db = new Sqlite(path);
    db.exec('drop trigger events_are_never_changed');
    const found = db
      .prepare<[string], { second: number; head: number }>(
        `select events.position as second, heads.position as head from streams
         join heads on heads.stream = streams.id join events on events.stream = streams.id and events.revision = 1 where name = ?`,
      )
      .get(stream!)!;
    db.prepare(sql).run(found);
    db.close();
    const wallet = `user:${stream!.slice('userWallet-'.length)}`;
    const explained = await auditor(['explain', '--wallet', wallet, '--event', '0', '--event-store', `sqlite:${path}`]);
    expect(explained).toEqual({ status: 2, out: '', err: expect.stringMatching(sentence) });
    expect(explained.err).toMatch(/^The event store cannot be read: [^\n]* is damaged \([^\n]*\): restore it from a backup[^\n]*\.\n$/);
    for (const workers of ['1', '3']) {
      const { status, said } = await answer(path, 'verify', '--json', '--workers', workers);
      expect([status, said!.findings]).toEqual([1, [expect.objectContaining({ rule: 'index', stream, revision: 1 })]]);
    }
  },
  WAIT_MS,
);
