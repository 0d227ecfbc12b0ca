import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Sqlite } from '@ledger/sqlite';
import { auditor, type Ran } from './explain-cli';
import { contentOf, endsOf } from './since-run';
import { dataOf, edit, metaOf, reseal } from './tamper-forging';
import { randomRows, type Row, Stores } from './tamper-store';

/** `npm run audit -- verify`, `prove` and `check-proof` as their users call them. */

const SEED = 11;
const WAIT_MS = 120_000;
/** Of the last event: the store's clock is not ours. */
const latest = (): string =>
  rows
    .map(({ data }) => (JSON.parse(data) as { at: string }).at)
    .sort()
    .at(-1)!;

const stores = new Stores();
const file = (name: string): string => stores.file(name);
const rows = randomRows(SEED);
let store: string;
let keyId: string;
const at = (path: string): string[] => ['--event-store', `sqlite:${path}`];
const pinned = ['--public-key', file('key.pub.pem')];

interface Said {
  clean: boolean;
  events: number;
  streams: number;
  totals: Record<string, string>;
  findings: { rule: string; stream: string; revision: number; eventId: string; expected: string; found: string; sentence: string }[];
  certificate: { statement: { merkleRoot: string; position: string } } | null;
}
const said = ({ out }: Ran): Said => JSON.parse(out) as Said;
const forged = (change: (all: Row[]) => void): Promise<string> => {
  const all = rows.map((row) => ({ ...row }));
  change(all);
  return stores.holding(all);
};

beforeAll(async () => {
  store = await stores.holding(rows);
  const made = await auditor(['keygen', '--out', file('key.pem')]);
  keyId = /The key is ([0-9a-f]{64})/.exec(made.out)?.[1] ?? '';
  const certified = await auditor(['verify', ...at(store), '--certificate', file('c.json'), '--signing-key', file('key.pem')]);
  expect(certified).toMatchObject({ status: 0, out: expect.stringContaining('Clean: every rule holds.') });
}, WAIT_MS);
afterAll(() => stores.close());

it(
  'finds a clean store clean, says so to people and to machines, and changes nothing in or beside the file',
  async () => {
    const before = createHash('sha256').update(readFileSync(store)).digest('hex');
    const beside = readdirSync(stores.file('.')).sort();
    const people = await auditor(['verify'], { EVENT_STORE_URL: `sqlite:${store}` });
    expect(people).toMatchObject({ status: 0, out: expect.stringMatching(new RegExp(`^${rows.length} events of`)) });
    const machine = await auditor(['verify', ...at(store), '--json']);
    expect([machine.status, said(machine)]).toMatchObject([0, { clean: true, events: rows.length, findings: [] }]);
    expect(createHash('sha256').update(readFileSync(store)).digest('hex')).toBe(before);
    expect(readdirSync(stores.file('.')).sort()).toEqual(beside);
  },
  WAIT_MS,
);

it(
  'replays the same with several threads, and names what is no event of a ledger',
  async () => {
    expect(existsSync('dist/apps/auditor/src/replay/worker.js')).toBe(true);
    const replayed = (path: string, workers: string) => auditor(['replay', ...at(path), '--at', latest(), '--json', '--workers', workers]);
    const [one, three] = [await replayed(store, '1'), await replayed(store, '3')];
    expect(three).toEqual(one);
    expect((JSON.parse(three.out) as { wallets: unknown[] }).wallets.length).toBeGreaterThan(2);
    const bad = await forged((all) => (all.find(({ type }) => type === 'AllocationReceived')!.type = 'TokensFound'));
    const refused = await replayed(bad, '3');
    expect([refused.status, refused.err]).toEqual([2, expect.stringMatching(/^userWallet-\S+ revision \d+ \(event \S+\) is no event/)]);
  },
  WAIT_MS,
);

