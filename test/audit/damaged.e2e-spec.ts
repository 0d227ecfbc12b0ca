import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sqlite } from '@ledger/sqlite';
import { auditor, auditorHere, type Ran, run } from './explain-cli';
import { liveSchool, type School } from './explain-school';

const LEDGER = join(__dirname, '../../dist/apps/ledger/src/main.js');
const REBUILD = join(__dirname, '../../dist/apps/ledger/src/cli/rebuild.js');
const PUBLISHER = join(__dirname, '../../dist/apps/publisher/src/main.js');
const PAGE_BYTES = 8192;

/** What every program answers to a store that is damaged, or is none: one sentence, no stack. */
describe('a file that cannot serve as a store', () => {
  let school: School;
  let store: string;
  beforeAll(async () => {
    school = await liveSchool();
    store = join(school.folder, 'events.db');
  }, 60_000);
  afterAll(() => school.remove());

  const file = (name: string) => join(school.folder, name);
  const copied = (name: string, change: (path: string) => void): string => {
    copyFileSync(store, file(name));
    change(file(name));
    return file(name);
  };
  const overwritten = (path: string, from: number, to: number) => {
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xab, from, Math.min(to, bytes.length)));
  };
  const changed = (path: string, sql: string) => void new Sqlite(path).exec(sql).close();

  const BAD: readonly [string, () => string, RegExp][] = [
    ['none', () => file('none.db'), /there is no event store at/],
    ['a folder', () => (mkdirSync(file('folder'), { recursive: true }), file('folder')), /is a folder or a device/],
    ['half of it', () => copied('half.db', (path) => truncateSync(path, PAGE_BYTES * 3)), /is damaged \(.*restore it from a backup.*PRAGMA integrity_check/], // prettier-ignore
    ['overwritten pages', () => copied('pages.db', (path) => overwritten(path, PAGE_BYTES * 2, Infinity)), /is damaged \(/],
    ['an overwritten beginning', () => copied('start.db', (path) => overwritten(path, 0, 100)), /is not a SQLite database/],
    ['nothing of its log', () => copied('log.db', (path) => truncateSync(path, 0)), /is empty, and no event store.*with its -wal file/],
    [
      "another program's",
      () => (changed(file('foreign.db'), 'create table wishes (text)'), file('foreign.db')),
      /is not an event store of this program/,
    ],
    ['without a table', () => copied('lacks.db', (path) => changed(path, 'drop table heads')), /lacks what an event store has/],
  ];

  const AT = ['--at', '2026-11-24T00:00:00.000Z'];
  const COMMANDS: readonly (readonly string[])[] = [
    ['verify', '--json'],
    ['replay', ...AT],
    ['replay', ...AT, '--wallet', 'user:ann'],
    ['explain', '--wallet', 'user:ann', '--event', '1'],
    ['explain', '--refusal', 'x'],
    ['export', '--format', 'jsonl', '--out', 'jsonl'],
    ['export', '--format', 'parquet', '--out', 'parquet'],
    ['export', '--journal', 'hledger', '--out', 'parts', '--transactions', '1'],
    ['diff'],
  ];

  const answers = ({ status, out, err }: Ran, sentence: RegExp, path: string) => {
    expect([status, out, err]).toEqual([2, '', expect.stringMatching(sentence)]);
    expect(err).toMatch(/^The event store cannot be read: [^\n]*\.\n$/);
    expect(err).toContain(path);
  };

  it.each(BAD)('(%s) ends every command of the auditor with status 2 and a sentence', async (_, make, sentence) => {
    const path = make();
    for (const [name = '', ...args] of COMMANDS) {
      const own = args.map((arg, index) => (args[index - 1] === '--out' ? file(arg) : arg));
      const url = `sqlite:${path}`;
      answers(await auditorHere([name, ...(name === 'diff' ? [school.url, url] : [...own, '--event-store', url])]), sentence, path);
      for (const left of ['jsonl', 'parquet', 'parts.0001']) expect([left, existsSync(file(`${left}.part`))]).toEqual([left, false]);
    }
    rmSync(path, { recursive: true, force: true });
  });

  it('ends it so also where several threads come to the damage at once', async () => {
    const path = copied('threads.db', (one) => overwritten(one, PAGE_BYTES * 2, Infinity));
    const at = ['--event-store', `sqlite:${path}`, '--workers', '3'];
    answers(await auditor(['replay', ...AT, ...at]), /is damaged/, path);
    answers(await auditor(['verify', ...at]), /is damaged/, path);
  }, 30_000);

  it.each(BAD.filter(([name]) => !['none', 'half of it', 'overwritten pages', 'nothing of its log'].includes(name)))(
    '(%s) lets neither the service nor the publisher nor a rebuild begin, and they say why',
    async (_, make, sentence) => {
      const path = make();
      const env = { EVENT_STORE_URL: `sqlite:${path}`, DATA_DIR: file('data'), AUTH: 'local', PORT: '0', PUBLISHER_PORT: '0', KAFKA_BROKERS: '127.0.0.1:1' }; // prettier-ignore
      for (const [program, said] of [
        [LEDGER, 'The ledger could not start: '],
        [PUBLISHER, 'The publisher could not start: '],
        [REBUILD, 'The event store cannot be read: '],
      ] as const) {
        const { status, out, err } = await run(process.execPath, [program], env);
        expect([program, status, out]).toEqual([program, 1, '']);
        expect(err).toMatch(sentence);
        expect([err.startsWith(said), err.split('\n')]).toEqual([true, [expect.stringContaining(path), '']]);
      }
      rmSync(path, { recursive: true, force: true });
    },
    60_000,
  );

  it('lets no rebuild take an empty store for the one that is missing, or begin with a damaged one', async () => {
    for (const path of [file('gone.db'), copied('damaged.db', (one) => overwritten(one, PAGE_BYTES * 2, Infinity))]) {
      const { status, err } = await run(process.execPath, [REBUILD], { EVENT_STORE_URL: `sqlite:${path}`, DATA_DIR: file('data') });
      expect([status, err]).toEqual([1, expect.stringMatching(/^The event store cannot be read: [^\n]*\.\n$/)]);
    }
    expect(existsSync(file('gone.db'))).toBe(false);
  }, 30_000);
});
