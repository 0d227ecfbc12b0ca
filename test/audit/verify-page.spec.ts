import { faultOf } from '@ledger/event-contract';
import { ScannedPage } from '@ledger/event-store';
import { canonical } from '@ledger/wallet';
import { type Link, unusualLink } from '../../apps/auditor/src/verify/chain';
import type { Fault } from '../../apps/auditor/src/verify/finding';
import { PageRow, ROOM } from '../../apps/auditor/src/verify/page-row';
import { Dice, hashAgain, linkBefore } from './tamper-forging';
import { randomRows, type Row } from './tamper-store';

/** A usage that is judged where it lies in a page: never said to be right where the slow ways find a fault. */

const WORLDS = 8;
const CHANGES_EACH = 40;
const LINK_CHANGES_EACH = 8;
const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);

let rows: Row[];
let usages: Row[];
beforeAll(() => {
  process.stdout.write(`usages in pages: TAMPER_SEED=${seed}\n`);
  rows = Array.from({ length: WORLDS }, (_, world) => randomRows(seed + world)).flat();
  usages = rows.filter(({ type }) => type === 'TokensUsed');
});

/** As the scan packs it. */
function pageOf({ revision, id, type, data, metadata }: Row): ScannedPage {
  const texts = [id, type, data, metadata];
  const lengths = texts.map((text) => Buffer.byteLength(text));
  return new ScannedPage(
    Buffer.concat([Buffer.from(`1 1 ${revision} 0 ${lengths.join(' ')} ${texts.join('')}`), Buffer.alloc(ROOM)]),
    ROOM,
  );
}

const standing = new PageRow();

/** Whether it is usual behind the link, and where that leaves the link; `standing` stands on it. */
function looked(row: Row, before: Link): { usual: boolean; link: Link } {
  const link = { ...before };
  const page = pageOf(row);
  standing.open(page);
  expect(page.next()).toBe(true);
  return { usual: standing.isUsual(link), link };
}

/** What the quick way says of the link alone, and where that leaves it. */
function linked(row: Row, before: Link) {
  const link = { ...before };
  const page = pageOf(row);
  standing.open(page);
  expect(page.next()).toBe(true);
  return { envelope: standing.usualLink(link), link };
}

/** What the slow way says of the same. */
function slowlyLinked(row: Row, before: Link) {
  const faults: unknown[] = [];
  const link = { ...before };
  const { key, contentHash } = unusualLink(link, row, (...said) => faults.push(said));
  return { faults, envelope: { key, contentHash }, link };
}

/** All that the slow ways have to say. */
function faultsOf(row: Row, before: Link): { faults: unknown[]; link: Link } {
  const faults: unknown[] = [];
  const link = { ...before };
  const fault: Fault = (...said) => faults.push(said);
  unusualLink(link, row, fault);
  const data: unknown = JSON.parse(row.data);
  if (canonical(data) !== row.data) faults.push('not canonical');
  const wrong = faultOf(row.type, '1', data, 'user');
  if (wrong !== undefined) faults.push(wrong);
  return { faults, link };
}

/** What was seen, without what is beside the data. */
function seen(): object {
  const { at, balanceAfter, charged, considered, freeMonth, occurredAt, reference, service, tokens, usageId, variableCostEuros } =
    standing.usage;
  return { at, balanceAfter, charged, considered, freeMonth, occurredAt, reference, service, tokens, usageId, variableCostEuros };
}

it('is what a parser takes from its text, and most usages are usual', () => {
  let usual = 0;
  for (const row of usages) {
    const before = linkBefore(row);
    const found = looked(row, before);
    if (!found.usual) {
      expect(found.link).toEqual(before);
      continue;
    }
    usual += 1;
    const data = JSON.parse(row.data) as { at: string; occurredAt: string };
    expect(seen()).toEqual(data);
    const { usage, keyAt, keyLength } = standing;
    expect([usage.atMs, usage.occurredAtMs, usage.day]).toEqual([Date.parse(data.at), Date.parse(data.occurredAt), data.at.slice(0, 10)]);
    const key = (JSON.parse(row.metadata) as { key?: string }).key ?? '';
    expect(usage.glance.bytes.toString('latin1', keyAt, keyAt + keyLength)).toBe(key);
    expect({ faults: [], link: found.link }).toEqual(faultsOf(row, before));
  }
  expect(usual).toBeGreaterThan(usages.length / 2);
});

