import {
  type Considered,
  type EventOf,
  isBefore,
  isoInstant,
  oldestWindows,
  LATE_MS,
  AHEAD_MS,
  type Period,
  sumOf,
  tokensForCost,
  tokensForUnits,
  type WindowAfter,
  windowsAt,
} from '@ledger/wallet';
import type { Fault } from './finding';
import { limitOf, type OrganisationPolicy, statusOf, type Terms, usableOf } from './policies';
import type { Place, Surroundings } from './surroundings';
import { type Relationship, relationshipOf, type Touched, usedIn, type UserState } from './user-state';

/** The rules of draws: every usage is decided again, under the policies that it recorded. */

export function checkUsage(state: UserState, data: EventOf<'TokensUsed'>['data'], place: Place, around: Surroundings): Touched {
  const { fault, at, occurredAt } = place;
  const { tokens, charged, considered, freeMonth } = data;
  checkPriced(data, place, around);
  if (occurredAt > at + AHEAD_MS || occurredAt < at - LATE_MS)
    fault('late', 'occurredAt', `from ${isoInstant(at - LATE_MS)} to ${isoInstant(at + AHEAD_MS)}`, data.occurredAt);

  // What each source must have given: nothing, when the caller left it out, or all that it could.
  let open = tokens;
  let index = 0;
  let free = false;
  let purchased = false;
  if (charged[index]?.source === 'free') {
    free = true;
    const taken = charged[index]!.tokens;
    const wanted = Math.min(open, state.free);
    if (taken !== wanted) fault('draw', 'what was drawn from free tokens', wanted, taken);
    state.free -= taken;
    open -= taken;
    index += 1;
  }
  if (freeMonth !== (free ? state.month : undefined)) fault('draw', 'freeMonth', free ? state.month : 'left out', freeMonth);
  const touched: string[] = [];
  checkOrder(state, considered, place);
  for (const one of considered) {
    const charge = charged[index]?.organisationId === one.organisationId ? charged[index] : undefined;
    if (charge) index += 1;
    const taken = charge?.tokens ?? 0;
    if (taken !== one.tokens) fault('amounts', `what was charged to ${one.organisationId}`, one.tokens, taken);
    consider(state, one, open, occurredAt, place, around);
    if (one.tokens > 0) touched.push(one.organisationId);
    open -= taken;
  }
  if (charged[index]?.source === 'purchased') {
    purchased = true;
    const taken = charged[index]!.tokens;
    if (taken > state.purchased) fault('draw', 'what was drawn from purchased tokens', `at most ${state.purchased}`, taken);
    state.purchased -= taken;
    index += 1;
  }
  if (index < charged.length) fault('draw', 'the sources', 'free, allocated as considered, purchased', charged);
  const sum = sumOf(charged);
  if (sum !== tokens) fault('amounts', 'the sum of what is charged', tokens, sum);
  around.flows.usage.add(sum);
  return { free, purchased, allocated: touched };
}

function checkPriced(data: EventOf<'TokensUsed'>['data'], { fault, costUnits, costDecimals }: Place, { priceTables }: Surroundings): void {
  const { tokens } = data;
  if (costUnits > 0) for (const table of priceTables.values()) if (tokensForUnits(costUnits, costDecimals, table) === tokens) return;
  const { variableCostEuros } = data;
  if (variableCostEuros === undefined) return;
  for (const table of priceTables.values()) if (tokensForCost(variableCostEuros, table) === tokens) return;
  const [table] = priceTables.values();
  fault('usage-price', `the price of a cost of ${variableCostEuros} EUR`, table && tokensForCost(variableCostEuros, table), tokens);
}

/** Who is considered: in the order of the first allocation all that hold something, unless the caller named one. */
function checkOrder({ relationships }: UserState, considered: readonly Considered[], { fault }: Place): void {
  if (considered.length < 2) return;
  const holding: string[] = [];
  for (const [organisationId, { tokens }] of relationships) if (tokens > 0) holding.push(organisationId);
  const wanted = holding.slice(0, considered.length);
  if (wanted.length < considered.length || wanted.some((organisationId, index) => organisationId !== considered[index]!.organisationId))
    fault('draw', 'the organisations considered', wanted, considered.map(({ organisationId }) => organisationId)); // prettier-ignore
}

