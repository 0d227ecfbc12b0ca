import { type Counters, isTimeZone, type OrganisationBalance, type OrganisationEvent, type Period, prune, windowsAt } from '@ledger/wallet';
import { checkBill } from './bill-rules';
import type { Link } from './chain';
import type { Fault } from './finding';
import { limitOf, type OrganisationPolicy } from './policies';
import { checkPurchase } from './purchase-rules';
import type { Place, Surroundings } from './surroundings';
import { type DeclinedDay, FIRST_AT, type LastKey } from './user-state';

/** An organisation's wallet as its events tell it. Who may what is in its policy, which draws look at too. */
export interface OrganisationState {
  kind: 'organisation';
  id: string;
  link: Link;
  policy: OrganisationPolicy;
  opened: boolean;
  /** Of the last event, in epoch ms: its text would keep the whole text around it in memory. */
  at: number;
  /** Of the last event; 0 before the first. */
  position: number;
  available: number;
  purchasedTotal: number;
  owed: number;
  carriedPico: bigint;
  declinedDay: DeclinedDay | undefined;
  members: Map<string, Allocated>;
  parts: Parts | undefined;
  lastKey: LastKey | undefined;
  prunedDay: string;
}

/** What a member was allocated. */
export interface Allocated {
  number: number;
  counters: Counters;
}

/** An allocation of which parts are still to come. */
export interface Parts {
  allocationId: string;
  part: number;
  parts: number;
  tokens: number;
  lines: number;
  tokensTotal: number;
  lineCount: number;
}

export const newOrganisation = (id: string, link: Link, policy: OrganisationPolicy): OrganisationState => ({
  kind: 'organisation',
  id,
  link,
  policy,
  opened: false,
  at: FIRST_AT,
  position: 0,
  available: 0,
  purchasedTotal: 0,
  owed: 0,
  carriedPico: 0n,
  declinedDay: undefined,
  members: new Map(),
  parts: undefined,
  lastKey: undefined,
  prunedDay: 'never',
});

const PERIODS: readonly Period[] = ['daily', 'monthly'];

/** Judges one event of an organisation by the wallet before it, and applies it; its policy has not heard of it yet. */
export function checkOrganisationEvent(state: OrganisationState, event: OrganisationEvent, place: Place, around: Surroundings): void {
  const { fault } = place;
  const opens = event.type === 'OrganisationWalletOpened';
  if (opens === state.opened)
    fault('opened', 'the event', state.opened ? 'one of a wallet that is open' : 'OrganisationWalletOpened', event.type);
  state.opened = true;
  if (state.parts && event.type !== 'TokensAllocated') missingParts(state, place);
  if (event.type !== 'BillDeclined') state.declinedDay = undefined;
  pruneAllocated(state, event.data.at, place.at);
  switch (event.type) {
    case 'OrganisationWalletOpened':
      if (event.data.organisationId !== state.id) fault('opened', 'organisationId', state.id, event.data.organisationId);
      checkZone(event.data.timeZone, fault);
      break;
    case 'TimeZoneSet':
      checkZone(event.data.timeZone, fault);
      break;
    case 'TokensPurchased':
      state.available += checkPurchase(state, event.data, place, around);
      break;
    case 'MemberPermitted':
    case 'MemberResumed':
    case 'MemberSuspended':
    case 'MemberRemoved':
      checkMembers(state, event, place);
      break;
    case 'LimitSet':
      for (const { userId } of event.data.overrides ?? []) mustKnow(state, userId, place);
      if ((event.data.default === undefined) === (event.data.overrides === undefined))
        fault('member', 'what the limits are set of', 'the default or members', event.data);
      break;
    case 'LimitCleared':
      for (const userId of event.data.userIds) mustKnow(state, userId, place);
      break;
    case 'TokensAllocated':
      checkAllocation(state, event.data, place, around);
      break;
    case 'BillCharged':
    case 'BillDeclined':
    case 'StorageAccrued':
      for (const { tokens } of checkBill(state, [{ source: 'purchased', tokens: state.available }], event, place, around))
        state.available -= tokens;
      break;
    default:
      return event satisfies never;
  }
  if ('balanceAfter' in event.data) checkBalance(state, event.data.balanceAfter, fault);
}

export function checkOrganisationEnd(state: OrganisationState, place: Place): void {
  if (state.parts) missingParts(state, place);
}

function missingParts(state: OrganisationState, { fault }: Place): void {
  const { allocationId, part, parts } = state.parts!;
  fault('allocation', `what follows part ${part} of allocation ${allocationId}`, `part ${part + 1} of ${parts}`, 'something else');
  state.parts = undefined;
}

function checkZone(timeZone: string, fault: Fault): void {
  if (!isTimeZone(timeZone)) fault('window', 'the time zone', 'the name of an IANA zone', timeZone);
}

function checkBalance(state: OrganisationState, { available, balance }: OrganisationBalance, fault: Fault): void {
  if (available !== state.available) fault('balance', 'balanceAfter.available', state.available, available);
  if (balance !== available) fault('balance', 'balanceAfter.balance', available, balance);
  if (available < 0) fault('negative', 'the available tokens', 'at least 0', available);
  state.available = available;
}