it('is never said to be right where it is not, whatever is changed in the event or in the link', () => {
  const dice = new Dice(seed);
  const pieces = ['0', '9', '-1', '.5', '"', ' ', '{', '}', ',', 'null', '.', '/', '13', '30', 'T24', '\\u0041', 'é', '\u0000', '00', '"x":1,', '1e3', '9999999999999999', 'true', '\n']; // prettier-ignore
  const changed = (text: string): string => {
    const place = dice.below(text.length);
    return text.slice(0, place) + (dice.of(pieces) ?? '') + text.slice(place + dice.below(4));
  };
  const said = { right: 0, wrong: 0 };
  for (const row of usages) {
    for (let change = 0; change < CHANGES_EACH; change += 1) {
      const before = linkBefore(row);
      const forged = { ...row };
      const what = dice.below(8);
      if (what < 4) forged.data = changed(row.data);
      else if (what < 6) forged.metadata = changed(row.metadata);
      else if (what === 6) forged.id = changed(row.id);
      else if (dice.below(2) === 0) before.hash = changed(before.hash);
      else forged.revision += 1 + dice.below(2);
      if (dice.below(4) > 0) hashAgain(forged, before.hash);
      const { usual, link } = looked(forged, before);
      if (!usual) {
        said.wrong += 1;
        expect(link).toEqual(before);
        continue;
      }
      said.right += 1;
      expect([forged, faultsOf(forged, before)]).toEqual([forged, { faults: [], link }]);
      expect(seen()).toEqual(JSON.parse(forged.data));
    }
  }
  // Some changes make another good event; were there none, the pieces would be too rough to try anything.
  expect(said.right).toBeGreaterThan(100);
  expect(said.wrong).toBeGreaterThan(said.right);
});

it('is not usual with any one digit of its id or of a hash changed', () => {
  const row = usages.find((each) => looked(each, linkBefore(each)).usual)!;
  const before = linkBefore(row);
  const { hash, previousHash } = JSON.parse(row.metadata) as Record<'hash' | 'previousHash', string>;
  const changes = (text: string): string[] =>
    Array.from(text, (digit, place) => text.slice(0, place) + (digit === '0' ? '1' : '0') + text.slice(place + 1));
  for (const id of changes(row.id)) expect([id, looked({ ...row, id }, before).usual]).toEqual([id, false]);
  for (const name of [hash, previousHash])
    for (const changed of changes(name)) {
      const metadata = row.metadata.replace(name, changed);
      expect([metadata, looked({ ...row, metadata }, before).usual]).toEqual([metadata, false]);
    }
  for (const changed of changes(before.hash)) expect([changed, looked(row, { ...before, hash: changed }).usual]).toEqual([changed, false]);
});

