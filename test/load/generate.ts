import { existsSync } from 'node:fs';
import type { EventStore } from '@ledger/event-store';
import { purchaseForOrganisation, receiveAllocation, reverse, setDefaultLimits, setMembers, use } from '@ledger/wallet';
import { allocate, openOrganisation, purchaseForUser } from '@ledger/wallet';
import { type Conversation, generateConversations } from '../../apps/demo/src/conversations';
import { costEuros } from '../../apps/demo/src/price';
import { choose, zipf } from '../../apps/demo/src/random';
import { readTrace } from '../../apps/demo/src/trace';
import { GeneratedLedger } from './generated-ledger';

/**
 * Makes a ledger of any number of events, quickly: real decisions on wallets in memory, sealed into real chains, written through
 * the port. The same seed gives the same facts. The mix is the trace's: conversations are charged at their provider's price, to
 * members by Zipf's law, under limits that some of them meet; around them the purchases, permissions, allocations, grants and
 * reversals that a platform of this size sees.
 */

/** The real conversations, when the machine has them. */
export const TRACE = '../shared/data/llm-conversations-2023.csv';

/** `spread` over organisations and members; `hot`, all usages in one wallet; `known`, as many wallets as fit, each barely used. */
export type Shape = 'spread' | 'hot' | 'known';

export interface Wish {
  events: number;
  shape: Shape;
  seed: number;
}

const ORGANISATIONS = 20;
const MEMBERS_EACH = 500;
const LINES_MAX = 1_000;
/** Each organisation's allocation of so many tokens to each member; made again when a member has nothing left. */
const ALLOCATED = 5_000;
/** Low enough that the heaviest members meet it. */
const DAILY_LIMIT = 400;
const REVERSED_PERCENT = 1;
const FREE_TOKENS = 25;
/** Of a wallet that is barely used: it is opened, and receives; their permission and allocation are a few events for all. */
export const EVENTS_A_WALLET = 2;
const PACKAGE = 1_000_000_000;
/** Appends that are under way together. */
const TOGETHER = 1_000;
/** Between two usages; a million of them take about two months, so days and months turn as they do in life. */
const STEP_MS = 5_000;

const organisationId = (number: number): string => `organisation-${number}`;
const userId = (number: number): string => `user-${number}`;

export function conversations(seed: number): Conversation[] {
  return existsSync(TRACE) ? readTrace(TRACE) : generateConversations(seed, 20_000);
}

/** Writes until the store holds about `events` (a few more: the last append is whole). Answers the name of the busiest user. */
export async function generate(store: EventStore, { events, shape, seed }: Wish): Promise<string> {
  const ledger = new GeneratedLedger(store, shape === 'known' ? 0 : FREE_TOKENS);
  if (shape === 'known') await openWallets(ledger, events);
  else if (shape === 'hot') await useOne(ledger, events, seed);
  else await useMany(ledger, events, seed);
  await ledger.written();
  return userId(0);
}

async function useMany(ledger: GeneratedLedger, events: number, seed: number): Promise<void> {
  for (let number = 0; number < ORGANISATIONS && ledger.events < events; number += 1) {
    found(ledger, number, MEMBERS_EACH);
    await ledger.written();
  }
  const rank = zipf(ORGANISATIONS * MEMBERS_EACH);
  const trace = conversations(seed);
  for (let n = 0; ledger.events < events; n += 1) {
    const member = rank(seed, n);
    const conversation = trace[n % trace.length]!;
    ledger.now += STEP_MS;
    const drawn = ledger.user(userId(member), use, { variableCostEuros: costEuros(conversation), service: 'chat' }, `use-${n}`);
    if (drawn.refusal === 'INSUFFICIENT_TOKENS') endow(ledger, Math.trunc(member / MEMBERS_EACH), [member]);
    else if (drawn.usageId !== undefined && choose(seed + 1, n, 100) < REVERSED_PERCENT)
      ledger.user(userId(member), reverse, { usageId: drawn.usageId, reason: 'the answer was empty' }, `back-${n}`);
    if (n % TOGETHER === 0) await ledger.written();
  }
}

async function useOne(ledger: GeneratedLedger, events: number, seed: number): Promise<void> {
  found(ledger, 0, 1);
  ledger.user(userId(0), purchaseForUser, { tokens: PACKAGE, paymentReference: 'first' }, 'buy');
  const trace = conversations(seed);
  for (let n = 0; ledger.events < events; n += 1) {
    ledger.now += STEP_MS;
    ledger.user(userId(0), use, { variableCostEuros: costEuros(trace[n % trace.length]!), service: 'chat' }, `use-${n}`);
    if (n % TOGETHER === 0) await ledger.written();
  }
}

/** Members that were given something once. */
async function openWallets(ledger: GeneratedLedger, events: number): Promise<void> {
  const organisations = Math.ceil(events / (10_000 * EVENTS_A_WALLET));
  const each = Math.floor(events / organisations / EVENTS_A_WALLET);
  for (let number = 0; number < organisations; number += 1) {
    found(ledger, number, each);
    await ledger.written();
  }
}

/** An organisation with a package, a default limit, and members who have received their first allocation. */
function found(ledger: GeneratedLedger, number: number, members: number): void {
  const id = organisationId(number);
  ledger.organisation(id, openOrganisation, { timeZone: number % 2 === 0 ? 'Europe/Berlin' : 'UTC' }, 'open');
  ledger.organisation(id, purchaseForOrganisation, { tokens: PACKAGE, paymentReference: 'first' }, 'buy');
  ledger.organisation(id, setDefaultLimits, { usage: { daily: DAILY_LIMIT } }, 'limits');
  const all = Array.from({ length: members }, (_, index) => number * members + index);
  for (let from = 0; from < members; from += LINES_MAX) {
    const some = all.slice(from, from + LINES_MAX);
    const lines = some.map((member) => ({ userId: userId(member), status: 'permitted' as const }));
    ledger.organisation(id, setMembers, { members: lines }, `permit-${from}`);
    endow(ledger, number, some);
  }
}

/** Allocates and settles. */
function endow(ledger: GeneratedLedger, number: number, members: readonly number[]): void {
  const id = organisationId(number);
  const lines = members.map((member) => ({ userId: userId(member), tokens: ALLOCATED }));
  const allocated = ledger.organisation(id, allocate, { lines }, `allocate-${ledger.events}`);
  for (const event of allocated.events) {
    if (event.type !== 'TokensAllocated') continue;
    const { allocationId } = event.data;
    for (const [user, tokens, line] of event.data.lines)
      ledger.user(user, receiveAllocation, { organisationId: id, allocationId, number: line, tokens });
  }
}
