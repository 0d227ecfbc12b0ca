import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localKey } from './local-key';

describe('the local key', () => {
  let dataDir: string;
  beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'ledger-key-'))));
  afterEach(() => rmSync(dataDir, { recursive: true }));

  it('is made once, for its owner alone, and read ever after', async () => {
    const made = await localKey(dataDir);
    expect(statSync(join(dataDir, 'local-key.json')).mode & 0o777).toBe(0o600);
    expect(await localKey(dataDir)).toEqual(made);
    expect(made.public).not.toHaveProperty('d');
  });

  it('is one key although several start at once, and leaves no drafts', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => localKey(dataDir)));
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(1);
    expect(readdirSync(dataDir)).toEqual(['local-key.json']);
  });

  it.each(['', '{"kty":"oct","k":"c2VjcmV0"}', '{"kty":"OKP","crv":"X25519","x":"a","d":"b"}'])(
    'stops the start when its file holds %p, and leaves it alone',
    async (text) => {
      writeFileSync(join(dataDir, 'local-key.json'), text);
      await expect(localKey(dataDir)).rejects.toThrow(/^DATA_DIR holds .*local-key\.json/);
      expect(readFileSync(join(dataDir, 'local-key.json'), 'utf8')).toBe(text);
    },
  );
});
