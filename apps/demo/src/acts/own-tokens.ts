import type { Act } from '../day';
import { bodyOf, Unexpected, type PurchaseAnswer, type UserAnswer } from '../ledger-api';
import { euros } from '../price';
import { ALLOWANCE_TOKENS } from '../school';

/** Some members have free tokens each month. */
export const grantAllowances: Act = async (day) => {
  const { allowed } = day.school.cast;
  for (const userId of allowed) {
    const answer = await day.platform.expect([200], 'PUT', `/users/${userId}/free-allowance`, {
      body: { tokensPerMonth: ALLOWANCE_TOKENS },
    });
    day.tally.granted(userId, ALLOWANCE_TOKENS);
    const user = bodyOf<Partial<UserAnswer>>(answer);
    if (user.free && user.free.tokens !== ALLOWANCE_TOKENS)
      throw new Unexpected(`${userId} was granted ${ALLOWANCE_TOKENS} free tokens and has ${user.free.tokens}.`);
  }
  day.tell(`${allowed.length} members have ${ALLOWANCE_TOKENS} free tokens a month; what is left of them will lapse.`);
};

/** Some heavy members buy a package of their own, and go on when their school's limits are used up. */
export const buyOwnTokens: Act = async (day) => {
  const { buyers } = day.school.cast;
  const tokens = Math.max(200, day.school.dailyLimit * 2);
  let priceCents = 0;
  for (const userId of buyers) {
    const body = { tokens, paymentReference: `card-${userId}-1` };
    const bought = bodyOf<PurchaseAnswer>(await day.platform.expect([201], 'POST', `/users/${userId}/purchases`, { body, key: 'own-1' }));
    day.tally.purchasedBy({ user: userId }, bought.tokens);
    priceCents = bought.priceCents;
  }
  day.tell(`${buyers.join(', ')} buy ${tokens} tokens of their own for ${euros(priceCents)} each.`);
};
