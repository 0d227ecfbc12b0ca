import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEventStore, type StoredEvent } from '@ledger/event-store';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { csvLines, jsonLineOf } from '../../apps/auditor/src/export/lines';
import { allEvents } from '../../apps/auditor/src/replay/facts';
import { auditor, auditorHere, run } from './explain-cli';
import { liveSchool, type School } from './explain-school';

describe('export, as an auditor calls it', () => {
  let school: School;
  let events: StoredEvent[];
  const file = (name: string) => join(school.folder, name);

  beforeAll(async () => {
    school = await liveSchool();
    const store = await openEventStore(school.url, { mustExist: true });
    events = [];
    for await (const page of allEvents(store)) events.push(...page);
    await store.close();
  }, 60_000);
  afterAll(() => school.remove());

  const call = (...args: string[]) => auditorHere(['export', ...args], school.env);

  it('writes JSON Lines with the stored texts to the letter, to a file or to standard output', async () => {
    const { status, out, err } = await auditor(['export', '--format', 'jsonl'], school.env);
    expect([status, err]).toEqual([0, '']);
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(events.length);
    lines.forEach((line, index) => {
      const { position, stream, revision, id, type, data, metadata } = events[index]!;
      expect(JSON.parse(line)).toEqual({
        position: String(position),
        stream,
        revision,
        id,
        type,
        data: JSON.parse(data),
        metadata: JSON.parse(metadata),
      });
      expect(line).toContain(`"data":${data},"metadata":${metadata}}`);
    });
    const saved = await call('--format', 'jsonl', '--out', file('events.jsonl'));
    expect(saved).toEqual({ status: 0, out: '', err: `${events.length} events were read, and ${file('events.jsonl')} was written.\n` });
    expect(readFileSync(file('events.jsonl'), 'utf8')).toBe(out);
    expect(statSync(file('events.jsonl')).mode & 0o777).toBe(0o600);
    expect(existsSync(`${file('events.jsonl')}.part`)).toBe(false);
  }, 30_000);

  it('tells a text that is no line of JSON as a string', () => {
    const event = { ...events[0]!, data: '{"at":\n1}', metadata: '{' };
    expect(JSON.parse(jsonLineOf(event))).toMatchObject({ dataText: '{"at":\n1}', metadataText: '{' });
  });

  it('writes CSV that sums to the balances', async () => {
    await call('--format', 'csv', '--out', file('events.csv'));
    const [head, ...rows] = cells(readFileSync(file('events.csv'), 'utf8'));
    expect(rows).toHaveLength(events.length);
    const at = (name: string) => head!.indexOf(name);
    const sums = new Map<string, number>();
    rows.forEach((row, index) => {
      const wallet = row[at('wallet')]!;
      sums.set(wallet, (sums.get(wallet) ?? 0) + Number(row[at('tokens')]));
      if (row[at('balance')] !== '') expect([wallet, sums.get(wallet)]).toEqual([wallet, Number(row[at('balance')])]);
      expect([row[at('data')], row[at('metadata')], row[at('id')]]).toEqual([
        events[index]!.data,
        events[index]!.metadata,
        events[index]!.id,
      ]);
    });
    expect(csvLines.of(events.slice(0, 2)).split('\r\n')).toHaveLength(3);
  });

  it('writes Parquet that another library reads back, in columns with types', async () => {
    await call('--format', 'parquet', '--out', file('events.parquet'));
    const buffer = await asyncBufferFromFile(file('events.parquet'));
    const rows = await parquetReadObjects({ file: buffer });
    expect(rows).toHaveLength(events.length);
    rows.forEach((row, index) => {
      const { position, stream, revision, id, type, data, metadata } = events[index]!;
      expect(row).toMatchObject({ position, stream, revision: BigInt(revision), id, type, data, metadata });
      expect((row.at as Date).toISOString()).toBe((JSON.parse(data) as { at: string }).at);
    });
    const { schema } = await parquetMetadataAsync(buffer);
    expect(schema.slice(1).map(({ name, type, repetition_type }) => [name, type, repetition_type])).toEqual(
      expect.arrayContaining([
        ['position', 'INT64', 'REQUIRED'],
        ['at', 'INT64', 'REQUIRED'],
        ['balance', 'INT64', 'OPTIONAL'],
        ['data', 'BYTE_ARRAY', 'REQUIRED'],
      ]),
    );
    expect(statSync(file('events.parquet')).mode & 0o777).toBe(0o600);
  });

  it.each([
    [[], 'Say one of --format and --journal.'],
    [['--format', 'csv', '--journal', 'hledger'], 'Say one of --format and --journal.'],
    [['--format', 'xml'], '--format must be one of jsonl, csv, parquet, and is "xml".'],
    [['--journal', 'toString'], '--journal must be hledger or beancount, and is "toString".'],
    [['--format', 'parquet'], '--out is missing: Parquet is written to a file only.'],
    [['--format', 'csv', '--format', 'jsonl'], '--format was given twice: give it once.'],
    [['--format', 'jsonl', '--out', '/nowhere/x'], '--out names /nowhere/x, which cannot be written (ENOENT).'],
    [['--format', 'parquet', '--out', '/nowhere/x'], '--out names /nowhere/x, which cannot be written (ENOENT).'],
  ])('refuses %j with a sentence and status 2', async (args, sentence) => {
    const { status, out, err } = await call(...args);
    expect([status, out, err]).toEqual([2, '', expect.stringContaining(sentence)]);
  });

  it('says that standard output has no room', async () => {
    if (!existsSync('/dev/full')) return;
    const main = join(__dirname, '../../dist/apps/auditor/src/main.js');
    for (const args of ['export --format jsonl', 'replay --at 2026-11-24T00:00:00.000Z']) {
      const { status, err } = await run('sh', ['-c', `"${process.execPath}" "${main}" ${args} > /dev/full`], school.env);
      expect([status, err]).toEqual([2, 'Standard output cannot be written (ENOSPC).\n']);
    }
  }, 30_000);

  it('leaves nothing beside a folder whose place it cannot take', async () => {
    mkdirSync(file('taken'));
    const { status, out, err } = await call('--format', 'jsonl', '--out', file('taken'));
    expect([status, out, err]).toEqual([2, '', `--out names ${file('taken')}, which cannot be written (EISDIR).\n`]);
    expect(existsSync(`${file('taken')}.part`)).toBe(false);
  });

  it('does not write through a link that stands where the file is written meanwhile', async () => {
    writeFileSync(file('elsewhere'), 'untouched');
    symlinkSync(file('elsewhere'), `${file('linked')}.part`);
    const { status, out } = await call('--format', 'jsonl', '--out', file('linked'));
    expect([status, out, readFileSync(file('elsewhere'), 'utf8')]).toEqual([0, '', 'untouched']);
    expect([existsSync(`${file('linked')}.part`), readFileSync(file('linked'), 'utf8').startsWith('{')]).toEqual([false, true]);
  });

  it('leaves an older file as it is when it cannot go on', async () => {
    const url = `sqlite:${file('broken.db')}`;
    const store = await openEventStore(url);
    await store.append('userWallet-u1', -1, [{ id: events[0]!.id, type: 'Nonsense', data: '{}', metadata: '{}' }]);
    await store.close();
    for (const how of [
      ['--format', 'csv'],
      ['--format', 'parquet'],
      ['--journal', 'hledger'],
    ]) {
      writeFileSync(file('older'), 'older');
      const { status, err } = await call(...how, '--event-store', url, '--out', file('older'));
      expect([status, err]).toEqual([2, expect.stringContaining('userWallet-u1 revision 0 (event ')]);
      expect(readFileSync(file('older'), 'utf8')).toBe('older');
      expect(existsSync(`${file('older')}.part`)).toBe(false);
    }
  });
});

/** Rows of RFC 4180, quotes taken off. */
function cells(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)!.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end !== ',') rows.push([]);
  }
  return rows.slice(0, -1);
}