type MemberEvent = Extract<OrganisationEvent, { type: `Member${string}` }>;

function checkMembers({ policy }: OrganisationState, { type, data }: MemberEvent, { fault }: Place): void {
  if (new Set(data.userIds).size !== data.userIds.length) fault('member', 'the members', 'each named once', data.userIds);
  for (const userId of data.userIds) {
    const before = policy.member(userId)?.status;
    if (type === 'MemberRemoved' && before === undefined) fault('member', `the status of ${userId} before it`, 'that of a member', before);
    if (type === 'MemberResumed' && before !== 'suspended') fault('member', `the status of ${userId} before it`, 'suspended', before);
    if (type === 'MemberPermitted' && before === 'suspended') fault('member', `the status of ${userId} before it`, 'not suspended', before);
  }
}

function mustKnow({ policy }: OrganisationState, userId: string, { fault }: Place): void {
  if (!policy.member(userId)) fault('member', `the member ${userId}`, 'known before it', 'unknown');
}

function checkAllocation(
  state: OrganisationState,
  data: Extract<OrganisationEvent, { type: 'TokensAllocated' }>['data'],
  place: Place,
  around: Surroundings,
): void {
  const { fault, position } = place;
  const { allocationId, tokens, windows, lines, reached } = data;
  checkParts(state, data, place);
  if (data.part === 1) around.entries.add('id', position, 0, 'allocation', allocationId);
  const terms = state.policy.at('', state.policy.revision);
  const ids = terms && windowsAt(terms.timeZone, place.at);
  for (const period of PERIODS) {
    if (ids && windows[period] !== ids[period].window)
      fault('window', `the ${period} window in ${terms.timeZone}`, ids[period].window, windows[period]);
  }
  let sum = 0;
  const wanted: Record<Period, number[]> = { daily: [], monthly: [] };
  lines.forEach(([userId, moved, number], index) => {
    sum += moved;
    const member = memberOf(state, userId);
    const now = state.policy.at(userId, state.policy.revision);
    if (now?.member?.status !== 'permitted')
      fault('allocation', `the status of ${userId}`, 'permitted', now?.member?.status ?? 'no member');
    if (number !== member.number + 1) fault('number', `the number of the line of ${userId}`, member.number + 1, number);
    member.number = number;
    around.entries.add('line', position, moved, state.id, userId, String(number), allocationId);
    for (const period of PERIODS) {
      const window = windows[period];
      const used = (member.counters.get(window) ?? 0) + moved;
      member.counters.set(window, used);
      const limit = now ? limitOf(now, 'allocation', period) : null;
      if (limit !== null && used > limit) fault('limit', `what is allocated to ${userId} in ${window}`, `at most ${limit}`, used);
      if (used === limit) wanted[period].push(index);
    }
  });
  for (const period of PERIODS) {
    const said = reached?.[period] ?? [];
    if (said.join() !== wanted[period].join()) fault('limit-reached', `the lines that reached the ${period} limit`, wanted[period], said);
  }
  if (sum !== tokens) fault('amounts', 'the tokens of the part', sum, tokens);
  around.flows.move(state.id, sum);
  state.available -= tokens;
}

function checkParts(state: OrganisationState, data: Extract<OrganisationEvent, { type: 'TokensAllocated' }>['data'], place: Place): void {
  const { fault } = place;
  const { allocationId, part, parts, tokens, tokensTotal, lineCount, lines } = data;
  let before = state.parts;
  if (before && before.allocationId !== allocationId) {
    missingParts(state, place);
    before = undefined;
  }
  if (part !== (before?.part ?? 0) + 1) fault('allocation', `the part of ${allocationId}`, (before?.part ?? 0) + 1, part);
  if (before && (parts !== before.parts || tokensTotal !== before.tokensTotal || lineCount !== before.lineCount))
    fault('allocation', 'what the parts say of the whole', before, { parts, tokensTotal, lineCount });
  const sums = { tokens: (before?.tokens ?? 0) + tokens, lines: (before?.lines ?? 0) + lines.length };
  if (part < parts) {
    state.parts = { allocationId, part, parts, tokensTotal, lineCount, ...sums };
    return;
  }
  state.parts = undefined;
  if (sums.tokens !== tokensTotal) fault('amounts', 'the tokens of all parts', sums.tokens, tokensTotal);
  if (sums.lines !== lineCount) fault('amounts', 'the lines of all parts', sums.lines, lineCount);
}

export const newAllocated = (): Allocated => ({ number: 0, counters: new Map() });

function memberOf({ members }: OrganisationState, userId: string): Allocated {
  let member = members.get(userId);
  if (!member) members.set(userId, (member = newAllocated()));
  return member;
}

function pruneAllocated(state: OrganisationState, at: string, instant: number): void {
  if (at.startsWith(state.prunedDay)) return;
  state.prunedDay = at.slice(0, 10);
  for (const { counters } of state.members.values()) prune(counters, instant);
}
