import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRICE_TABLE, type PriceTable } from '@ledger/wallet';
import { BadPriceTable, readPriceTable } from './price-table';
import { BadSetting, readSettings } from './settings';

const OTHER: PriceTable = {
  ...PRICE_TABLE,
  version: '2027-01',
  minimumTokens: 1,
  tiers: [
    { fromCents: 1, percent: 0 },
    { fromCents: 2, percent: 99 },
    { fromCents: 1_000_000_000_000, percent: 99 },
  ],
  usage: { percentOfCost: 150 },
};

describe('a price table from a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-prices-'));
  const path = join(folder, 'prices.json');
  afterAll(() => rmSync(folder, { recursive: true }));
  const written = (table: unknown): string => {
    writeFileSync(path, typeof table === 'string' ? table : JSON.stringify(table, null, 2));
    return path;
  };
  const fault = (table: unknown): string => {
    try {
      readPriceTable(written(table));
    } catch (error) {
      expect(error).toBeInstanceOf(BadPriceTable);
      return (error as Error).message;
    }
    return '';
  };

  it('is taken whole, also the built-in one under its own version and one without discounts', () => {
    for (const table of [OTHER, PRICE_TABLE, { ...OTHER, tiers: [] }]) expect(readPriceTable(written(table))).toEqual(table);
    expect(readSettings({ PRICE_TABLE_PATH: written(OTHER) }).priceTable).toEqual(OTHER);
  });

  const tiers = (...of: [number, unknown][]) => ({ ...OTHER, tiers: of.map(([fromCents, percent]) => ({ fromCents, percent })) });
  it.each([
    ['overlap', tiers([100, 5], [200, 6], [200, 7]), 'tiers[2] (line 16) begins at 200 cents, as the tier before it does: they overlap.'],
    ['descend', tiers([100, 5], [99, 6]), 'tiers[1] (line 12) begins at 99 cents, below the 100 of the tier before it.'],
    ['are cheaper when smaller', tiers([100, 5], [200, 4]), 'tiers[1] (line 12) has a discount of 4 %, lower than the 5 % of the tier before it.'], // prettier-ignore
    ['begin at nothing', tiers([0, 5]), 'tiers[0].fromCents (line 8) must be >= 1.'],
    ['begin beyond the largest package', tiers([1_000_000_000_001, 5]), 'tiers[0].fromCents (line 8) must be <= 1000000000000.'],
    ['give all away', tiers([1, 5], [100, 100]), 'tiers[1].percent (line 12) must be <= 99.'],
    ['cost more than nothing off', tiers([100, -1]), 'tiers[0].percent (line 8) must be >= 0.'],
    ['have half percents', tiers([100, 2.5]), 'tiers[0].percent (line 8) must be integer.'],
    ['are texts', tiers([100, '5']), 'tiers[0].percent (line 8) must be integer.'],
  ])('is refused when its tiers %s, naming the entry and its line', (_, table, sentence) => {
    expect(fault(table)).toBe(`${path}: ${sentence}`);
  });

  it.each([
    [{ ...OTHER, minimumTokens: 0 }, 'minimumTokens must be >= 1.'],
    [{ ...OTHER, centsPerToken: 2 }, 'centsPerToken must be 1.'],
    [{ ...OTHER, currency: 'USD' }, 'currency must be "EUR".'],
    [{ ...OTHER, version: '' }, 'version must match pattern'],
    [{ ...OTHER, version: undefined }, "the table must have required property 'version'."],
    [{ ...OTHER, tier: [] }, 'the table must NOT have additional properties ("tier").'],
    [{ ...OTHER, usage: { percentOfCost: 0 } }, 'usage.percentOfCost must be >= 1.'],
    [{ ...PRICE_TABLE, minimumTokens: 300 }, `version "2026-01" is the built-in table's, which has other figures`],
    [[], 'the table must be object.'],
  ])('is refused as %j, naming the field', (table, sentence) => {
    expect(fault(table)).toContain(`${path}: ${sentence}`);
  });

  it('is refused when it is no JSON, names a field twice or is not there', () => {
    expect(fault('{\n  "version": "x",\n}')).toMatch(/^.*prices\.json, which is not JSON \(line 3\): /);
    expect(fault(JSON.stringify(OTHER).replace('"minimumTokens":1', '"minimumTokens":1,"minimumTokens":2'))).toContain('named twice');
    expect(() => readPriceTable(join(folder, 'none.json'))).toThrow(/none\.json, which cannot be read/);
    expect(() => readSettings({ PRICE_TABLE_PATH: folder })).toThrow(BadSetting);
    expect(() => readSettings({ PRICE_TABLE_PATH: written('{}') })).toThrow(/^PRICE_TABLE_PATH names .*prices\.json: the table /);
  });
});
