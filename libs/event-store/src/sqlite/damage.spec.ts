import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { Sqlite } from '@ledger/sqlite';
import { NO_POSITION, NO_STREAM, saysUnavailable, StoreUnavailable, UnusableStore } from '../event-store';
import { unusable } from './fault';
import { SqliteScan } from './scanning';
import { SqliteEventStore } from './sqlite-event-store';

/** Files that cannot serve as a store, or cannot any more: each is told of in one sentence that says what helps. */

// Files are made and flushed, which waits for a disk that others use too.
jest.setTimeout(60_000);

const PAGE_BYTES = 8192;
let folder: string;
let good: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'damage-'));
  good = join(folder, 'good.db');
  const store = await SqliteEventStore.open(good);
  for (let stream = 0; stream < 20; stream += 1) {
    const events = Array.from({ length: 20 }, (_, number) => ({
      id: `00000000-0000-4000-8000-${String(stream * 100 + number).padStart(12, '0')}`,
      type: 'TokensUsed',
      data: JSON.stringify({ text: 'x'.repeat(300) }),
      metadata: '{}',
    }));
    await store.append(`userWallet-${stream}`, NO_STREAM, events);
  }
  await store.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string): string => join(folder, name);
function changed(name: string, sql: string): string {
  copyFileSync(good, file(name));
  const db = new Sqlite(file(name));
  db.unsafeMode(true);
  db.exec(sql);
  db.close();
  return file(name);
}
function overwritten(name: string, change: (bytes: Buffer) => void): string {
  const bytes = readFileSync(good);
  change(bytes);
  writeFileSync(file(name), bytes);
  return file(name);
}
const foreign = (name: string): string => {
  new Sqlite(file(name)).exec('create table wishes (text)').close();
  return file(name);
};
const folderNamed = (name: string): string => {
  mkdirSync(file(name));
  return file(name);
};
const written = (name: string, text: string): string => {
  writeFileSync(file(name), text);
  return file(name);
};
const cut = (name: string, bytes: number): string => {
  copyFileSync(good, file(name));
  truncateSync(file(name), bytes);
  return file(name);
};

/** Node 26 tells the two apart no more. */
const NO_FILE = /is no path that a file can have \(ENOTDIR\)|^there is no event store at .*plain\.db.x\.db$/;

it.each([
  ['a folder', () => folderNamed('folder'), /is a folder or a device.*name the file itself/],
  ['a path through a file', () => join(written('plain.db', ''), 'x.db'), NO_FILE],
  ['no file', () => file('none.db'), /^there is no event store at .*none\.db$/],
  ['an empty file', () => written('empty.db', ''), /is empty, and no event store: restore it from a backup, with its -wal file/],
  [
    'another kind of file',
    () => written('text.db', 'A ledger is a book. '.repeat(99)),
    /is not a SQLite database.*restore it from a backup/,
  ],
  ["another program's database", () => foreign('foreign.db'), /is not an event store of this program/],
  ['another version', () => changed('version.db', 'pragma user_version = 9'), /of schema version 9.*: use the program that made it/],
  ['a lack of a table', () => changed('lacks.db', 'drop table heads'), /lacks what an event store has \(no such table: heads\): restore/],
  ['half of the file', () => cut('half.db', PAGE_BYTES * 4), /is damaged \(database disk image is malformed\): restore.*integrity_check/],
  ['only the first page', () => cut('first.db', PAGE_BYTES), /is damaged/],
  ['an overwritten beginning', () => overwritten('start.db', (bytes) => bytes.fill(0, 0, 100)), /beginning was overwritten/],
  ['an overwritten schema', () => overwritten('schema.db', (bytes) => bytes.fill(0x11, 200, PAGE_BYTES)), /is damaged/],
])('tells of %s when it is opened or first read, by the port and by a scan', async (_, make, sentence) => {
  const path = make();
  const reading = async (): Promise<void> => {
    const store = await SqliteEventStore.open(path, { readOnly: true });
    try {
      await store.readAll(NO_POSITION, 10_000);
    } finally {
      await store.close();
    }
  };
  const scanning = (): void => {
    const scan = new SqliteScan(path);
    try {
      const page = scan.pages({ part: 0, parts: 1, prefix: 'organisationWallet-', types: [] })(0, 10_000);
      while (page.next()) continue;
    } finally {
      scan.close();
    }
  };
  for (const read of [reading, async () => Promise.resolve(scanning())]) {
    const error = await read().catch((reason: unknown) => reason);
    // A scan reads no heads until it is asked for them.
    if (read !== reading && path.endsWith('lacks.db')) expect(error).toBeUndefined();
    else {
      expect(error).toBeInstanceOf(UnusableStore);
      expect((error as Error).message).toMatch(sentence);
      expect((error as Error).message).toContain(path);
    }
  }
});

