import type { Act, Accepted, Day } from '../day';
import { bodyOf, positionOf, Unexpected, type ReversalAnswer } from '../ledger-api';
import { choose } from '../random';
import type { Usage } from '../school';
import { keyOf, usageBody } from './converse';

const REPEATS = 20;
const REVERSALS = 5;

/** A caller that lost an answer asks again under the same key, and is told what it was told the first time. */
export const repeatKeys: Act = async (day) => {
  for (const accepted of some(day, REPEATS, 1)) {
    const path = `/users/${accepted.userId}/usages`;
    const answer = await day.platform.expect([201], 'POST', path, { body: usageBody(usageOf(day, accepted)), key: keyOf(accepted) });
    if (answer.headers['idempotency-replayed'] !== 'true' || answer.text !== accepted.text)
      throw new Unexpected(`Row ${accepted.row} was sent again and answered ${answer.text}, not ${accepted.text} as the first time.`);
  }
  const [accepted] = some(day, 1, 2);
  if (accepted)
    await day.platform.refused('KEY_REUSED', 'POST', `/users/${accepted.userId}/usages`, { body: { tokens: 1 }, key: keyOf(accepted) });
  day.tell(
    `${REPEATS} conversations are sent a second time: the same answers, nothing charged. A used key with another content is refused.`,
  );
};

/** A few usages were a mistake and go back to where they came from, once. */
export const reverseSome: Act = async (day) => {
  let tokens = 0;
  const chosen = some(day, REVERSALS, 3);
  for (const { userId, usageId } of chosen) {
    const path = `/users/${userId}/usages/${usageId}/reversal`;
    const answer = await day.platform.expect([201], 'POST', path, {
      body: { reason: 'the answer never arrived' },
      key: `reversal-${usageId}`,
    });
    const reversal = bodyOf<ReversalAnswer>(answer);
    day.tally.returned(userId, reversal.tokens, reversal.returned);
    tokens += reversal.tokens;
    await day.platform.refused('USAGE_ALREADY_REVERSED', 'POST', path, { body: {}, key: `reversal-${usageId}-again` });
    const position = positionOf(answer);
    if (position !== undefined) day.position = position;
  }
  day.tell(`${chosen.length} usages are reversed: ${tokens} tokens go back to where they came from, and only once.`);
};

/** Different ones for different purposes; never one twice. */
function some(day: Day, count: number, purpose: number): Accepted[] {
  const byRow = [...day.accepted].sort((a, b) => a.row - b.row);
  const chosen = new Set<Accepted>();
  for (let n = 0; n < count * 4 && chosen.size < Math.min(count, byRow.length); n++)
    chosen.add(byRow[choose(day.school.seed + purpose, n, byRow.length)]!);
  return [...chosen];
}

const usageOf = (day: Day, { row }: Accepted): Usage => day.school.usages[row - 1]!;
