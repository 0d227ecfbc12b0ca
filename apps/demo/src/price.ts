import type { Conversation } from './conversations';

/** What a provider charges, in units of 0.0000001 EUR per token of the model: 2.50 and 10.00 EUR per million. */
const CONTEXT_PRICE = 25n;
const GENERATED_PRICE = 100n;
const UNITS_PER_EURO = 10_000_000n;
const DECIMALS = 7;

const costUnits = ({ contextTokens, generatedTokens }: Conversation): bigint =>
  BigInt(contextTokens) * CONTEXT_PRICE + BigInt(generatedTokens) * GENERATED_PRICE;

/** The exact cost in EUR as the shortest decimal, such as "0.001375". */
export function costEuros(conversation: Conversation): string {
  const units = costUnits(conversation);
  const fraction = (units % UNITS_PER_EURO).toString().padStart(DECIMALS, '0').replace(/0+$/, '');
  return `${units / UNITS_PER_EURO}${fraction && `.${fraction}`}`;
}

/**
 * What the ledger must charge for it: cost x 1.9 / 0.01, rounded half up, at least 1. Written here a second time on purpose:
 * the demo compares every answer with it.
 */
export function tokensFor(conversation: Conversation): number {
  const tokens = (costUnits(conversation) * 190n * 2n + UNITS_PER_EURO) / (2n * UNITS_PER_EURO);
  return tokens < 1n ? 1 : Number(tokens);
}

/** Integer cents as people read them: 12345 -> "123.45 EUR". */
export const euros = (cents: number): string =>
  `${Math.trunc(cents / 100).toLocaleString('en')}.${String(cents % 100).padStart(2, '0')} EUR`;