function consider(state: UserState, one: Considered, open: number, occurredAt: number, place: Place, around: Surroundings): void {
  const { fault } = place;
  const { organisationId, revision, tokens } = one;
  const relationship = relationshipOf(state, organisationId);
  const policy = (relationship.policy ??= around.policies.get(organisationId));
  const terms = policy && termsAt(policy, state.id, relationship, revision);
  if (!policy || !terms || revision > policy.revision || revision < relationship.policyRevision) {
    const last = relationship.policyRevision;
    fault(
      'policy-revision',
      `the revision of ${organisationId}`,
      policy ? `from ${Math.max(last, 0)} to ${policy.revision}` : 'one that was there',
      revision,
    );
  }
  relationship.policyRevision = Math.max(relationship.policyRevision, revision);
  if (terms) {
    if (one.status !== statusOf(terms))
      fault('policy', `the status in ${organisationId} at revision ${revision}`, statusOf(terms), one.status);
    if (one.usable !== usableOf(terms)) fault('policy', `usable in ${organisationId} at revision ${revision}`, usableOf(terms), one.usable);
  }
  const ids = terms && windowsAt(terms.timeZone, occurredAt);
  const { daily, monthly } = one.windows;
  if (terms && ids) {
    checkWindow(terms, 'daily', daily, ids.daily.window, one, fault);
    checkWindow(terms, 'monthly', monthly, ids.monthly.window, one, fault);
  }
  const leftOfDay = count(state, relationship, one, 'daily', daily, fault);
  const leftOfMonth = count(state, relationship, one, 'monthly', monthly, fault);
  const left = terms && !one.usable ? 0 : Math.min(leftOfDay, leftOfMonth);
  const wanted = Math.min(open, relationship.tokens, left);
  if (tokens !== wanted) fault('draw', `what was drawn from ${organisationId}`, wanted, tokens);
  relationship.tokens -= tokens;
  state.allocated -= tokens;
}

/** The limit is the one in force, and the window that of the instant. */
function checkWindow(
  terms: Terms,
  period: Period,
  { limit, window }: WindowAfter,
  id: string,
  { organisationId, revision }: Considered,
  fault: Fault,
): void {
  const wanted = limitOf(terms, 'usage', period);
  if (limit !== wanted) fault('policy', `the ${period} limit of ${organisationId} at revision ${revision}`, wanted, limit);
  if (window !== id) fault('window', `the ${period} window in ${terms.timeZone}`, id, window);
}

/** Counts the draw, and expects a LimitReached where it took the last of the limit. Answers what the limit left before it. */
function count(
  state: UserState,
  relationship: Relationship,
  { organisationId, tokens }: Considered,
  period: Period,
  { window, used, limit }: WindowAfter,
  fault: Fault,
): number {
  const before = usedIn(state, relationship, window) ?? 0;
  if (used !== before + tokens) fault('window', `what is used in ${window} of ${organisationId}`, before + tokens, used);
  if (tokens > 0) relationship.used.set(window, used);
  if (limit === null) return Infinity;
  if (tokens > 0) {
    if (used > limit) fault('limit', `what is used in ${window} of ${organisationId}`, `at most ${limit}`, used);
    if (limit - before === tokens && !relationship.reached.has(`${window}|${limit}`))
      state.reachedNext.push({ organisationId, period, window, limit });
  }
  return Math.max(0, limit - before);
}

/** What a revision that was read allowed never changes. */
function termsAt(policy: OrganisationPolicy, userId: string, relationship: Relationship, revision: number): Terms | undefined {
  if (relationship.terms && relationship.termsRevision === revision) return relationship.terms;
  const terms = policy.at(userId, revision);
  if (revision <= policy.revision) {
    relationship.terms = terms;
    relationship.termsRevision = revision;
  }
  return terms;
}

export function checkReached(state: UserState, data: EventOf<'LimitReached'>['data'], place: Place, { policies }: Surroundings): void {
  const { fault } = place;
  const { organisationId, period, window, limit, used, by } = data;
  const relationship = relationshipOf(state, organisationId);
  const next = state.reachedNext.shift();
  const isNext = next && next.organisationId === organisationId && next.window === window && next.limit === limit;
  if (by === 'draw' ? !isNext : next !== undefined)
    fault('limit-reached', 'the limit that was reached', next ?? 'none by a draw', { organisationId, window, limit });
  if ((period === 'daily') !== window.length > 7) fault('limit-reached', 'the window', `a ${period} one`, window);
  const oldest = oldestWindows(place.at);
  if (isBefore(window, oldest)) fault('window', 'the window', `${period === 'daily' ? oldest.daily : oldest.monthly} or later`, window);
  if (relationship.reached.has(`${window}|${limit}`))
    fault('limit-reached', `the limit ${limit} in ${window}`, 'recorded once', 'recorded before');
  relationship.reached.add(`${window}|${limit}`);
  const counted = usedIn(state, relationship, window) ?? 0;
  if (used !== counted) fault('window', `what is used in ${window} of ${organisationId}`, counted, used);
  if (by === 'refusal' && !policies.get(organisationId)?.everLimited(state.id, period, limit, relationship.policyRevision))
    fault('policy', `the ${period} limit of ${organisationId}`, 'one that was in force', limit);
}
