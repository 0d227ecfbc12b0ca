import { type EventOf, type PlatformSettings, priceOf } from '@ledger/wallet';
import type { Story } from './explanation';
import { euros, tokens } from './words';

/** Why a package cost what it cost. */
export function purchaseStory(buyer: string, { data }: EventOf<'TokensPurchased'>, { priceTable }: PlatformSettings): Story {
  const { tokens: bought, paymentReference, purchasedBy, listPriceCents, discountPercent, priceCents, owedPaid, purchaseId } = data;
  const who = purchasedBy === undefined ? '' : ` by ${purchasedBy}`;
  const lines = [
    `The purchase ${purchaseId} was paid${who} with the reference "${paymentReference}", which counts once for this wallet.`,
    `List price: ${bought.toLocaleString('en')} x 0.01 EUR = ${euros(listPriceCents)}.`,
    discountPercent > 0
      ? `From that list price on the price table ${data.priceTable} gives ${discountPercent} %, so the price was ${euros(priceCents)}.`
      : `The price table ${data.priceTable} gives no discount at that price, so the price was ${euros(priceCents)}.`,
    'A discount lowers the price, never the tokens; the price excludes tax.',
  ];
  if (owedPaid > 0) lines.push(`${tokens(owedPaid)} paid what was owed before, and never reached the balance.`);
  const findings: string[] = [];
  if (priceTable.version !== data.priceTable) {
    lines.push(`That table is not at hand (PRICE_TABLE_PATH names another, or none), so the price was not made again.`);
  } else {
    const price = priceOf(priceTable, bought);
    if (price.priceCents !== priceCents)
      findings.push(`the price table makes it ${euros(price.priceCents)}, and ${euros(priceCents)} were recorded`);
  }
  return {
    summary: `${buyer} bought ${tokens(bought)} for ${euros(priceCents)}.`,
    sections: [{ heading: 'The price', lines }],
    findings,
  };
}
