import fc from 'fast-check';
import { checkLink, firstLink, type Link, unusualLink } from '../../apps/auditor/src/verify/chain';
import { epochMsOf } from '../../apps/auditor/src/verify/instants';
import { Dice } from './tamper-forging';
import { randomRows, type Row } from './tamper-store';

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
  const faults: unknown[] = [];
  const { key, contentHash } = way(link, row, (...fault) => faults.push(fault));
  return { faults, key, contentHash, link };
}

function linkBefore({ stream, revision, metadata }: Row): Link {
  const { previousHash = '' } = JSON.parse(metadata) as Record<string, string>;
  return { ...firstLink(stream), revision: revision - 1, hash: previousHash };
}

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
  });
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
