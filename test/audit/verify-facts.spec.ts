import { faultOf } from '@ledger/event-contract';
import { canonical, usualData } from '@ledger/wallet';
import { checkCalendar } from '../../apps/auditor/src/verify/facts';
import { Dice } from './tamper-forging';
import { randomRows, type Row } from './tamper-store';

/** The quick way to read an event never says more than the slow one. */

const WORLDS = 12;
const CHANGES_EACH = 60;
const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);
const USUAL = ['TokensUsed', 'UsageReversed', 'AllocationReceived', 'UserWalletOpened', 'FreeAllowanceGranted'];

let rows: Row[];
beforeAll(() => {
  process.stdout.write(`usual facts: TAMPER_SEED=${seed}\n`);
  rows = Array.from({ length: WORLDS }, (_, world) => randomRows(seed + world)).flat();
});

it('takes the same from a text as a parser does, and knows most of them', () => {
  let usual = 0;
  const all = rows.filter(({ type }) => USUAL.includes(type));
  for (const { type, data } of all) {
    const found = usualData(type, data);
    if (found === undefined) continue;
    usual += 1;
    expect(found).toEqual(JSON.parse(data));
  }
  expect(usual).toBeGreaterThan(all.length / 2);
});

it('accepts no text that the slow way refuses, whatever is changed in it', () => {
  const dice = new Dice(seed);
  const pieces = [
    '0',
    '9',
    '-1',
    '.5',
    '"',
    ' ',
    '{',
    '}',
    ',',
    'null',
    '..',
    '.',
    '/',
    '2026-13',
    'T24',
    '\\u0041',
    'é',
    '00',
    '"x":1,',
    '1e3',
    '9999999999999999',
  ];
  let accepted = 0;
  for (const { type, data } of rows.filter((row) => USUAL.includes(row.type))) {
    for (let change = 0; change < CHANGES_EACH; change += 1) {
      const place = dice.below(data.length);
      const text = data.slice(0, place) + (dice.of(pieces) ?? '') + data.slice(place + dice.below(4));
      const found = usualData(type, text);
      if (found === undefined) continue;
      accepted += 1;
      const parsed: unknown = JSON.parse(text);
      expect([text, canonical(parsed), faultOf(type, '1', parsed, 'user')]).toEqual([text, text, undefined]);
      expect(found).toEqual(parsed);
    }
  }
  // Some changes make another good event; were there none, the pieces would be too rough to try anything.
  expect(accepted).toBeGreaterThan(0);
});

it.each([
  ['{"at":"2026-02-28T10:00:00.000Z"}', []],
  ['{"at":"2026-02-29T10:00:00.000Z"}', ['2026-02-29']],
  ['{"at":"2028-02-29T10:00:00.000Z","occurredAt":"2028-02-30T10:00:00.000Z"}', ['2028-02-30']],
  ['{"daily":"2026-06-31","day":"2026-09-31","resetsAt":"2026-11-31T00:00:00.000Z","window":"2026-04-31"}', ['2026-06-31', '2026-09-31', '2026-11-31', '2026-04-31']], // prettier-ignore
  ['{"day":"2026-01-31","window":"2026-12-31"}', []],
  [JSON.stringify({ reference: '"at":"2026-02-30T', service: '2026-02-30' }), []],
])('names the days of %s that no calendar has', (data, days) => {
  const found: unknown[] = [];
  checkCalendar(data, (_rule, _what, _expected, day) => found.push(day));
  expect(found).toEqual(days);
});
