import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sqlite } from '@ledger/sqlite';
import type { ScannedPage } from './scanned-page';
import { SqliteScan } from './scanning';
import { SqliteEventStore } from './sqlite-event-store';

let folder: string;
let path: string;
let store: SqliteEventStore;
let scan: SqliteScan;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'scan-'));
  path = join(folder, 'events.db');
  store = await SqliteEventStore.open(path);
});
afterEach(async () => {
  scan.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

let ids = 0;
const event = (type: string, data: string, metadata = '{}') => ({
  id: `00000000-0000-4000-8000-${String((ids += 1)).padStart(12, '0')}`,
  type,
  data,
  metadata,
});

const ALL = { part: 0, parts: 1, prefix: 'organisationWallet-', types: [] };

/** The rows of a page, taken out of it. */
function rowsOf(page: ScannedPage) {
  const rows = [];
  while (page.next()) {
    const { position, stream, revision, previous, id, type, data, metadata } = page;
    rows.push({ position, stream, revision, previous, id, type, data, metadata });
  }
  return rows;
}

it('reads what the store reads, whatever is in the texts', async () => {
  const texts = [
    '',
    '{}',
    '\n',
    '{"a":"b\n"}\n\n',
    '€ \u{1f600} é',
    'a\u0000b',
    '\u0000',
    ' 7 0 0 0 1 1 1 1 abcd',
    "it's",
    ' 1 2 ',
    '\r\n',
    '"\\n"',
  ];
  for (const text of texts) {
    await store.append(`userWallet-${texts.indexOf(text)}`, -1, [event('Any', text), event('Any', '{}', text), event(text, text, text)]);
  }
  scan = new SqliteScan(path);
  const read = scan.pages(ALL);
  const found = [...rowsOf(read(0, 7)), ...rowsOf(read(7, 1_000))].map(({ stream, previous: _, position, ...rest }) => ({
    ...rest,
    stream: scan.nameOf(stream),
    position: BigInt(position),
  }));
  expect(found).toEqual(await store.readAll(-1n, 1_000));
});

it('links every event to the one before it in its stream', async () => {
  await store.append('userWallet-a', -1, [event('Any', '{}'), event('Any', '{}')]);
  await store.append('userWallet-b', -1, [event('Any', '{}')]);
  await store.append('userWallet-a', 1, [event('Any', '\n')]);
  scan = new SqliteScan(path);
  expect(rowsOf(scan.pages(ALL)(0, 10)).map(({ position, previous }) => [position, previous])).toEqual([
    [1, 0],
    [2, 1],
    [3, 0],
    [4, 2],
  ]);
});

it('gives a part its own streams whole, and of the others those of the prefix, with the data of the types that were asked for', async () => {
  for (const name of ['organisationWallet-a', 'userWallet-b', 'organisationWallet-c', 'userWallet-d'])
    await store.append(name, -1, [event('Policy', '{"a":1}', '{"m":1}'), event('Other', '{"b":2}', '{"m":\n2}')]);
  for (const part of [0, 1]) {
    scan?.close();
    scan = new SqliteScan(path);
    for (const { stream, type, data, metadata } of rowsOf(scan.pages({ ...ALL, part, parts: 2, types: ['Policy'] })(0, 100))) {
      const own = stream % 2 === part;
      expect(own || scan.nameOf(stream).startsWith('organisationWallet-')).toBe(true);
      expect(data).toBe(type === 'Policy' ? '{"a":1}' : own ? '{"b":2}' : '');
      expect(metadata === '').toBe(!own);
    }
  }
});

it('reads numbers and an id that no event has, as somebody may have written them into the file', async () => {
  await store.append('userWallet-a', -1, [event('Any', '{}')]);
  const db = new Sqlite(path);
  db.exec(`drop trigger events_are_never_changed; update events set revision = -12, previous = -3, stream = ${2 ** 53 - 1}, id = 'é€'`);
  db.close();
  scan = new SqliteScan(path);
  expect(rowsOf(scan.pages(ALL)(0, 10))).toMatchObject([
    { position: 1, revision: -12, previous: -3, stream: 2 ** 53 - 1, id: 'é€', data: '{}' },
  ]);
});

it('leaves room behind the rows of a page, also of an empty one', async () => {
  await store.append('userWallet-a', -1, [event('Any', '{}')]);
  scan = new SqliteScan(path);
  const read = scan.pages(ALL, 10);
  const [page, empty] = [read(0, 1), read(1, 2)];
  expect([page.bytes.length - page.roomAt, rowsOf(page).length]).toEqual([10, 1]);
  expect([empty.bytes.length, rowsOf(empty)]).toEqual([10, []]);
});
