import fc from 'fast-check';
import { checkLink, type Link, unusualLink } from '../../apps/auditor/src/verify/chain';
import type { Fault } from '../../apps/auditor/src/verify/finding';
import { epochMsOf } from '../../apps/auditor/src/verify/instants';
import { Dice, hashAgain, linkBefore } from './tamper-forging';
import { audited } from './tamper-run';
import { randomRows, type Row, Stores } from './tamper-store';

/** The quick ways of the audit come to what the slow ones come to, whatever they are given. */

const WORLDS = 6;
const CHANGES_EACH = 12;
const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);

let rows: Row[];
beforeAll(() => {
  process.stdout.write(`quick ways: TAMPER_SEED=${seed}\n`);
  rows = Array.from({ length: WORLDS }, (_, world) => randomRows(seed + world)).flat();
});

type Way = typeof checkLink;

/** What one way says of an event behind a link, and where it leaves the link. */
function told(way: Way, before: Link, row: Row) {
  const link = { ...before };
  const faults: Parameters<Fault>[] = [];
  const { key, contentHash } = way(link, row, (...fault) => faults.push(fault));
  return { faults, key, contentHash, link };
}

/** What a forger leaves out. */
const FIELDS = [/,"contentHash":"[^"]*"/, /,"key":"[^"]*"/, /,"role":"[^"]*"/, /,"previousHash":"[^"]*"/];

describe('the link of an event to the one before it', () => {
  it('is right by both ways where the ledger has written it', () => {
    for (const row of rows) {
      const before = linkBefore(row);
      const quick = told(checkLink, before, row);
      expect(quick.faults).toEqual([]);
      expect(quick).toEqual(told(unusualLink, before, row));
    }
  });

  it('is judged alike by both ways, whatever is changed in the event or in the link', () => {
    const dice = new Dice(seed);
    const pieces = ['', '0', 'g', '"', '\\', ' ', 'é', '\n', ',', '"key":"k",', '"x":"y",', '\\u0041', '"hash":"', '}', '"schema":"2"'];
    let faulty = 0;
    const changedText = (text: string): string => {
      const place = dice.below(text.length);
      return text.slice(0, place) + (dice.of(pieces) ?? '') + text.slice(place + dice.below(3));
    };
    for (const row of rows) {
      for (let change = 0; change < CHANGES_EACH; change += 1) {
        const before = linkBefore(row);
        const changed = { ...row };
        const what = dice.below(8);
        if (what < 4) changed.metadata = changedText(row.metadata);
        else if (what === 4) changed.data = changedText(row.data);
        else if (what === 5) changed.id = changedText(row.id);
        else if (what === 6) changed.type = dice.of(['LimitReached', 'FreeAllowanceGranted', 'TokensUsed', '"']) ?? '';
        else if (dice.below(2) === 0) before.hash = changedText(before.hash);
        else changed.revision += 1 + dice.below(2);
        before.sound = /^[0-9a-f]{64}$/.test(before.hash);
        if (dice.below(3) === 0) changed.metadata = changed.metadata.replace(dice.of(FIELDS) ?? '', '');
        if (dice.below(2) === 0) hashAgain(changed, before.hash);
        const quick = told(checkLink, before, changed);
        if (quick.faults.length > 0) faulty += 1;
        expect(quick).toEqual(told(unusualLink, before, changed));
      }
    }
    expect(faulty).toBeGreaterThan(rows.length);
  });

  it('is never taken for right behind a hash that is none', () => {
    const row = rows[0]!;
    const forged = { ...row, metadata: row.metadata.replace(/"hash":"[^"]*"/, `"hash":"${'z'.repeat(64)}"`) };
    const { link } = told(checkLink, linkBefore(row), forged);
    expect(link).toMatchObject({ hash: 'z'.repeat(64), sound: false });

    const before = linkBefore(row);
    const short = { ...before, hash: before.hash.slice(1), sound: false };
    const behind = { ...row, metadata: row.metadata.replace(before.hash, `${short.hash}0`) };
    hashAgain(behind, short.hash);
    const { faults } = told(checkLink, short, behind);
    expect(faults.map(([rule]) => rule)).toContain('previous-hash');
  });
});

it('finds that what a certificate covers was written anew, whatever stands there now', async () => {
  const stores = new Stores();
  try {
    for (const data of ['null', '5', '[]', '{}', '"x"', '{"at":1}', 'no JSON', '{"at":"+020000-01-01T00:00:00.000Z"}']) {
      const some = randomRows(seed).map((row, index) => (index % 3 === 0 ? { ...row, data } : row));
      const path = await stores.holding(some);
      const { findings } = await audited(path, { headsAt: some.length, trustedUntil: some.length - 5 });
      expect([...findings.byRule.keys()]).toContain('hash');
    }
  } finally {
    stores.close();
  }
});

describe('the instant of an event', () => {
  const same = (text: string) => expect(epochMsOf(text)).toBe(Date.parse(text));

  it('is that of Date.parse, on the same day and on others', () => {
    const instants = fc.integer({ min: Date.parse('0001-01-01T00:00:00.000Z'), max: Date.parse('9998-12-31T23:59:59.999Z') });
    fc.assert(
      fc.property(instants, fc.nat(86_400_000), (at, later) => {
        same(new Date(at).toISOString());
        same(new Date(at + later).toISOString());
      }),
    );
  });

  it.each(['2026-02-30T10:00:00.000Z', '2026-01-01T24:00:00.000Z', '2026-01-01T10:00:00Z', '2026-13-01T10:00:00.000Z', 'x', ''])(
    'is that of Date.parse for %j too',
    (text) => {
      same('2026-11-23T09:05:00.000Z');
      same(text);
      same('2026-11-23T09:05:00.001Z');
    },
  );
});
