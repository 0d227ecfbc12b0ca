import { type Counters, isBefore, oldestWindows, prune, type UserBalance } from '@ledger/wallet';
import type { Link } from './chain';
import type { Fault } from './finding';
import type { Seed } from './fingerprint';
import type { OrganisationPolicy, Terms } from './policies';

/** A user's wallet as its events tell it: what the rules compare the next event with. */

export interface Relationship {
  tokens: number;
  /** Running number of the last allocation received. */
  received: number;
  /** Used, by window. */
  used: Counters;
  /** Counters that a reversal brought back although their windows are dropped; the next day drops them again. */
  broughtBack: Counters | undefined;
  /** Limits recorded as reached, as `window|limit`. */
  reached: Set<string>;
  policyRevision: number;
  policy: OrganisationPolicy | undefined;
  /** The terms of the last draw, which the next one mostly names again. */
  terms: Terms | undefined;
  termsRevision: number;
}

/** A LimitReached that must come next. */
export interface ReachedNext {
  organisationId: string;
  period: string;
  window: string;
  limit: number;
}

export interface UserState {
  kind: 'user';
  id: string;
  link: Link;
  opened: boolean;
  /** Of the last event, in epoch ms: its text would keep the whole text around it in memory. */
  at: number;
  /** Of the last event; 0 before the first. */
  position: number;
  free: number;
  month: string;
  granted: number;
  tokensPerMonth: number;
  purchased: number;
  purchasedTotal: number;
  owed: number;
  carriedPico: bigint;
  allocated: number;
  relationships: Map<string, Relationship>;
  /** The one that the last event was about, which the next one is mostly about too. */
  lastOrganisationId: string;
  lastRelationship: Relationship | undefined;
  reachedNext: ReachedNext[];
  lastKey: LastKey | undefined;
  /** Where the fingerprints of its keys begin. */
  keys: Seed | undefined;
  /** A storage day that was declined just now; its BillDeclined may follow. */
  declinedDay: DeclinedDay | undefined;
  prunedDay: string;
  /** The first day whose counters were kept when they were dropped last. */
  keptSince: string;
  keptSinceMonth: string;
  /** Days since dropped counters were looked for. */
  unswept: number;
  /** Where counters were brought back today. */
  broughtBackIn: Relationship[];
}

/** The result of the last event's key, for several events in a row may be one result. */
export interface LastKey {
  key: string;
  contentHash: string | undefined;
  result: string;
  revision: number;
}

export interface DeclinedDay {
  month: string;
  tokens: number;
  missing: number;
}

/** Before every instant that a fact can carry. */
export const FIRST_AT = Date.parse('0000-01-01T00:00:00.000Z');

export const newUser = (id: string, link: Link): UserState => ({
  kind: 'user',
  id,
  link,
  opened: false,
  at: FIRST_AT,
  position: 0,
  free: 0,
  month: '',
  granted: 0,
  tokensPerMonth: 0,
  purchased: 0,
  purchasedTotal: 0,
  owed: 0,
  carriedPico: 0n,
  allocated: 0,
  relationships: new Map(),
  lastOrganisationId: '',
  lastRelationship: undefined,
  reachedNext: [],
  lastKey: undefined,
  keys: undefined,
  declinedDay: undefined,
  prunedDay: 'never',
  keptSince: '0000-00-00',
  keptSinceMonth: '0000-00',
  unswept: 0,
  broughtBackIn: [],
});

export const newRelationship = (): Relationship => ({
  tokens: 0,
  received: 0,
  used: new Map(),
  broughtBack: undefined,
  reached: new Set(),
  policyRevision: -1,
  policy: undefined,
  terms: undefined,
  termsRevision: -1,
});

export function relationshipOf(state: UserState, organisationId: string): Relationship {
  if (state.lastRelationship && state.lastOrganisationId === organisationId) {
    // The same text in the same place next time, which is compared at once.
    state.lastOrganisationId = organisationId;
    return state.lastRelationship;
  }
  let relationship = state.relationships.get(organisationId);
  if (!relationship) {
    relationship = newRelationship();
    state.relationships.set(organisationId, relationship);
  }
  state.lastOrganisationId = organisationId;
  state.lastRelationship = relationship;
  return relationship;
}

/** Buckets that an event must name. */
export interface Touched {
  free?: boolean;
  purchased?: boolean;
  allocated?: readonly string[];
}