it(
  'leaves no file behind when its threads fail',
  async () => {
    const damaged = await stores.holding(rows);
    const bytes = readFileSync(damaged);
    bytes.fill(0xff, bytes.length / 2);
    writeFileSync(damaged, bytes);
    const folder = file('scratch');
    mkdirSync(folder);
    const failed = await auditor(['verify', ...at(damaged), '--workers', '3'], { TMPDIR: folder });
    expect([failed.status, failed.err]).toEqual([2, expect.stringContaining('malformed')]);
    expect(readdirSync(folder)).toEqual([]);
    const clean = await auditor(['verify', ...at(store), '--workers', '3'], { TMPDIR: folder });
    expect([clean.status, readdirSync(folder)]).toEqual([0, []]);
  },
  WAIT_MS,
);

it(
  'comes to the same with several threads',
  async () => {
    const [one, three] = [
      await auditor(['verify', ...at(store), '--json', '--workers', '1']),
      await auditor(['verify', ...at(store), '--json', '--workers', '3']),
    ];
    expect({ ...said(three), ms: 0 }).toEqual({ ...said(one), ms: 0 });
    const bad = await forged((all) => {
      const row = all.find(({ type }) => type === 'AllocationReceived')!;
      edit(row, (data) => (data.tokens += 1));
      reseal(all, row.stream);
    });
    const [alone, together] = [await auditor(['verify', ...at(bad), '--json', '--workers', '1']), await auditor(['verify', ...at(bad), '--json', '--workers', '3'])]; // prettier-ignore
    const sentences = (ran: Ran): string[] => said(ran).findings.map(({ sentence }) => sentence).sort(); // prettier-ignore
    expect([alone.status, together.status]).toEqual([1, 1]);
    expect(sentences(together)).toEqual(sentences(alone));
  },
  WAIT_MS,
);

it(
  'names stream, revision, event, rule, expected and found',
  async () => {
    const bad = await forged((all) =>
      edit(
        all.find(({ type }) => type === 'TokensUsed')!,
        (data) => (data.balanceAfter.balance += 3),
      ),
    );
    const used = rows.find(({ type }) => type === 'TokensUsed')!;
    const { balance } = dataOf(used).balanceAfter as { balance: number };
    const ran = await auditor(['verify', ...at(bad), '--json']);
    expect(ran.status).toBe(1);
    const place = { stream: used.stream, revision: used.revision, eventId: used.id };
    expect(said(ran).findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...place, rule: 'hash' }),
        expect.objectContaining({ ...place, rule: 'balance', expected: String(balance), found: String(balance + 3) }),
      ]),
    );
    const people = await auditor(['verify', ...at(bad)]);
    expect(people.out).toContain(
      `${used.stream}, revision ${used.revision}, event ${used.id}: balanceAfter.balance should be ${balance} and is ${balance + 3} (rule balance:`,
    );
  },
  WAIT_MS,
);

it(
  'ends with 2 and a sentence when it cannot run',
  async () => {
    for (const [args, sentence] of [
      [['verify', ...at('/nowhere/ledger.db')], 'The event store cannot be read: there is no event store at /nowhere/ledger.db.'],
      [['verify', '--event-store', 'mysql://x'], "The event store's address"],
      [['verify', '--colour'], "Unknown option '--colour'"],
      [['verify', ...at(store), '--certificate', 'x'], '--certificate names the file'],
      [['verify', ...at(store), '--workers', '0'], '--workers takes a number from 1 to 64; "0" is none.'],
      [['verify', ...at(store), '--since', file('c.json')], '--since trusts its certificate'],
      [['verify', ...at(store), '--against', file('key.pem')], 'cannot be read'],
      [['verify', ...at(store), '--platform-time-zone', 'Mars'], 'must be the name of an IANA zone'],
      [['keygen', '--out', file('key.pem')], 'EEXIST'],
      [['prove', '--wallet', 'u1', '--certificate', file('c.json')], '--wallet takes user:<id> or organisation:<id>'],
      [['paint'], 'There is no command "paint".'],
    ] as const) {
      expect(await auditor(args)).toMatchObject({ status: 2, err: expect.stringContaining(sentence) });
    }
  },
  WAIT_MS,
);