/** What SQLite itself takes for rows: a last page that is cut off is read as zeros, and so are its rows. */
it('tells of rows that SQLite reads and nobody wrote, in every way of reading', async () => {
  const path = cut('odd.db', readFileSync(good).length - 1_000);
  const store = await SqliteEventStore.open(path, { readOnly: true });
  const all = { part: 0, parts: 1, prefix: 'organisationWallet-', types: [] };
  /** A scan has one reader. */
  const scanned = (read: (scan: SqliteScan) => unknown) => () => {
    const scan = new SqliteScan(path);
    try {
      read(scan);
    } finally {
      scan.close();
    }
  };
  const page = scanned((scan) => {
    const rows = scan.pages(all)(0, 10_000);
    while (rows.next()) continue;
  });
  const follow = async (): Promise<void> => {
    for await (const batch of store.follow(NO_POSITION, { batchMax: 1_000, signal: AbortSignal.timeout(20_000) }))
      if (batch.length === 0) return;
  };
  const damaged = /odd\.db is damaged \(.*\): restore it from a backup/;
  await expect(store.readAll(NO_POSITION, 10_000)).rejects.toThrow(damaged);
  await expect(follow()).rejects.toThrow(damaged);
  expect(page).toThrow(damaged);
  expect(scanned((scan) => scan.share(all)(0, 10_000))).toThrow(damaged);
  expect(scanned((scan) => scan.facts(all)(0, 10_000))).toThrow(damaged);
  await store.close();
});

it.each([
  ['a text that is none', 'data', "cast('{}' as blob)"],
  ['a lack of a text', 'metadata', 'null'],
  ['a position beyond all numbers', 'position', '9223372036854775807'],
])('tells of %s in a row', async (_, column, value) => {
  const path = changed(
    `${column}.db`,
    `drop trigger events_are_never_changed; pragma writable_schema = on;
     update sqlite_schema set sql = replace(replace(sql, ' strict', ''), ' not null', '') where name = 'events'`,
  );
  const db = new Sqlite(path);
  db.exec(`update events set ${column} = ${value} where position = 400`);
  db.close();
  const store = await SqliteEventStore.open(path, { readOnly: true });
  await expect(store.readAll(390n, 100)).rejects.toThrow(/is damaged \(at position \d+ stands no event\)/);
  if (column === 'position') await expect(store.headPosition()).rejects.toThrow(/is damaged \(its last event is said to stand at/);
  await store.close();
});

it('tells of what the file system forbids, and of nothing that is not of the file', () => {
  const refused = (code: string, message = 'no') => unusable('/x/events.db', Object.assign(new Error(message), { code }))?.message;
  expect(refused('EACCES')).toBe('/x/events.db cannot be opened (EACCES): whoever runs this must be allowed to use it and its folder');
  expect(refused('SQLITE_CANTOPEN', 'unable')).toMatch(/^\/x\/events\.db cannot be opened \(unable\): whoever runs this must be allowed/);
  expect(refused('SQLITE_IOERR_SHORT_READ', 'disk I/O error')).toMatch(
    /cannot be read or written \(disk I\/O error, SQLITE_IOERR_SHORT_READ\)/,
  );
  for (const code of ['SQLITE_BUSY', 'SQLITE_FULL', 'ENOENT', '']) expect(refused(code)).toBeUndefined();
});

it('tells what an error says that was made in another context, as those of a driver are that was loaded there', () => {
  const error = Object.assign(runInNewContext('new Error("malformed")') as Error, { code: 'SQLITE_CORRUPT' });
  expect(unusable('/x/events.db', error)?.message).toMatch(/^\/x\/events\.db is damaged \(malformed\): /);
});

it('knows its errors when another thread has thrown them', () => {
  const sent = structuredClone(new UnusableStore('x'));
  Object.assign(sent, { name: 'UnusableStore' });
  expect([sent instanceof StoreUnavailable, saysUnavailable(sent), saysUnavailable(new Error('x'))]).toEqual([false, true, false]);
});