/**
 * Compares what the event says of the wallet after it with the state, which the event has been applied to. Where they differ the
 * state takes over what was said: one wrong number is one finding, not one for every event behind it.
 */
export function checkBalance(state: UserState, after: UserBalance, touched: Touched, fault: Fault): void {
  if (after.free) {
    if (after.free.tokens !== state.free) fault('balance', 'balanceAfter.free.tokens', state.free, after.free.tokens);
    if (after.free.month !== state.month) fault('balance', 'balanceAfter.free.month', state.month, after.free.month);
    state.free = after.free.tokens;
    state.month = after.free.month;
  } else if (touched.free) fault('balance', 'balanceAfter.free', { month: state.month, tokens: state.free }, undefined);
  if (after.purchased !== undefined) {
    if (after.purchased !== state.purchased) fault('balance', 'balanceAfter.purchased', state.purchased, after.purchased);
    state.purchased = after.purchased;
  } else if (touched.purchased) fault('balance', 'balanceAfter.purchased', state.purchased, undefined);
  if (after.allocated) for (const { organisationId, tokens } of after.allocated) checkAllocated(state, organisationId, tokens, fault);
  if (touched.allocated) for (const organisationId of touched.allocated) mustName(after, organisationId, state, fault);
  const balance = state.free + state.purchased + state.allocated;
  if (after.balance !== balance) fault('balance', 'balanceAfter.balance', balance, after.balance);
  if (state.free < 0) fault('negative', 'the free tokens', 'at least 0', state.free);
  if (state.purchased < 0) fault('negative', 'the purchased tokens', 'at least 0', state.purchased);
}

function checkAllocated(state: UserState, organisationId: string, tokens: number, fault: Fault): void {
  const relationship = relationshipOf(state, organisationId);
  if (relationship.tokens !== tokens) fault('balance', `balanceAfter.allocated of ${organisationId}`, relationship.tokens, tokens);
  if (tokens < 0) fault('negative', `the tokens of ${organisationId}`, 'at least 0', tokens);
  state.allocated += tokens - relationship.tokens;
  relationship.tokens = tokens;
}

function mustName(after: UserBalance, organisationId: string, state: UserState, fault: Fault): void {
  let named = 0;
  if (after.allocated) for (const one of after.allocated) if (one.organisationId === organisationId) named += 1;
  if (named === 1) return;
  const wanted = state.relationships.get(organisationId)?.tokens ?? 0;
  fault('balance', `balanceAfter.allocated of ${organisationId}`, `${wanted}, once`, `${named} times there`);
}

/**
 * As the ledger drops counters, so that memory is bounded by wallets and not by the days that they lived. Which are dropped is known at
 * once by `keptSince`; looking for them each day costs as much as a rule, so that is done now and then.
 */
export function pruneCounters(state: UserState, day: string, instant: number): void {
  if (day === state.prunedDay) return;
  state.prunedDay = day;
  const oldest = oldestWindows(instant);
  state.keptSince = oldest.daily;
  state.keptSinceMonth = oldest.monthly;
  for (const relationship of state.broughtBackIn) relationship.broughtBack = undefined;
  state.broughtBackIn = [];
  if ((state.unswept += 1) < SWEPT_AFTER) return;
  state.unswept = 0;
  for (const { used, reached } of state.relationships.values()) {
    prune(used, instant);
    for (const entry of reached) if (isBefore(entry.slice(0, entry.indexOf('|')), oldest)) reached.delete(entry);
  }
}

/** Days of a wallet. */
const SWEPT_AFTER = 8;

/** What is used in a window; undefined when nothing ever was, or its counter was dropped. */
export function usedIn(state: UserState, { used, broughtBack }: Relationship, window: string): number | undefined {
  return isDropped(state, window) ? broughtBack?.get(window) : used.get(window);
}

/** What a reversal leaves in a window. The ledger counts it also where the new day has just dropped the counter. */
export function giveBack(state: UserState, relationship: Relationship, window: string, used: number): void {
  if (!isDropped(state, window)) {
    relationship.used.set(window, used);
    return;
  }
  if (relationship.broughtBack === undefined) state.broughtBackIn.push(relationship);
  (relationship.broughtBack ??= new Map()).set(window, used);
}

const isDropped = ({ keptSince, keptSinceMonth }: UserState, window: string): boolean =>
  isBefore(window, { daily: keptSince, monthly: keptSinceMonth });