describe('a certificate', () => {
  it(
    'holds for the store, a copy of it, and a store that went on',
    async () => {
      copyFileSync(store, file('backup.db'));
      for (const path of [store, file('backup.db')])
        for (const how of ['--against', '--since'])
          expect(await auditor(['verify', ...at(path), how, file('c.json'), ...pinned])).toMatchObject({ status: 0 });
      // As it was when two thirds had happened, at the end of a command.
      const middle = Math.floor((rows.length * 2) / 3);
      const end = rows.findIndex((row, index) => index > middle && metaOf(row).requestId !== metaOf(rows[index - 1]!).requestId);
      const early = await stores.holding(rows.slice(0, end));
      const signed = await auditor(['verify', ...at(early), '--certificate', file('early.json'), '--signing-key', file('key.pem')]);
      expect(signed.status).toBe(0);
      for (const how of ['--against', '--since']) {
        const ran = await auditor(['verify', ...at(store), how, file('early.json'), '--json', ...pinned]);
        expect([ran.status, said(ran)]).toMatchObject([0, { clean: true, events: rows.length }]);
        // And rolled back to where the earlier certificate was made, only the later one shows it.
        expect(await auditor(['verify', ...at(early), how, file('early.json'), ...pinned])).toMatchObject({ status: 0 });
        expect(await auditor(['verify', ...at(early), how, file('c.json'), ...pinned])).toMatchObject({ status: 1 });
      }
    },
    WAIT_MS,
  );

  it(
    'has a state beside it that one thread goes on from, whether one or several have written it',
    async () => {
      const middle = endsOf(rows)[Math.floor(endsOf(rows).length / 2)]!;
      const early = await stores.holding(rows.slice(0, middle));
      const whole = said(await auditor(['verify', ...at(store), '--json']));
      for (const workers of ['1', '3']) {
        const path = file(`state-${workers}.json`);
        const signed = await auditor([
          'verify',
          ...at(early),
          '--certificate',
          path,
          '--signing-key',
          file('key.pem'),
          '--workers',
          workers,
        ]);
        expect([signed.status, signed.err]).toEqual([0, '']);
        const since = await auditor(['verify', ...at(store), '--since', path, '--json', ...pinned]);
        expect([since.status, since.err]).toEqual([0, '']);
        expect(said(since)).toMatchObject({ wentOnFrom: { position: String(middle), events: middle } });
        expect({ ...said(since), ms: 0, wentOnFrom: null, comparedWith: null }).toEqual({ ...whole, ms: 0 });
      }
      const [one, three] = [contentOf(file('state-1.json')), contentOf(file('state-3.json'))];
      expect({ ...three, seed: [], entries: three.entries.length }).toEqual({ ...one, seed: [], entries: one.entries.length });
    },
    WAIT_MS,
  );

  it(
    'is told from one that was changed, and from one that another key has signed',
    async () => {
      const text = readFileSync(file('c.json'), 'utf8');
      writeFileSync(file('forged.json'), text.replace(/"events":\d+/, '"events":7'));
      expect(await auditor(['verify', ...at(store), '--against', file('forged.json'), ...pinned])).toMatchObject({ status: 1, out: expect.stringContaining('it was changed after it was signed') }); // prettier-ignore
      await auditor(['keygen', '--out', file('other.pem')]);
      await auditor(['verify', ...at(store), '--certificate', file('other.json'), '--signing-key', file('other.pem')]);
      expect(await auditor(['verify', ...at(store), '--against', file('other.json'), ...pinned])).toMatchObject({ status: 1, out: expect.stringContaining(`not by ${keyId}`) }); // prettier-ignore
      // Without the key it can only be said who signed, and that nobody vouches for them.
      expect(await auditor(['verify', ...at(store), '--against', file('other.json')])).toMatchObject({ status: 0, out: expect.stringContaining('nobody has named') }); // prettier-ignore
    },
    WAIT_MS,
  );

  it(
    'names the stream that was cut off, also in a store that was rolled back and restored',
    async () => {
      const cut = rows.filter(({ type }) => type === 'TokensUsed').at(-1)!;
      const bad = await forged((all) => {
        for (const row of all.filter(({ stream, revision }) => stream === cut.stream && revision >= cut.revision))
          all.splice(all.indexOf(row), 1);
      });
      const ran = await auditor(['verify', ...at(bad), '--against', file('c.json'), '--json', ...pinned]);
      expect(ran.status).toBe(1);
      expect(said(ran).findings).toContainEqual(expect.objectContaining({ rule: 'certificate', stream: cut.stream, found: expect.stringContaining('cut off') })); // prettier-ignore
      const since = await auditor(['verify', ...at(bad), '--since', file('c.json'), '--json', ...pinned]);
      expect(said(since).findings).toContainEqual(expect.objectContaining({ rule: 'certificate', stream: cut.stream }));
      // Without the list of heads it is still found, but not where.
      copyFileSync(file('c.json'), file('bare.json'));
      const bare = await auditor(['verify', ...at(bad), '--against', file('bare.json'), '--json', ...pinned]);
      expect(said(bare).findings).toContainEqual(expect.objectContaining({ rule: 'certificate', stream: 'the store' }));
    },
    WAIT_MS,
  );

  it(
    'is not given to a store with findings, nor to an empty one',
    async () => {
      const bad = await forged((all) => void (all[3]!.id = all[2]!.id));
      const sign = ['--certificate', file('none.json'), '--signing-key', file('key.pem')];
      expect(await auditor(['verify', ...at(bad), ...sign])).toMatchObject({ status: 1 });
      expect(await auditor(['verify', ...at(await stores.holding([])), ...sign])).toMatchObject({ status: 2, err: expect.stringContaining('An empty store') }); // prettier-ignore
      expect(existsSync(file('none.json'))).toBe(false);
    },
    WAIT_MS,
  );
});

