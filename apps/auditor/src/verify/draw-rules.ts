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
  windowsAt,
} from '@ledger/wallet';
import { limitOf, statusOf, usableOf } from './policies';
import type { Place, Surroundings } from './surroundings';
import { pruneCounters, type Relationship, relationshipOf, type Touched, type UserState } from './user-state';

/** The rules of draws: every usage is decided again, under the policies that it recorded. */

const PERIODS: readonly Period[] = ['daily', 'monthly'];

export function checkUsage(state: UserState, data: EventOf<'TokensUsed'>['data'], place: Place, around: Surroundings): Touched {
  const { fault, position, at } = place;
  const { usageId, tokens, charged, considered, freeMonth } = data;
  around.entries.add('usage', position, 0, usageId);
  checkPriced(data, place, around);
  const occurredAt = Date.parse(data.occurredAt);
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
  if (sumOf(charged) !== tokens) fault('amounts', 'the sum of what is charged', tokens, sumOf(charged));
  around.flows.usage.add(sumOf(charged));
  return { free, purchased, allocated: touched };
}

function checkPriced({ variableCostEuros, tokens }: EventOf<'TokensUsed'>['data'], { fault }: Place, { priceTables }: Surroundings): void {
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
  const policy = around.policies.get(organisationId);
  const terms = policy?.at(state.id, revision);
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
  let left = Infinity;
  if (terms) {
    if (one.status !== statusOf(terms))
      fault('policy', `the status in ${organisationId} at revision ${revision}`, statusOf(terms), one.status);
    if (one.usable !== usableOf(terms)) fault('policy', `usable in ${organisationId} at revision ${revision}`, usableOf(terms), one.usable);
    if (!one.usable) left = 0;
  }
  const ids = terms && windowsAt(terms.timeZone, occurredAt);
  for (const period of PERIODS) {
    const { window, used, limit } = one.windows[period];
    if (terms && ids) {
      const wanted = limitOf(terms, 'usage', period);
      if (limit !== wanted) fault('policy', `the ${period} limit of ${organisationId} at revision ${revision}`, wanted, limit);
      if (window !== ids[period].window) fault('window', `the ${period} window in ${terms.timeZone}`, ids[period].window, window);
    }
    const before = relationship.used.get(window) ?? 0;
    if (used !== before + tokens) fault('window', `what is used in ${window} of ${organisationId}`, before + tokens, used);
    if (tokens > 0 && limit !== null && used > limit)
      fault('limit', `what is used in ${window} of ${organisationId}`, `at most ${limit}`, used);
    if (limit !== null) left = Math.min(left, Math.max(0, limit - before));
    if (tokens > 0) note(state, relationship, one, period, before);
  }
  const wanted = Math.min(open, relationship.tokens, left);
  if (tokens !== wanted) fault('draw', `what was drawn from ${organisationId}`, wanted, tokens);
  relationship.tokens -= tokens;
  state.allocated -= tokens;
}

/** Counts the draw, and expects a LimitReached where it took the last of a limit. */
function note(state: UserState, relationship: Relationship, one: Considered, period: Period, before: number): void {
  const { window, limit, used } = one.windows[period];
  relationship.used.set(window, used);
  if (limit === null || limit - before !== one.tokens || relationship.reached.has(`${window}|${limit}`)) return;
  state.reachedNext.push({ organisationId: one.organisationId, period, window, limit });
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
  const counted = relationship.used.get(window) ?? 0;
  if (used !== counted) fault('window', `what is used in ${window} of ${organisationId}`, counted, used);
  if (by === 'refusal' && !policies.get(organisationId)?.everLimited(state.id, period, limit, relationship.policyRevision))
    fault('policy', `the ${period} limit of ${organisationId}`, 'one that was in force', limit);
}

/** What can be said without the usage itself; `join.ts` compares the two. */
export function checkReversal(
  state: UserState,
  data: EventOf<'UsageReversed'>['data'],
  place: Place,
  { entries, flows }: Surroundings,
): Touched {
  const { fault } = place;
  const { usageId, tokens, returned, lapsed, windows } = data;
  // Counters of windows before this day were dropped, so those could not be given back.
  entries.add('reversal', place.position, Number(state.keptSince.replaceAll('-', '')), usageId);
  if (sumOf(returned) + lapsed !== tokens) fault('amounts', 'what is returned and lapsed together', tokens, sumOf(returned) + lapsed);
  const back = new Map<string, number>();
  let free = false;
  let purchased = false;
  for (const { source, organisationId = '', tokens: each } of returned) {
    if (source === 'free') {
      free = true;
      state.free += each;
    } else if (source === 'purchased') {
      purchased = true;
      state.purchased += each;
    } else {
      back.set(organisationId, each);
      relationshipOf(state, organisationId).tokens += each;
      state.allocated += each;
    }
  }
  for (const { organisationId, window, used } of windows) {
    const before = relationshipOf(state, organisationId).used.get(window);
    const wanted = Math.max(0, (before ?? 0) - (back.get(organisationId) ?? 0));
    if (before === undefined || used !== wanted) fault('window', `what is used in ${window} of ${organisationId}`, wanted, used);
  }
  // Decided before old counters are dropped, counted after it: as the ledger does.
  pruneCounters(state, data.at, place.at);
  for (const { organisationId, window, used } of windows) relationshipOf(state, organisationId).used.set(window, used);
  flows.usage.add(-tokens);
  flows.lapsed.add(lapsed);
  return { free, purchased, allocated: [...back.keys()] };
}
