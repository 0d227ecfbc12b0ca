import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Sqlite } from '@ledger/sqlite';
import { statePath } from '../../apps/auditor/src/certificates/state-file';
import { WholeFile } from '../../apps/auditor/src/cli/whole-file';
import { certify } from '../../apps/auditor/src/cli/certify';
import type { Kept } from '../../apps/auditor/src/verify/kept';
import { auditorHere, type Ran } from './explain-cli';
import { endsOf, verified } from './since-run';
import { dataOf, Dice, edit, isUser, reseal } from './tamper-forging';
import { randomRows, type Row, Stores } from './tamper-store';

/** `verify --since` as it is called: which state files it takes, and what it says of a past that is another. */

const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);
const stores = new Stores();
const file = (name: string): string => stores.file(name);
const rows = randomRows(seed);
const ends = endsOf(rows);
const point = ends[Math.floor(ends.length / 2)]!;
let early: string;
let store: string;
let wanted: Said;

interface Said {
  clean: boolean;
  events: number;
  wentOnFrom: { position: string; events: number } | null;
  findings: { rule: string; stream: string }[];
  stateFault?: string;
}
const said = ({ out }: Ran): Said => JSON.parse(out) as Said;
const at = (path: string): string[] => ['--event-store', `sqlite:${path}`];
const since = (path: string, certificate = 'c.json'): Promise<Ran> =>
  auditorHere(['verify', ...at(path), '--since', file(certificate), '--public-key', file('key.pub.pem'), '--json']);
const certified = (path: string, certificate: string, ...more: string[]): Promise<Ran> =>
  auditorHere(['verify', ...at(path), '--certificate', file(certificate), '--signing-key', file('key.pem'), ...more]);
/** Of a whole audit, and of one that went on: all but what tells them apart. */
const comparable = (one: Said) => ({ ...one, ms: 0, wentOnFrom: null, comparedWith: null });
const beside = (): string[] => readdirSync(stores.file('.')).filter((name) => name.startsWith('x.json')); // prettier-ignore

beforeAll(async () => {
  process.stdout.write(`state files: TAMPER_SEED=${seed}\n`);
  [early, store] = [await stores.holding(rows.slice(0, point)), await stores.holding(rows)];
  await auditorHere(['keygen', '--out', file('key.pem'), '--public-out', file('key.pub.pem')]);
  expect(await certified(early, 'c.json')).toMatchObject({ status: 0, err: '' });
  wanted = said(await auditorHere(['verify', ...at(store), '--json']));
});
afterAll(() => stores.close());

it('reads what is new alone, says so to people and to machines, and needs no file but its own', async () => {
  const machine = await since(store);
  expect([machine.status, machine.err]).toEqual([0, '']);
  expect(said(machine).wentOnFrom).toEqual({ position: String(point), events: point });
  expect(comparable(said(machine))).toEqual(comparable(wanted));
  const people = await auditorHere(['verify', ...at(store), '--since', file('c.json'), '--public-key', file('key.pub.pem')]);
  expect(people.out).toContain(`Read: ${rows.length - point} events behind position ${point};`);
  expect(statSync(file('c.json.state')).mode & 0o777).toBe(0o600);
  expect(readdirSync(file('.')).filter((name) => name.endsWith('.part'))).toEqual([]);
});

it('goes on from a certificate to the next, also to one of the same name', async () => {
  copyFileSync(file('c.json'), file('n.json'));
  copyFileSync(file('c.json.state'), file('n.json.state'));
  const next = ['--since', file('n.json'), '--public-key', file('key.pub.pem')];
  expect(await certified(store, 'n.json', ...next)).toMatchObject({ status: 0, err: '', out: expect.stringContaining('Read:') });
  expect(said(await since(store, 'n.json'))).toMatchObject({ clean: true, wentOnFrom: { events: rows.length } });
});

