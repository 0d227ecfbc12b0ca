import type { Act, Day } from '../day';
import { inFlight } from '../in-flight';
import { bodyOf, problemOf, unexpected, Unexpected, type UsageAnswer } from '../ledger-api';
import { percentile } from '../percentile';
import type { Usage } from '../school';

export const IN_FLIGHT = 32;
/** What a conversation may be refused for on this day. */
const REFUSALS = ['LIMIT_EXCEEDED', 'INSUFFICIENT_TOKENS', 'MEMBER_SUSPENDED'];

export const keyOf = (usage: { row: number }): string => `conversation-${usage.row}`;
export const usageBody = (usage: Usage) => ({
  variableCostEuros: usage.variableCostEuros,
  service: 'tutor-chat',
  reference: `conversation-${usage.row}`,
});

/** Every conversation is charged to its member, many at once over kept connections. */
export const converse: Act = async (day) => {
  const { usages } = day.school;
  const milliseconds: number[] = [];
  const began = performance.now();
  await inFlight(usages, IN_FLIGHT, async (usage) => {
    milliseconds.push(await charge(day, usage));
  });
  const seconds = (performance.now() - began) / 1000;
  day.rates = {
    ...day.rates,
    usages: usages.length,
    usagesPerSecond: Math.round(usages.length / seconds),
    p50: percentile(milliseconds, 50),
    p99: percentile(milliseconds, 99),
  };
  const refused = usages.length - day.tally.usageCount;
  day.tell(
    `${usages.length.toLocaleString('en')} conversations are charged: ${day.tally.usageCount.toLocaleString('en')} accepted ` +
      `for ${day.tally.books.spent.toLocaleString('en')} tokens, ${refused.toLocaleString('en')} refused.`,
  );
};

async function charge(day: Day, usage: Usage): Promise<number> {
  const path = `/users/${usage.userId}/usages`;
  const answer = await day.platform.ask('POST', path, { body: usageBody(usage), key: keyOf(usage) });
  if (answer.status !== 201) {
    const problem = problemOf(answer);
    if (!REFUSALS.includes(problem.code)) throw unexpected(`POST ${path}`, `201 or one of ${REFUSALS.join(', ')}`, answer);
    day.tally.refused(problem);
    return answer.milliseconds;
  }
  const { usageId, tokens, charged } = bodyOf<UsageAnswer>(answer);
  const sum = charged.reduce((total, part) => total + part.tokens, 0);
  if (tokens !== usage.tokens || sum !== tokens)
    throw new Unexpected(
      `Row ${usage.row} costs ${usage.tokens} tokens (${usage.variableCostEuros} EUR); the answer says ${tokens} and charges ${sum}.`,
    );
  day.tally.charged(usage.userId, tokens, charged);
  day.accepted.push({ row: usage.row, userId: usage.userId, usageId, tokens, text: answer.text });
  return answer.milliseconds;
}
