import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sqlite } from '@ledger/sqlite';
import { auditorHere, run } from './explain-cli';
import { randomRows, Stores } from './tamper-store';

/** What the auditor leaves behind when it is ended, or when it cannot write: nothing. */

const WAIT_MS = 120_000;
const MAIN = join(__dirname, '../../dist/apps/auditor/src/main.js');
const stores = new Stores();
const rows = randomRows(13);
let url: string;
/** So many events that each run lasts until it is ended. */
let big: string;
const BIG = 300_000;
/** From the moment at which a reader has opened the file; all of it takes seconds. */
const IN_THE_MIDDLE_MS = 500;
let folder: string;
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  url = `sqlite:${await stores.holding(rows)}`;
  big = `sqlite:${stores.file('big.db')}`;
  copyFileSync(url.slice('sqlite:'.length), stores.file('big.db'));
  const db = new Sqlite(stores.file('big.db'));
  db.exec(
    `with recursive more (n) as (select 1 union all select n + 1 from more where n < ${BIG})
     insert into events select ${rows.length} + n, stream, revision, previous, id, type, data, metadata
     from more, (select * from events where type = 'TokensUsed' and revision % 64 <> 63 limit 1)`,
  );
  db.close();
  expect((await auditorHere(['keygen', '--out', stores.file('key.pem')])).status).toBe(0);
});
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'outputs-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));
afterAll(() => stores.close());

const certifying = (path: string) => ['verify', '--certificate', path, '--signing-key', stores.file('key.pem'), '--event-store', url];
const exporting =
  (...kind: string[]) =>
  (path: string) => ['export', ...kind, '--event-store', url, '--out', path];
let certificate: string;
const WRITERS: readonly [string, (path: string) => string[]][] = [
  ['export --format jsonl', exporting('--format', 'jsonl')],
  ['export --format csv', exporting('--format', 'csv')],
  ['export --format parquet', exporting('--format', 'parquet')],
  ['export --journal hledger', exporting('--journal', 'hledger')],
  ['verify --certificate', certifying],
  ['keygen', (path) => ['keygen', '--out', path]],
  ['prove', (path) => ['prove', '--wallet', `user:${rows.find(({ stream }) => stream.startsWith('userWallet-'))!.stream.slice(11)}`, '--certificate', certificate, '--event-store', url, '--out', path]], // prettier-ignore
];
const REFUSED = /^(--out names|The certificate cannot be written to|The key cannot be written to) [^\n]*\.\n$/;

describe('a file that cannot be written', () => {
  beforeAll(async () => {
    certificate = stores.file('certificate.json');
    expect((await auditorHere(certifying(certificate))).status).toBe(0);
  });

  it.each(WRITERS)('ends %s with a sentence, and nothing is half left', async (_, command) => {
    mkdirSync(file('folder'));
    symlinkSync('/dev/full', file('full'));
    writeFileSync(file('plain'), 'x');
    const before = readdirSync(folder);
    for (const path of ['folder', 'full', 'missing/x', 'plain/x', `${'n'.repeat(300)}`].map(file)) {
      const { status, out, err } = await auditorHere(command(path));
      expect([path, status, out, err]).toEqual([path, 2, '', expect.stringMatching(REFUSED)]);
      expect([readdirSync(folder), readdirSync(file('folder'))]).toEqual([before, []]);
    }
  });

  it('makes no key when its other half has no place', async () => {
    const { status, err } = await auditorHere(['keygen', '--out', file('key.pem'), '--public-out', file('missing/key.pub.pem')]);
    expect([status, err, readdirSync(folder)]).toEqual([2, expect.stringMatching(REFUSED), []]);
  });

  it('leaves an older certificate, its heads and its state alone when one of the three has no place', async () => {
    expect((await auditorHere(certifying(file('c.json')))).status).toBe(0);
    const kept = () => ['c.json', 'c.json.state'].map((name) => readFileSync(file(name), 'base64'));
    const older = kept();
    rmSync(file('c.json.heads'));
    mkdirSync(file('c.json.heads'));
    const { status, err } = await auditorHere(certifying(file('c.json')));
    expect([status, err]).toEqual([2, expect.stringMatching(REFUSED)]);
    expect([kept(), readdirSync(folder).sort()]).toEqual([older, ['c.json', 'c.json.heads', 'c.json.state']]);
  });

  it.each([...WRITERS].slice(0, 5))(
    'ends %s so when there is no more room in the middle',
    async (_, command) => {
      // Kept open: the index of the log is made when the file is opened, and it too may not grow.
      const reader = new Sqlite(url.slice('sqlite:'.length));
      reader.prepare('select count(*) from events').get();
      // The system lets no file of this process grow over 4 KiB.
      const { status, out, err } = await run('sh', ['-c', 'ulimit -f 8; exec "$0" "$@"', process.execPath, MAIN, ...command(file('out'))]);
      reader.close();
      expect([status, out, err, readdirSync(folder)]).toEqual([2, '', expect.stringMatching(REFUSED), []]);
      expect(err).toContain('EFBIG');
    },
    WAIT_MS,
  );
});

/** Runs the auditor and ends it by a signal, as soon as something stirs in a folder or so long afterwards. */
function ended(
  args: readonly string[],
  stirred: string,
  name: RegExp,
  signal: NodeJS.Signals,
  afterMs = 0,
): Promise<NodeJS.Signals | number | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: 'ignore', env: { ...process.env, TMPDIR: folder } });
    const watcher = watch(stirred, (_, changed) => {
      if (changed === null || !name.test(changed)) return;
      if (afterMs === 0) child.kill(signal);
      else setTimeout(() => child.kill(signal), afterMs);
    });
    child.once('exit', (status, by) => {
      watcher.close();
      resolve(by ?? status);
    });
  });
}

describe('a run that is ended', () => {
  const at = () => ['--event-store', big];
  it.each([
    ['export --format jsonl', 'SIGINT'],
    ['export --format csv', 'SIGTERM'],
    ['export --format parquet', 'SIGHUP'],
    ['export --journal hledger', 'SIGTERM'],
    ['export --journal beancount --transactions 1000000', 'SIGINT'],
  ] as const)(
    'leaves nothing of %s behind by %s, and says what ended it',
    async (command, signal) => {
      const args = [...command.split(' '), '--out', file('out.x'), ...at()];
      expect(await ended(args, folder, /\.part$/, signal)).toBe(signal);
      expect(readdirSync(folder)).toEqual([]);
    },
    WAIT_MS,
  );

  it.each([
    ['verify --workers 3', 'SIGINT', IN_THE_MIDDLE_MS],
    ['verify --workers 3', 'SIGKILL', IN_THE_MIDDLE_MS],
    ['replay --workers 3', 'SIGTERM', 0],
  ] as const)(
    'leaves nothing of %s behind by %s',
    async (command, signal, afterMs) => {
      const when = command.startsWith('replay') ? ['--at', '2026-01-01T00:00:00.000Z'] : [];
      // A reader of the file makes its index of the log first.
      expect(await ended([...command.split(' '), ...when, ...at()], stores.file('.'), /big\.db-shm$/, signal, afterMs)).toBe(signal);
      expect(readdirSync(folder)).toEqual([]);
      for (const beside of ['-shm', '-wal']) rmSync(`${stores.file('big.db')}${beside}`, { force: true });
    },
    WAIT_MS,
  );
});