it(
  'proves one wallet to who has no store, from the heads file or from the store',
  async () => {
    const user = rows.findLast(({ type }) => type === 'TokensUsed')!.stream.slice('userWallet-'.length);
    copyFileSync(file('c.json'), file('alone.json'));
    for (const certificate of ['c.json', 'alone.json']) {
      const made = await auditor(['prove', '--wallet', `user:${user}`, '--certificate', file(certificate), '--out', file('p.json'), ...pinned, ...at(store)]); // prettier-ignore
      expect(made).toMatchObject({ status: 0, err: '' });
      const checked = await auditor(['check-proof', '--proof', file('p.json'), ...pinned]);
      expect(checked).toMatchObject({ status: 0, err: '', out: expect.stringContaining(`userWallet-${user} ended with revision`) });
    }
    writeFileSync(file('q.json'), readFileSync(file('p.json'), 'utf8').replace('\\"balance\\":', '\\"balance\\":1'));
    expect(await auditor(['check-proof', '--proof', file('q.json'), ...pinned])).toMatchObject({ status: 1, out: expect.stringContaining('does not hold') }); // prettier-ignore
    expect(await auditor(['check-proof', '--proof', file('p.json')])).toMatchObject({ status: 0, err: expect.stringContaining(keyId) });
    expect(await auditor(['prove', '--wallet', 'user:nobody', '--certificate', file('c.json'), ...at(store)])).toMatchObject({ status: 2, err: expect.stringContaining('was not there') }); // prettier-ignore
  },
  WAIT_MS,
);

it(
  'leaves the log of a writer that crashed as it is',
  async () => {
    const path = file('crashed.db');
    copyFileSync(store, path);
    const db = new Sqlite(path);
    db.pragma('wal_autocheckpoint = 0');
    db.exec('create table scratch (x); drop table scratch;');
    for (const suffix of ['', '-wal']) copyFileSync(`${path}${suffix}`, `${file('left.db')}${suffix}`);
    db.close();
    const bytes = (suffix: string): string => createHash('sha256').update(readFileSync(`${file('left.db')}${suffix}`)).digest('hex'); // prettier-ignore
    const before = [bytes(''), bytes('-wal')];
    expect(await auditor(['verify', ...at(file('left.db'))])).toMatchObject({ status: 0 });
    expect([bytes(''), bytes('-wal')]).toEqual(before);
  },
  WAIT_MS,
);
