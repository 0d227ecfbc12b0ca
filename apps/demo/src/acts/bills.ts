import type { Act, Day } from '../day';
import { bodyOf, positionOf, Unexpected, type BillAnswer, type PurchaseAnswer, type UserAnswer } from '../ledger-api';
import type { Organisation } from '../school';
import type { Owner } from '../tally';

/** What the platform bills: hosting of last month, storage of the two days before this one. */

const DAY_MS = 86_400_000;
const MEMBERS_PER_COURSE = 30;
const PACKAGE_MIN = 200;
const GIGABYTE = 1_000_000_000;

/** Whole days back from now, as UTC names them: over in nearly every zone, and never more than 72 h ago in any. */
const dayBefore = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
const lastMonth = (): string => new Date(Date.parse(`${dayBefore(0).slice(0, 7)}-01`) - DAY_MS).toISOString().slice(0, 7);

/** The second school comes with a bill of last month before it has bought anything: declined, then owed. */
export const billLastMonth: Act = async (day) => {
  const { id } = day.school.organisations[1]!;
  const owner = { organisation: id };
  const plan = { campuses: [140, 80], courses: Array<number>(8).fill(MEMBERS_PER_COURSE) };
  const declined = await bill(day, owner, { ...plan, onShortfall: 'decline' }, 'hosting-1');
  if (!declined.declined || declined.chargedTokens !== 0) throw new Unexpected(`${id} has nothing, and was charged for its hosting.`);
  const again = { body: hostingOf({ ...plan, onShortfall: 'decline' }), key: 'hosting-2' };
  await day.platform.refused('INSUFFICIENT_TOKENS', 'POST', `${pathOf(owner)}/bills`, again);
  const owing = await bill(day, owner, { ...plan, onShortfall: 'owe' }, 'hosting-3');
  if (owing.chargedTokens !== 0 || owing.owedTokens !== 2_300)
    throw new Unexpected(`${id} should owe 2,300 tokens, and owes ${owing.owedTokens}.`);
  day.tell(
    `${id} cannot pay 2,300 tokens for its hosting of ${lastMonth()}: declined, and the month stays open. Billed again it owes them, ` +
      'and its first package will pay them first.',
  );
};

/** When the day is over, the first school pays its hosting and both pay for two days of storage. */
export const billOrganisations: Act = async (day) => {
  const [payer, other] = day.school.organisations as [Organisation, Organisation];
  const owner = { organisation: payer.id };
  const plan = { campuses: [180, 120], courses: Array<number>(6).fill(MEMBERS_PER_COURSE) };
  await buy(day, owner, 3_000, `invoice-${payer.id}-2`);
  const hosting = await bill(day, owner, { ...plan, onShortfall: 'decline' }, 'hosting-1');
  if (hosting.declined || hosting.chargedTokens !== 2_100) throw new Unexpected(`${payer.id} should have paid 2,100 tokens for hosting.`);
  const again = { body: hostingOf({ ...plan, onShortfall: 'owe' }), key: 'hosting-2' };
  await day.platform.refused('BILL_EXISTS', 'POST', `${pathOf(owner)}/bills`, again);
  for (const { id } of [payer, other]) {
    const first = await store(day, { organisation: id }, { day: dayBefore(2), bytes: 120 * GIGABYTE, onShortfall: 'owe' });
    const second = await store(day, { organisation: id }, { day: dayBefore(1), bytes: 120 * GIGABYTE, onShortfall: 'owe' });
    const charged = first.chargedTokens + first.owedTokens + second.chargedTokens + second.owedTokens;
    if (charged !== 31 || second.carriedTokens !== '0.654')
      throw new Unexpected(`Two days of 120 GB are 31.654 tokens; ${id} was charged ${charged} and carries ${second.carriedTokens}.`);
  }
  day.tell(
    `${payer.id} pays 2,100 tokens for its hosting of ${lastMonth()}, once; both pay 31 for two days of 120 GB, and 0.654 is carried on.`,
  );
};

