import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sqlite } from '@ledger/sqlite';
import { MARKER, NotOurData, prepareDataFolder } from './data-folder';

describe('the data folder', () => {
  const made = { at: '2026-11-23T12:00:00.000Z', seed: 1 };
  let root: string;
  let folder: string;
  const contents = () => readdirSync(folder).sort();
  const write = (name: string, text = 'x') => writeFileSync(join(folder, name), text);

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'demo-'));
    folder = join(root, 'data');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('is made and marked when it is missing', () => {
    expect(prepareDataFolder(folder, made)).toEqual({ replaced: false });
    expect(contents()).toEqual([MARKER]);
  });

  it('is marked when it is empty', () => {
    prepareDataFolder(root, made);
    expect(readdirSync(root)).toEqual([MARKER]);
  });

  it('loses the data of an earlier demo', () => {
    prepareDataFolder(folder, made);
    for (const name of ['events.db', 'events.db-wal', 'events.db-shm', 'read-model.db', 'local-key.json']) write(name);
    write('read-model.db.lock', '');
    expect(prepareDataFolder(folder, { ...made, seed: 2 })).toEqual({ replaced: true });
    expect(contents()).toEqual([MARKER]);
    expect(readFileSync(join(folder, MARKER), 'utf8')).toContain('"seed": 2');
  });

  it.each([['nothing'], ['{}'], ['{"madeBy":"someone"}']])('with data and a marker that says %s is refused untouched', (marker) => {
    prepareDataFolder(folder, made);
    write('events.db', 'precious');
    if (marker === 'nothing') rmSync(join(folder, MARKER));
    else write(MARKER, marker);
    const before = contents();
    expect(() => prepareDataFolder(folder, made)).toThrow(NotOurData);
    expect(contents()).toEqual(before);
    expect(readFileSync(join(folder, 'events.db'), 'utf8')).toBe('precious');
  });

  it("with somebody's file beside a demo's data is refused untouched, and the file is named", () => {
    prepareDataFolder(folder, made);
    write('events.db', 'of the demo');
    write('thesis.odt', 'precious');
    expect(() => prepareDataFolder(folder, made)).toThrow('thesis.odt in it is not of the ledger');
    expect(contents()).toEqual(['events.db', MARKER, 'thesis.odt'].sort());
  });

  it('on which a service runs is refused untouched, and taken when the service has ended', () => {
    prepareDataFolder(folder, made);
    write('events.db', 'in use');
    const lock = new Sqlite(join(folder, 'read-model.db.lock'));
    lock.exec('begin exclusive');
    expect(() => prepareDataFolder(folder, made)).toThrow('A service is running on');
    expect(readFileSync(join(folder, 'events.db'), 'utf8')).toBe('in use');
    lock.close();
    expect(prepareDataFolder(folder, made)).toEqual({ replaced: true });
    expect(contents()).toEqual([MARKER]);
  });

  it('that is a file is refused', () => {
    const file = join(root, 'file');
    writeFileSync(file, 'precious');
    expect(() => prepareDataFolder(file, made)).toThrow('is not a folder');
    expect(existsSync(file)).toBe(true);
  });
});
