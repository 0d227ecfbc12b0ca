import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headsFile, headsPath, readHeads, writeHeads } from './heads-file';

let folder: string;
let certificate: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heads-'));
  certificate = join(folder, 'c.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const heads = [
  { stream: 'organisationWallet-acme', revision: 4, hash: 'a'.repeat(64) },
  { stream: 'userWallet-ann', revision: 0, hash: 'b'.repeat(64) },
];

it('gives back the heads that were written', () => {
  const file = headsFile(certificate);
  writeHeads(file, heads);
  file.close();
  expect(readHeads(certificate)).toEqual(heads);
});

it.each([
  ['is not there', undefined],
  ['holds no JSON', '{"stream":\n'],
  ['holds null', 'null\n'],
  ['holds a text', '"x"\n'],
  ['holds a head without a hash', '{"stream":"userWallet-ann","revision":1}\n'],
  ['holds a revision that is none', '{"stream":"userWallet-ann","revision":"1","hash":"x"}\n'],
])('is as good as none where it %s', (_, text) => {
  if (text !== undefined) writeFileSync(headsPath(certificate), text);
  expect(readHeads(certificate)).toBeUndefined();
});
