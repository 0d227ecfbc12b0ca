import type { Act, Day } from '../day';
import { bodyOf, Unexpected, type LedgerApi, type OrganisationAnswer, type PurchaseAnswer, type QuoteAnswer } from '../ledger-api';
import { euros } from '../price';
import { debtPaid } from './bills';

/** First packages of the discounts: one token less costs more. */
const TIERS = [1_000, 5_000, 10_000, 50_000, 100_000, 500_000];

/** Two organisations in different time zones open their wallets. */
export const openOrganisations: Act = async (day) => {
  for (const { id, timeZone } of day.school.organisations) {
    const opened = bodyOf<OrganisationAnswer>(await day.platform.expect([201], 'PUT', `/organisations/${id}`, { body: { timeZone } }));
    if (opened.available !== 0 || opened.timeZone !== timeZone)
      throw new Unexpected(`${id} opened with ${opened.available} tokens in ${opened.timeZone}.`);
    day.tell(`${id} opens a wallet; its days and months are those of ${timeZone}.`);
  }
};

/** Each asks for what it needs, is told that a slightly larger package costs less, and buys that. */
export const buyPackages: Act = async (day) => {
  for (const organisation of day.school.organisations) {
    const tokens = await askForQuote(day, organisation.id, tokensNeeded(day, organisation.id));
    await buy(day, organisation.id, tokens);
  }
};

function tokensNeeded(day: Day, organisationId: string): number {
  const { organisations, tokensPerMember, demand, cast } = day.school;
  const { members } = organisations.find(({ id }) => id === organisationId)!;
  const extra = members.includes(cast.unlimited) ? demand.get(cast.unlimited)! : 0;
  return members.length * tokensPerMember + extra + tokensPerMember + owedBy(day, organisationId);
}

async function askForQuote(day: Day, organisationId: string, needed: number): Promise<number> {
  const tier = TIERS.find((tokens) => tokens > needed);
  const asked = tier ? tier - 1 : needed;
  const quote = bodyOf<QuoteAnswer>(await day.platform.expect([200], 'POST', '/pricing/quote', { body: { tokens: asked } }));
  if (!quote.better) {
    if (tier) throw new Unexpected(`A quote for ${asked} tokens should have said that ${tier} cost no more.`);
    return asked;
  }
  day.tell(
    `${organisationId} asks for ${asked.toLocaleString('en')} tokens: ${euros(quote.priceCents)}; ` +
      `the quote says that ${quote.better.tokens.toLocaleString('en')} cost only ${euros(quote.better.priceCents)}.`,
  );
  return quote.better.tokens;
}

/** A package pays what is owed for bills before anything reaches the balance. */
const owedBy = ({ tally }: Day, organisationId: string): number => tally.books.owed.get(`organisation ${organisationId}`) ?? 0;

async function buy(day: Day, organisationId: string, tokens: number): Promise<void> {
  const path = `/organisations/${organisationId}/purchases`;
  const body = { tokens, paymentReference: `invoice-${organisationId}-1`, purchasedBy: 'school office' };
  const bought = bodyOf<PurchaseAnswer>(await day.platform.expect([201], 'POST', path, { body, key: 'package-1' }));
  const owed = owedBy(day, organisationId);
  if (bought.tokens !== tokens || bought.owedPaid !== owed || bought.available !== tokens - owed)
    throw new Unexpected(`${organisationId} owed ${owed} tokens, bought ${tokens} and has ${bought.available}.`);
  day.tally.purchasedBy({ organisation: organisationId }, tokens, bought.owedPaid);
  debtPaid(day, organisationId, bought.owedPaid);
  await day.platform.refused('PAYMENT_REFERENCE_USED', 'POST', path, { body, key: 'package-1-again' });
  await adminMayNotBuy(day.admins.get(organisationId)!, path);
  day.tell(
    `It buys ${tokens.toLocaleString('en')} for ${euros(bought.priceCents)} (list price ${euros(bought.listPriceCents)}, ` +
      `${bought.discountPercent} % off). The same payment a second time is refused, and so is its own admin: only payments mint tokens.`,
  );
}

const adminMayNotBuy = (admin: LedgerApi, path: string) =>
  admin.refused('FORBIDDEN', 'POST', path, { body: { tokens: 200, paymentReference: 'a-click' }, key: 'a-click' });