/** Some members have a school of their own on the platform: one pays with free tokens, one cannot, one owes. */
export const billMembers: Act = async (day) => {
  const { allowed, newcomers } = day.school.cast;
  const [thrifty, poor, debtor] = [allowed.at(-1)!, newcomers[0]!, newcomers[1]!];
  await bill(day, { user: thrifty }, { campuses: [4], courses: [3, 3, 3, 1], onShortfall: 'owe' }, 'hosting-1');

  const declined = await store(day, { user: poor }, { day: dayBefore(1), bytes: 20 * GIGABYTE, onShortfall: 'decline' });
  const blocked = bodyOf<UserAnswer>(await day.platform.expect([200], 'GET', `/users/${poor}`, rest(day)));
  if (!declined.declined || !blocked.storageDeclined) throw new Unexpected(`${poor} has no tokens, and was charged for storage.`);

  const owing = await bill(day, { user: debtor }, { campuses: [2, 5], courses: [], onShortfall: 'owe' }, 'hosting-1');
  const bought = await buy(day, { user: debtor }, PACKAGE_MIN, `card-${debtor}-1`);
  if (owing.owedTokens !== 50 || bought.owedPaid !== 50)
    throw new Unexpected(`${debtor} owed ${owing.owedTokens} tokens, and the package paid ${bought.owedPaid} of them.`);
  await store(day, { user: debtor }, { day: dayBefore(1), bytes: 12 * GIGABYTE, onShortfall: 'decline' });
  day.tell(
    `${thrifty} is billed for a fourth course, free tokens first. The storage of ${poor} is declined: uploads can be blocked on it. ` +
      `${debtor} owes 50 tokens, and the next card pays them first.`,
  );
};

type Plan = { campuses: number[]; courses: number[]; onShortfall: 'decline' | 'owe' };
const hostingOf = (plan: Plan) => ({ kind: 'hosting', month: lastMonth(), ...plan });
const pathOf = (owner: Owner): string => ('organisation' in owner ? `/organisations/${owner.organisation}` : `/users/${owner.user}`);
const nameOf = (owner: Owner): string => ('organisation' in owner ? owner.organisation : owner.user);
const rest = ({ position }: Day) => (position === undefined ? {} : { position });

async function bill(day: Day, owner: Owner, plan: Plan, key: string): Promise<BillAnswer> {
  return billed(day, owner, `hosting of ${lastMonth()}`, await command(day, `${pathOf(owner)}/bills`, hostingOf(plan), key));
}

async function store(day: Day, owner: Owner, body: { day: string; bytes: number; onShortfall: 'decline' | 'owe' }): Promise<BillAnswer> {
  const what = `${body.bytes / GIGABYTE} GB on ${body.day}`;
  return billed(day, owner, what, await command(day, `${pathOf(owner)}/storage`, body, `storage-${body.day}`));
}

async function buy(day: Day, owner: Owner, tokens: number, paymentReference: string): Promise<PurchaseAnswer> {
  const bought = await command<PurchaseAnswer>(day, `${pathOf(owner)}/purchases`, { tokens, paymentReference }, paymentReference);
  day.tally.purchasedBy(owner, tokens, bought.owedPaid);
  debtPaid(day, nameOf(owner), bought.owedPaid);
  return bought;
}

/** A line for a debt that a package paid, if there was one. */
export function debtPaid(day: Day, owner: string, owedPaid: number): void {
  if (owedPaid > 0) day.bills.push({ owner, what: 'a package pays the debt', paid: owedPaid, owed: -owedPaid, outcome: 'paid' });
}

function billed(day: Day, owner: Owner, what: string, answer: BillAnswer): BillAnswer {
  const { chargedTokens, owedTokens, declined, tokens, accruedTokens } = answer;
  day.tally.billed(owner, answer);
  const outcome = declined ? 'declined' : owedTokens > 0 ? 'owed' : 'paid';
  day.bills.push({ owner: nameOf(owner), what, costs: tokens ?? accruedTokens ?? 0, paid: chargedTokens, owed: owedTokens, outcome });
  return answer;
}

async function command<Body = BillAnswer>(day: Day, path: string, body: object, key: string): Promise<Body> {
  const answer = await day.platform.expect([201], 'POST', path, { body, key });
  const position = positionOf(answer);
  if (position !== undefined) day.position = position;
  return bodyOf<Body>(answer);
}
