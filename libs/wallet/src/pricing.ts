/**
 * What tokens cost and what costs are in tokens. Source: design.md, section 2 (purchase, usage); the platform's published prices.
 *
 * Money is integer cents, tokens are integers, decimals are texts: no floating point anywhere. The greatest product here is a list
 * price times 100, 10^14, far below 2^53.
 */

/** A discount and the list price, in cents, from which on it is given. */
export interface PriceTier {
  fromCents: number;
  percent: number;
}

/**
 * A price table. It is plain data, so that another one can come from a file; its version is stored in every purchase, so that an
 * auditor knows by which table it was priced. Tiers are in ascending order of `fromCents`, percents are whole numbers 0..99.
 */
export interface PriceTable {
  version: string;
  /** Prices are in euros, exclusive of tax. */
  currency: 'EUR';
  /** The smallest package, in tokens. */
  minimumTokens: number;
  /** The list price of a token: one cent, a rule of the domain that no table may change. */
  centsPerToken: 1;
  tiers: readonly PriceTier[];
  /** AI usage is charged at this percentage of its variable cost. */
  usage: { percentOfCost: number };
}

/** The built-in price table. */
export const PRICE_TABLE: PriceTable = {
  version: '2026-01',
  currency: 'EUR',
  minimumTokens: 200,
  centsPerToken: 1,
  tiers: [
    { fromCents: 1_000, percent: 5 },
    { fromCents: 5_000, percent: 10 },
    { fromCents: 10_000, percent: 15 },
    { fromCents: 50_000, percent: 20 },
    { fromCents: 100_000, percent: 25 },
    { fromCents: 500_000, percent: 30 },
  ],
  usage: { percentOfCost: 190 },
};

/** The smallest purchase of the built-in table, in tokens (2 EUR). */
export const PURCHASE_TOKENS_MIN = PRICE_TABLE.minimumTokens;
/** What a wallet buys in its life at most, in tokens; so also the largest package. */
export const WALLET_TOKENS_MAX = 10 ** 12;
/** The greatest monthly free allowance of a wallet, in tokens. */
export const FREE_TOKENS_MAX = 10 ** 9;

/** What a package of tokens costs. */
export interface Price {
  tokens: number;
  listPriceCents: number;
  discountPercent: number;
  /** The list price less the discount, rounded half up to the cent. */
  priceCents: number;
}

/** A price, and the larger package that costs no more, where there is one. */
export interface Quote extends Price {
  better?: { tokens: number; priceCents: number };
}

/**
 * The price of a package. The discount goes by the list price and lowers the price, not the tokens. Whether the package is large
 * enough to be sold is the caller's to decide (`minimumTokens`). Throws a RangeError unless tokens is an integer 1..10^12.
 */
export function priceOf(table: PriceTable, tokens: number): Price {
  if (!Number.isInteger(tokens) || tokens < 1 || tokens > WALLET_TOKENS_MAX) {
    throw new RangeError(`A package of ${tokens} tokens has no price: it must be an integer 1..${WALLET_TOKENS_MAX}.`);
  }
  const listPriceCents = tokens * table.centsPerToken;
  const discountPercent = table.tiers.findLast((tier) => tier.fromCents <= listPriceCents)?.percent ?? 0;
  return { tokens, listPriceCents, discountPercent, priceCents: hundredthHalfUp(listPriceCents * (100 - discountPercent)) };
}

/** A hundredth of an integer >= 0, rounded half up, without leaving the integers. */
function hundredthHalfUp(hundredths: number): number {
  const raised = hundredths + 50;
  return (raised - (raised % 100)) / 100;
}

/**
 * The price of a package, with the first package of a later tier as `better` when it costs no more: 999 tokens cost 9.99 EUR,
 * 1,000 cost 9.50. Where the tiers of a table lie so close that several would do, it is the cheapest, and of those the largest.
 * Throws as `priceOf` does.
 */
export function quote(table: PriceTable, tokens: number): Quote {
  const price = priceOf(table, tokens);
  let better: Quote['better'];
  for (const { fromCents } of table.tiers) {
    if (fromCents <= price.listPriceCents) continue;
    const { tokens: more, priceCents } = priceOf(table, fromCents / table.centsPerToken);
    if (priceCents <= (better?.priceCents ?? price.priceCents)) better = { tokens: more, priceCents };
  }
  return better === undefined ? price : { ...price, better };
}

/** Euros as callers name a package: a decimal with at most two digits after the point. */
export const EUROS_PATTERN = /^(\d{1,11})(?:\.(\d{1,2}))?$/;

/**
 * The tokens of the package with this list price in euros: "50.00" is 5,000 tokens. Undefined when the text is not such a decimal,
 * or when it names no token or more than 10^12.
 */
export function tokensForEuros(table: PriceTable, euros: string): number | undefined {
  const [, whole, fraction = ''] = EUROS_PATTERN.exec(euros) ?? [];
  if (whole === undefined) return undefined;
  const tokens = (Number(whole) * 100 + Number(fraction.padEnd(2, '0'))) / table.centsPerToken;
  return tokens >= 1 && tokens <= WALLET_TOKENS_MAX ? tokens : undefined;
}

/** The variable cost of a usage in euros: a decimal with at most twelve digits after the point. */
export const COST_PATTERN = /^(\d{1,9})(?:\.(\d{1,12}))?$/;
/** The same above zero, as a command names it: what costs nothing is no usage. */
export const COST_ABOVE_ZERO_PATTERN = /^(?!0*(?:\.0*)?$)\d{1,9}(?:\.\d{1,12})?$/;
const COST_DIGITS = 12;
const POWERS_OF_TEN = Array.from({ length: COST_DIGITS + 1 }, (_, digits) => 10 ** digits);
const COST_UNITS_PER_EURO = 10n ** BigInt(COST_DIGITS);

/**
 * The tokens that a usage of this variable cost is charged: cost x 1.9 / 0.01 EUR, exactly, rounded half up, at least 1. So "0.10" is
 * 19 tokens. The result is below 2 x 10^11. Undefined when the text does not match `COST_PATTERN` or is zero.
 */
export function tokensForCost(variableCostEuros: string, table: PriceTable): number | undefined {
  const [, whole, fraction = ''] = COST_PATTERN.exec(variableCostEuros) ?? [];
  if (whole === undefined) return undefined;
  // Nearly every cost is short enough to be counted without BigInt, which takes three times as long.
  const units = Number(whole) * POWERS_OF_TEN[fraction.length]! + Number(fraction);
  const short = tokensForUnits(units, fraction.length, table);
  if (short !== undefined) return short;
  const { percentOfCost } = table.usage;
  const cost = BigInt(whole + fraction.padEnd(COST_DIGITS, '0'));
  if (cost === 0n) return undefined;
  // A token is a cent: the hundred cents of a euro and the hundred of the percentage cancel out.
  const tokens = (cost * BigInt(percentOfCost) + COST_UNITS_PER_EURO / 2n) / COST_UNITS_PER_EURO;
  return tokens === 0n ? 1 : Number(tokens);
}

/** The same of a cost of `units` / 10^`decimals` EUR, of at most 12 decimals; undefined when it is zero, or too long for plain numbers. */
export function tokensForUnits(units: number, decimals: number, { usage: { percentOfCost } }: PriceTable): number | undefined {
  const unitsPerEuro = POWERS_OF_TEN[decimals]!;
  const twice = 2 * units * percentOfCost + unitsPerEuro;
  if (units === 0 || twice > Number.MAX_SAFE_INTEGER) return undefined;
  return Math.max(1, (twice - (twice % (2 * unitsPerEuro))) / (2 * unitsPerEuro));
}