it.each([
  ['a key without its contentHash', 'metadata', /,"contentHash":"[^"]*"/, ''],
  ['a contentHash without its key', 'metadata', /,"key":"[^"]*"/, ''],
  ['another requestId', 'metadata', /"requestId":"/, '"requestId":"x'],
  ['a number that begins with 0', 'data', /"tokens":([1-9])/, '"tokens":0$1'],
  ['a number of usage that begins with 0', 'data', /"used":([1-9])/, '"used":0$1'],
  ['a day that no calendar has', 'data', /"at":"(....)-..-../, '"at":"$1-02-30'],
  ['an organisation that is called ..', 'data', /"organisationId":"[^"]*"/, '"organisationId":".."'],
  ['a text without an end', 'data', /"\}$/, '}'],
  ['another status', 'data', /"status":"permitted"/, '"status":"permittee"'],
  ['no usage at all', 'data', /,"tokens":[0-9]+,"usageId"/, ',"usageId"'],
])('is not usual with %s, though its hashes were made again', (_, field, what, instead) => {
  let tried = 0;
  for (const row of usages) {
    const before = linkBefore(row);
    const forged = { ...row, [field]: row[field as 'data'].replace(what, instead) };
    if (forged[field as 'data'] === row[field as 'data'] || !looked(row, before).usual) continue;
    hashAgain(forged, before.hash);
    tried += 1;
    expect([forged, looked(forged, before).usual]).toEqual([forged, false]);
  }
  expect(tried).toBeGreaterThan(0);
});

it('is left to the slow ways behind a hash that is none, and when it is too long to be put together', () => {
  const row = usages.find((each) => looked(each, linkBefore(each)).usual)!;
  expect(looked(row, { ...linkBefore(row), sound: false }).usual).toBe(false);
  const actor = 'x'.repeat(ROOM);
  const long = { ...row, metadata: row.metadata.replace(/"actor":"[^"]*"/, `"actor":"${actor}"`) };
  hashAgain(long, linkBefore(long).hash);
  expect(faultsOf(long, linkBefore(long)).faults).toEqual([]);
  expect(looked(long, linkBefore(long)).usual).toBe(false);
});

describe('the link of any event in a page', () => {
  it('is right by both ways where the ledger has written it', () => {
    for (const row of rows) {
      const before = linkBefore(row);
      expect({ faults: [], ...linked(row, before) }).toEqual(slowlyLinked(row, before));
    }
  });

  it('is never said to be right where it is not, whatever is changed in the event or in the link', () => {
    const dice = new Dice(seed);
    const pieces = ['', '0', 'g', '"', '\\', ' ', 'é', '\ufffd', '\n', ',', '"key":"k",', '"x":"y",', '\\u0041', '"hash":"', '}', '"schema":"2"']; // prettier-ignore
    const changed = (text: string): string => {
      const place = dice.below(text.length);
      return text.slice(0, place) + (dice.of(pieces) ?? '') + text.slice(place + dice.below(3));
    };
    const said = { right: 0, wrong: 0 };
    for (const row of rows) {
      for (let change = 0; change < LINK_CHANGES_EACH; change += 1) {
        const before = linkBefore(row);
        const forged = { ...row };
        const what = dice.below(8);
        if (what < 4) forged.metadata = changed(row.metadata);
        else if (what === 4) forged.data = changed(row.data);
        else if (what === 5) forged.id = changed(row.id);
        else if (what === 6) forged.type = dice.of(['LimitReached', 'FreeAllowanceGranted', 'TokensUsed', 'Tokens"', '']) ?? '';
        else if (dice.below(2) === 0) before.hash = changed(before.hash);
        else forged.revision += 1 + dice.below(2);
        if (dice.below(2) === 0) hashAgain(forged, before.hash);
        const { envelope, link } = linked(forged, before);
        said[envelope ? 'right' : 'wrong'] += 1;
        if (envelope) expect([forged, { faults: [], envelope, link }]).toEqual([forged, slowlyLinked(forged, before)]);
        else expect(link).toEqual(before);
      }
    }
    expect(said.right).toBeGreaterThan(100);
    expect(said.wrong).toBeGreaterThan(said.right);
  });

  it('is left to the slow way where bytes are no text, though the hash is that of the bytes', () => {
    const row = usages.find(({ data }) => !data.includes('"reference"'))!;
    const before = linkBefore(row);
    for (const change of [{ data: row.data.replace(/"occurredAt":"[^"]*"/, '$&,"reference":"\ufffd"') }, { type: 'Tokens\ufffd' }]) {
      const forged = { ...row, ...change };
      hashAgain(forged, before.hash);
      expect([slowlyLinked(forged, before).faults, linked(forged, before)]).toEqual([[], { envelope: undefined, link: before }]);
    }
  });
});
