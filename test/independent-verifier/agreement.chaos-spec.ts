import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonical } from '@ledger/wallet';
import { signed, statementOf } from '../../apps/auditor/src/certificates/certificate';
import { signingKey } from '../../apps/auditor/src/certificates/keys';
import { jsonLineOf } from '../../apps/auditor/src/export/lines';
import { auditorHere, present, run } from '../audit/explain-cli';
import { Dice, type Kind } from '../audit/tamper-forging';
import { CERTIFICATE_KINDS, CHAIN_KINDS } from '../audit/tamper-plain';
import { CleanStores } from '../audit/tamper-run';
import { type Row, Stores } from '../audit/tamper-store';
import { seedOf } from '../audit/explain-world';

/** The verifier in Python on the forgeries that our own audit is held to, as far as hashes, texts and certificates tell them. */

const STORES = 4;
const TIMES = Number(process.env.TAMPER_TIMES ?? 5);
const TRIES_MAX = 200;

describe('the verifier in Python', () => {
  const seed = seedOf('AGREEMENT_SEED');
  const stores = new Stores();
  const clean = new CleanStores();
  const folder = mkdtempSync(join(tmpdir(), 'ledger-python-'));
  const file = (name: string) => join(folder, name);
  let python = false;

  beforeAll(async () => {
    python = await present('python3', ['-c', 'import cryptography'], 'python3 with the package cryptography');
    if (!python) return;
    await auditorHere(['keygen', '--out', file('private.pem'), '--public-out', file('public.pem')]);
    await clean.make(stores, seed, STORES);
  }, 60_000);
  afterAll(() => {
    stores.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const verified = (rows: readonly (Row & { position?: number })[], ...args: string[]) => {
    const lines = rows.map((row, index) => jsonLineOf({ ...row, position: BigInt(row.position ?? index + 1) }));
    writeFileSync(file('events.jsonl'), `${lines.join('\n')}\n`);
    return run('python3', [join(__dirname, 'verify.py'), file('events.jsonl'), ...args]);
  };
  const certify = (result: CleanStores['all'][number]['result']) => {
    writeFileSync(
      file('certificate.json'),
      canonical(signed(statementOf(result, '2026-11-23T10:00:00.000Z'), signingKey(file('private.pem')))),
    );
    return ['--certificate', file('certificate.json'), '--public-key', file('public.pem')];
  };

  it('raises no alarm on clean stores, certified or not', async () => {
    for (const { rows, result } of clean.all) {
      expect(await verified(rows)).toMatchObject({ status: 0, err: '' });
      expect(await verified(rows, ...certify(result))).toMatchObject({ status: 0, err: '' });
    }
  }, 60_000);

  const forged: [string, Kind][] = [...CHAIN_KINDS, ...CERTIFICATE_KINDS].map((kind) => [kind.name, kind]);
  it.each(forged)(
    'finds it when: %s',
    async (_, kind) => {
      if (!python) return;
      const dice = new Dice(seed);
      let found = 0;
      for (let tries = 0; found < TIMES && tries < TRIES_MAX; tries += 1) {
        const { rows, result } = clean.all[dice.below(clean.all.length)]!;
        const changed = rows.map((row, index) => ({ ...row, position: index + 1 }));
        const expected = kind.forge(changed, dice);
        if (!expected) continue;
        changed.forEach((row, index) => (row.position = Math.max(row.position ?? 0, index === 0 ? 1 : changed[index - 1]!.position + 1)));
        const { status, out } = await verified(changed, ...(kind.by === 'certificate' ? certify(result) : []));
        expect([kind.name, status, out]).toEqual([
          kind.name,
          1,
          expect.stringContaining(kind.by === 'certificate' ? 'store: ' : expected.stream),
        ]);
        found += 1;
      }
      expect(found).toBe(TIMES);
    },
    120_000,
  );
});