it('reads everything, and says why, where there is no state to go on from', async () => {
  expect(await certified(early, 'x.json', '--without-state')).toMatchObject({ status: 0 });
  expect(beside()).toEqual(['x.json', 'x.json.heads']);
  const without = await since(store, 'x.json');
  expect([without.status, without.err]).toEqual([0, expect.stringContaining('Everything is read: there is no state file')]);
  expect(comparable(said(without))).toEqual(comparable(wanted));
  mkdirSync(file('x.json.state'));
  expect((await since(store, 'x.json')).err).toContain('x.json.state is no file');
  rmdirSync(file('x.json.state'));
  execFileSync('mkfifo', [file('x.json.state')]);
  expect((await since(store, 'x.json')).err).toContain('x.json.state is no file');
  rmSync(file('x.json.state'));

  const text = readFileSync(file('c.json.state'), 'latin1');
  for (const [from, to] of [
    ['audit-state/1', 'audit-state/2'],
    [/"shapes":"./, '"shapes":"x'],
    [/"byteOrder":"../, '"byteOrder":"BE'],
  ] as const) {
    writeFileSync(file('x.json.state'), text.replace(from, to), 'latin1');
    const other = await since(store, 'x.json');
    expect([other.status, other.err]).toEqual([0, expect.stringContaining('was written by another version of this program.')]);
    expect(comparable(said(other))).toEqual(comparable(wanted));
  }
});

describe('a state file that is not to be trusted is refused, and the store is not read', () => {
  const dice = new Dice(seed);
  const bytes = (): Buffer => readFileSync(file('c.json.state'));
  /** Behind the header, whose version is looked at before the signature. */
  const flipped = (): Buffer => {
    const some = bytes();
    const from = some.indexOf('\n') + 1;
    const place = from + dice.below(some.length - from);
    some[place] = some[place]! ^ (1 << dice.below(8));
    return some;
  };

  it.each<[string, () => Buffer | Promise<Buffer>, string]>([
    ...Array.from({ length: 12 }, (_, nth): [string, () => Buffer, string] => [
      `a bit is flipped (${nth})`,
      flipped,
      'its signature does not fit',
    ]),
    ['the signature is another', () => Buffer.concat([bytes().subarray(0, -64), Buffer.alloc(64, 7)]), 'its signature does not fit'],
    ['it was cut off', () => bytes().subarray(0, -100), 'its signature does not fit'],
    ['something was added', () => Buffer.concat([bytes(), Buffer.alloc(24)]), 'its signature does not fit'],
    ['it is empty', () => Buffer.alloc(0), 'it does not begin as a state file does'],
    ['it is something else', () => Buffer.from('null\n'.repeat(100)), 'it does not begin as a state file does'],
    ['its first line has no end', () => Buffer.alloc(5_000, 'x'), 'it does not begin as a state file does'],
    [
      'it is signed for another certificate',
      async () => {
        await certified(store, 'other.json');
        return readFileSync(file('other.json.state'));
      },
      'it belongs to another certificate',
    ],
    [
      'it is signed by another key',
      async () => {
        const made = ['--out', file(`k${dice.below(1e9)}.pem`)];
        await auditorHere(['keygen', ...made]);
        await auditorHere(['verify', ...at(early), '--certificate', file('foreign.json'), '--signing-key', made[1]!]);
        return readFileSync(file('foreign.json.state'));
      },
      'its signature does not fit',
    ],
  ])('when %s', async (_, forge, fault) => {
    copyFileSync(file('c.json'), file('x.json'));
    writeFileSync(file('x.json.state'), await forge());
    // No store could be read there.
    const ran = await since('/nowhere/ledger.db', 'x.json');
    expect([ran.status, said(ran)]).toEqual([1, { clean: false, stateFault: expect.stringContaining(`is not to be trusted: ${fault}`) }]);
  });
});

describe('a past that is another', () => {
  const changedRows = (change: (all: (Row & { position: number })[]) => void): Promise<string> => {
    const all = rows.map((row, index) => ({ ...row, position: index + 1 }));
    change(all);
    return stores.holding(all);
  };
  it.each<[string, string, (all: (Row & { position: number })[]) => void, string]>([
    ['the store is empty', 'it is empty', (all) => void all.splice(0), 'certificate'],
    ['the store is rolled back', 'it ends at position', (all) => void all.splice(point - 1), 'certificate'],
    ['it is another store', 'its first event is', (all) => (all[0]!.id = all[0]!.id.replace(/^./, (digit) => (digit === 'a' ? 'b' : 'a'))), 'certificate'], // prettier-ignore
    ['an event is gone', 'events so far, not', (all) => void all.splice(1, 1), 'revision'],
    ['the last event is another', 'its last event was changed', (all) => edit(all[point - 1]!, (data) => (data.at = '2020-01-01T00:00:00.000Z')), 'hash'], // prettier-ignore
    [
      'the last event is another, with all hashes made anew',
      'its last event was changed',
      (all) => {
        edit(all[point - 1]!, (data) => (data.at = dataOf(all[point - 1]!).at.replace('Z', '0Z')));
        reseal(all, all[point - 1]!.stream);
      },
      'certificate',
    ],
  ])('is read whole after all when it is seen at once: %s', async (_, why, change, rule) => {
    const ran = await since(await changedRows(change));
    expect([ran.status, ran.err]).toEqual([1, expect.stringMatching(`^Up to position ${point} the store is not what was certified \\(.*${why}.*\\), so everything is read\\.`)]); // prettier-ignore
    expect(said(ran).wentOnFrom).toBeNull();
    expect(said(ran).findings.map((finding) => finding.rule)).toContain(rule);
  });

  it.each([
    ['leads to fewer events', (stream: string) => `update heads set revision = revision - 1 where stream = ${stream}`],
    [
      'leads behind the last event',
      (stream: string) => `update heads set revision = revision - 1, position = 1e12 where stream = ${stream}`,
    ],
    ['is gone', (stream: string) => `delete from heads where stream = ${stream}`],
  ])('is seen where the head of any stream %s', async (_, sql) => {
    await certified(store, 'end.json');
    // Behind the end no stream has grown, behind the middle the last one has.
    for (const [certificate, { stream }] of [
      ['end.json', rows[0]!],
      ['c.json', rows.at(-1)!],
    ] as const) {
      const path = await changedRows(() => undefined);
      const db = new Sqlite(path);
      expect(db.prepare(sql(`(select id from streams where name = '${stream}')`)).run().changes).toBe(1);
      db.close();
      const ran = await since(path, certificate);
      expect([ran.status, said(ran).wentOnFrom === null]).toEqual([1, false]);
      expect(said(ran).findings).toEqual([expect.objectContaining({ rule: 'index', stream })]);
      expect(said(await auditorHere(['verify', ...at(path), '--json'])).findings).toEqual(said(ran).findings);
    }
  });

  it('is read whole where two events have changed places, which breaks no rule', async () => {
    const end = ends.findLast((each) => {
      const [one, other] = rows.slice(each - 2, each);
      return isUser(one!) && isUser(other!) && one!.stream !== other!.stream;
    })!;
    expect(await certified(await stores.holding(rows.slice(0, end)), 'x.json')).toMatchObject({ status: 0 });
    const path = await changedRows((all) => {
      all.splice(end - 2, 2, all[end - 1]!, all[end - 2]!);
      all.forEach((row, index) => (row.position = index + 1));
    });
    const [ran, whole] = [await since(path, 'x.json'), await auditorHere(['verify', ...at(path), '--json'])];
    expect([ran.err, said(ran).wentOnFrom]).toEqual([expect.stringContaining('another event stands there'), null]);
    expect(said(ran).findings).toEqual(said(whole).findings);
  });

  it('is not seen where a change leaves counts, heads and the last event alone; --against sees it', async () => {
    const path = await changedRows((all) => edit(all[1]!, (data) => (data.at = '2020-01-01T00:00:00.000Z')));
    const ran = await since(path);
    expect([ran.status, said(ran).findings]).toEqual([0, []]);
    const against = await auditorHere(['verify', ...at(path), '--against', file('c.json'), '--public-key', file('key.pub.pem')]);
    expect([against.status, against.out]).toEqual([1, expect.stringContaining('(rule hash:')]);
  });
});

it('leaves no half of a file under a name, nor an older state beside a new certificate, when it cannot be written', async () => {
  const ran = await certified(store, 'y/c.json');
  expect([ran.status, ran.err]).toEqual([2, expect.stringContaining('The certificate cannot be written to')]);
  expect(existsSync(file('y'))).toBe(false);

  const path = file('x.json');
  for (const name of [path, statePath(path)]) writeFileSync(name, 'older');
  const { result } = await verified(store);
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const states = (function* () {
    yield Buffer.from('half of it');
    throw new Error('the disk is full');
  })();
  const kept = { summary: {}, states, entries: { bytesIn: () => 0, wordsIn: () => [] } } as unknown as Kept;
  expect(() => certify({ path, key, withHeads: false }, result, kept)).toThrow('the disk is full');
  // The older ones stay, for they belong together.
  expect([path, statePath(path)].map((name) => readFileSync(name, 'utf8'))).toEqual(['older', 'older']);
  expect(readdirSync(file('.')).filter((name) => name.endsWith('.part'))).toEqual([]);
});

it('puts no state beside the certificate of another run that ends at the same moment', async () => {
  const path = file('x.json');
  const { result } = await verified(store);
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const kept = { summary: {}, states: [], entries: { bytesIn: () => 0, wordsIn: () => [] } } as unknown as Kept;
  const close = jest.spyOn(WholeFile.prototype, 'close').mockImplementationOnce(function (this: WholeFile) {
    this.discard();
    writeFileSync(path, 'of another run');
  });
  expect(() => certify({ path, key, withHeads: false }, result, kept)).toThrow('another run has written it too');
  close.mockRestore();
  expect([readFileSync(path, 'utf8'), existsSync(statePath(path))]).toEqual(['of another run', false]);
});
