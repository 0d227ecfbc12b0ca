import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { PRICE_TABLE, type PriceTable, WALLET_TOKENS_MAX } from '@ledger/wallet';
import { Ajv, type ErrorObject } from 'ajv';

/**
 * The price table from a file (PRICE_TABLE_PATH), checked whole before anything is priced by it. Prices that are silently not the
 * ones that somebody meant are worse than no start, so every "no" names the place in the file.
 */

/** A price table that cannot be served. The message is the rest of a sentence that begins with the file. */
export class BadPriceTable extends Error {}

const TIERS_MAX = 1_000;
const VERSION_PATTERN = '^[A-Za-z0-9._~-]{1,64}$';
/** AI usage at a hundred times its cost is the dearest that a table may say; it keeps the tokens of any cost below 2^53. */
const PERCENT_OF_COST_MAX = 10_000;

const whole = (minimum: number, maximum: number) => ({ type: 'integer', minimum, maximum });
const closed = <Properties extends object>(properties: Properties) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

/** What a file must look like; the rules between its tiers stand in `faultOf`. */
export const PRICE_TABLE_SCHEMA = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  ...closed({
    version: { type: 'string', pattern: VERSION_PATTERN },
    currency: { const: 'EUR' },
    minimumTokens: whole(1, WALLET_TOKENS_MAX),
    centsPerToken: { const: 1 },
    tiers: { type: 'array', maxItems: TIERS_MAX, items: closed({ fromCents: whole(1, WALLET_TOKENS_MAX), percent: whole(0, 99) }) },
    usage: closed({ percentOfCost: whole(1, PERCENT_OF_COST_MAX) }),
  }),
};

const validate = new Ajv().compile<PriceTable>(PRICE_TABLE_SCHEMA);

/** @throws BadPriceTable naming the first place that is wrong */
export function readPriceTable(path: string): PriceTable {
  const text = contentOf(path);
  const parsed = parse(path, text);
  if (!validate(parsed)) throw new BadPriceTable(`${path}: ${shapeFault(validate.errors?.[0], text)}.`);
  const fault = namesTwice(parsed, text) ?? faultOf(parsed, (index) => lineOfTier(text, index));
  if (fault !== undefined) throw new BadPriceTable(`${path}: ${fault}.`);
  return parsed;
}

/** The rules that a shape cannot say: tiers neither overlap nor go back, no larger package has a lower discount, no version means two tables. */
function faultOf(table: PriceTable, line: (index: number) => string): string | undefined {
  for (const [index, { fromCents, percent }] of table.tiers.entries()) {
    const before = table.tiers[index - 1];
    if (before === undefined) continue;
    const entry = `tiers[${index}]${line(index)}`;
    if (fromCents === before.fromCents) return `${entry} begins at ${fromCents} cents, as the tier before it does: they overlap`;
    if (fromCents < before.fromCents) return `${entry} begins at ${fromCents} cents, below the ${before.fromCents} of the tier before it`;
    if (percent < before.percent)
      return `${entry} has a discount of ${percent} %, lower than the ${before.percent} % of the tier before it`;
  }
  if (table.version === PRICE_TABLE.version && !isDeepStrictEqual(table, PRICE_TABLE))
    return `version "${table.version}" is the built-in table's, which has other figures: stored purchases name it, so give this one its own`;
  return undefined;
}

/** JSON lets the last of two fields of one name win. The shape has no other names and no text with a colon, so they can be counted. */
function namesTwice({ tiers }: PriceTable, text: string): string | undefined {
  const { properties } = PRICE_TABLE_SCHEMA;
  const named = Object.keys({ ...properties, ...properties.usage.properties }).length + 2 * tiers.length;
  return [...text.matchAll(/"\w+"\s*:/g)].length === named ? undefined : 'a field is named twice in one object';
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new BadPriceTable(`${path}, which cannot be read: ${(error as Error).message}.`);
  }
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    const at = /position (\d+)/.exec(message)?.[1];
    const where = at === undefined ? '' : ` (line ${lineAt(text, Number(at))})`;
    throw new BadPriceTable(`${path}, which is not JSON${where}: ${message}.`);
  }
}

/** One thing to correct, with its place. */
function shapeFault(error: ErrorObject | undefined, text: string): string {
  const { instancePath = '', message = 'is not valid', params = {} } = error ?? {};
  const place = instancePath
    .slice(1)
    .replace(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.');
  const tier = /^tiers\[(\d+)\]/.exec(place)?.[1];
  const line = tier === undefined ? '' : lineOfTier(text, Number(tier));
  const { additionalProperty, allowedValue } = params as { additionalProperty?: string; allowedValue?: unknown };
  const more = additionalProperty === undefined ? '' : ` ("${additionalProperty}")`;
  const wanted = allowedValue === undefined ? message : `must be ${JSON.stringify(allowedValue)}`;
  return `${place === '' ? 'the table' : place}${line} ${wanted}${more}`;
}

/** Only tiers have a `fromCents`, one each: the line of the n-th is the n-th tier's. Left out where the file is not written so. */
function lineOfTier(text: string, index: number): string {
  const found = [...text.matchAll(/"fromCents"\s*:/g)][index];
  return found === undefined ? '' : ` (line ${lineAt(text, found.index)})`;
}

const lineAt = (text: string, position: number): number => text.slice(0, position).split('\n').length;
