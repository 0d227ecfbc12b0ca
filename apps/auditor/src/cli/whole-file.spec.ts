import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WholeFile } from './whole-file';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whole-'));
  path = join(folder, 'file');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const modeOf = (file: string): number => statSync(file).mode & 0o777;

it('stands under its name when it is whole, and no moment before', () => {
  writeFileSync(path, 'older');
  const file = new WholeFile(path, 0o600);
  file.write(Buffer.from('one '));
  file.write(Buffer.from('two'));
  expect(readFileSync(path, 'utf8')).toBe('older');
  file.close();
  expect([readFileSync(path, 'utf8'), modeOf(path), readdirSync(folder)]).toEqual(['one two', 0o600, ['file']]);
});

it('never takes over what a kill has left, nor who may read that', () => {
  writeFileSync(`${path}.part`, 'a long half of another file', { mode: 0o644 });
  const file = new WholeFile(path, 0o600);
  file.write(Buffer.from('short'));
  expect(modeOf(`${path}.part`)).toBe(0o600);
  file.close();
  expect([readFileSync(path, 'utf8'), modeOf(path)]).toEqual(['short', 0o600]);
});

it('leaves nothing when it is given up', () => {
  const file = new WholeFile(path, 0o600);
  file.write(Buffer.from('half'));
  file.discard();
  expect([existsSync(path), readdirSync(folder)]).toEqual([false, []]);
});

it('leaves nothing when its name is taken meanwhile, and keeps its name when it has it', () => {
  const file = new WholeFile(path, 0o600);
  file.write(Buffer.from('whole'));
  mkdirSync(path);
  expect(() => file.close()).toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/);
  file.discard();
  expect([readdirSync(folder), readdirSync(path)]).toEqual([['file'], []]);
  rmSync(path, { recursive: true });
  const other = new WholeFile(path, 0o600);
  other.close();
  other.discard();
  expect(readdirSync(folder)).toEqual(['file']);
});

it('leaves the place to another run that has begun after it', () => {
  const [one, other] = [new WholeFile(path, 0o600), new WholeFile(path, 0o600)];
  one.write(Buffer.from('one'));
  other.write(Buffer.from('oth'));
  expect(() => one.close()).toThrow('another run is writing it too');
  one.discard();
  other.write(Buffer.from('er'));
  other.close();
  expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['other', ['file']]);
});

it('takes the place of no folder, no device and no file that may not be written', () => {
  const code = (of: string) => {
    try {
      new WholeFile(of, 0o600).discard();
      return 'none';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  };
  mkdirSync(join(folder, 'folder'));
  symlinkSync('/dev/null', join(folder, 'null'));
  writeFileSync(path, 'closed', { mode: 0o444 });
  chmodSync(folder, 0o777);
  const found = ['folder', 'null', 'file'].map((name) => withoutRights(() => code(join(folder, name))));
  expect(found).toEqual(['EISDIR', 'a device', 'EACCES']);
  expect(readdirSync(folder).sort()).toEqual(['file', 'folder', 'null']);
});

/** To whoever may do everything no file is closed. */
function withoutRights<T>(ask: () => T): T {
  if (process.geteuid?.() !== 0) return ask();
  process.seteuid?.(65_534);
  try {
    return ask();
  } finally {
    process.seteuid?.(0);
  }
}
