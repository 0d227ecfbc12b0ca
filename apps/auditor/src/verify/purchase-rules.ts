import { type EventOf, priceOf, WALLET_TOKENS_MAX } from '@ledger/wallet';
import type { Place, Surroundings } from './surroundings';

/** The rules of purchases, the same for both kinds of wallet. Answers what reached the balance. */
export function checkPurchase(
  wallet: { owed: number; purchasedTotal: number },
  data: EventOf<'TokensPurchased'>['data'],
  { stream, position, fault }: Place,
  { entries, flows, priceTables, unknownPriceTables }: Surroundings,
): number {
  const { purchaseId, paymentReference, tokens, listPriceCents, discountPercent, priceCents, priceTable, owedPaid } = data;
  entries.add('payment', position, 0, stream, paymentReference);
  entries.add('id', position, 0, 'purchase', purchaseId);
  const table = priceTables.get(priceTable);
  if (table) {
    const price = priceOf(table, tokens);
    if (tokens < table.minimumTokens) fault('price', 'the tokens', `at least ${table.minimumTokens}`, tokens);
    if (listPriceCents !== price.listPriceCents) fault('price', 'listPriceCents', price.listPriceCents, listPriceCents);
    if (discountPercent !== price.discountPercent) fault('price', 'discountPercent', price.discountPercent, discountPercent);
    if (priceCents !== price.priceCents) fault('price', 'priceCents', price.priceCents, priceCents);
  } else {
    unknownPriceTables.add(priceTable);
    // A token is a cent in every table, and a discount is rounded half up.
    if (listPriceCents !== tokens) fault('price', 'listPriceCents', tokens, listPriceCents);
    const wanted = Math.floor((listPriceCents * (100 - discountPercent) + 50) / 100);
    if (priceCents !== wanted) fault('price', 'priceCents', wanted, priceCents);
  }
  const wanted = Math.min(wallet.owed, tokens);
  if (owedPaid !== wanted) fault('debt', 'owedPaid', wanted, owedPaid);
  wallet.owed -= owedPaid;
  wallet.purchasedTotal += tokens;
  if (wallet.purchasedTotal > WALLET_TOKENS_MAX)
    fault('bought', 'what the wallet has bought', `at most ${WALLET_TOKENS_MAX}`, wallet.purchasedTotal);
  flows.purchased.add(tokens);
  flows.bills.add(owedPaid);
  return tokens - owedPaid;
}
