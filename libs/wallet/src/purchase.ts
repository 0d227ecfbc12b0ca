import { isoInstant } from './calendar';
import type { PurchaseTokens } from './commands';
import { type Given, Missing, recall } from './decision';
import type { EventOf } from './events';
import { priceOf, WALLET_TOKENS_MAX } from './pricing';
import { Refusal } from './refusal';
import type { Remembered } from './remembered';

/** A purchase is the same for both kinds of wallet, but for the bucket that it fills (design section 2, Purchase). */
export function pricedPurchase(
  wallet: { purchasedTotal: number; payments: Remembered; billing: { owed: number } },
  command: PurchaseTokens,
  given: Given,
): Omit<EventOf<'TokensPurchased'>['data'], 'balanceAfter'> | Missing {
  const { tokens, paymentReference, purchasedBy } = command;
  const { priceTable } = given.settings;
  if (tokens < priceTable.minimumTokens) {
    const facts = { tokens, minimum: priceTable.minimumTokens };
    throw new Refusal('PURCHASE_TOO_SMALL', `A package has at least ${priceTable.minimumTokens} tokens; ${tokens} were asked for.`, facts);
  }
  const paid = recall(wallet.payments, 'payment', paymentReference, given);
  if (paid instanceof Missing) return paid;
  if (paid) {
    const detail = `The payment reference "${paymentReference}" has credited this wallet before; a payment counts once.`;
    throw new Refusal('PAYMENT_REFERENCE_USED', detail, { paymentReference });
  }
  if (wallet.purchasedTotal + tokens > WALLET_TOKENS_MAX) {
    const facts = { requested: tokens, purchased: wallet.purchasedTotal, maximum: WALLET_TOKENS_MAX };
    throw new Refusal('BALANCE_TOO_LARGE', `A wallet buys at most ${WALLET_TOKENS_MAX} tokens in its life.`, facts);
  }
  const { listPriceCents, discountPercent, priceCents } = priceOf(priceTable, tokens);
  return {
    at: isoInstant(given.at),
    purchaseId: given.newId,
    tokens,
    paymentReference,
    ...(purchasedBy === undefined ? {} : { purchasedBy }),
    listPriceCents,
    discountPercent,
    priceCents,
    priceTable: priceTable.version,
    // A debt is paid first, before anything reaches the balance.
    owedPaid: Math.min(wallet.billing.owed, tokens),
  };
}
