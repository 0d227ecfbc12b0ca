import type { EventStore, StoredEvent } from '@ledger/event-store';
import {
  allocate,
  openOrganisation,
  purchaseForOrganisation,
  purchaseForUser,
  receiveAllocation,
  reverse,
  setMembers,
  use,
} from '@ledger/wallet';
import { choose } from '../../apps/demo/src/random';
import { GeneratedLedger } from '../load/generated-ledger';
import type { MonthTotal } from './month-totals';

/** A few organisations whose members use several services over some months, now and then with tokens of their own. */

const ORGANISATIONS = ['acme', 'beta', 'ceta'];
const SERVICES = ['tutor', 'search', 'images', undefined];
const MEMBERS_EACH = 20;
const FREE_TOKENS = 25;
const TWO_HOURS_MS = 2 * 3_600_000;
const TOGETHER = 200;
const PAGE = 10_000;

export async function liveThrough(store: EventStore, usages: number, seed: number): Promise<void> {
  const ledger = new GeneratedLedger(store, FREE_TOKENS);
  for (const [index, id] of ORGANISATIONS.entries()) {
    const members = Array.from({ length: MEMBERS_EACH }, (_, member) => ({
      userId: `u${index * MEMBERS_EACH + member}`,
      status: 'permitted' as const,
    }));
    ledger.organisation(id, openOrganisation, { timeZone: 'Europe/Berlin' }, 'open');
    ledger.organisation(id, purchaseForOrganisation, { tokens: 10_000_000, paymentReference: 'first' }, 'buy');
    ledger.organisation(id, setMembers, { members }, 'permit');
    const lines = members.map(({ userId }) => ({ userId, tokens: 2_000 }));
    for (const event of ledger.organisation(id, allocate, { lines }, 'allocate').events) {
      if (event.type !== 'TokensAllocated') continue;
      const { allocationId } = event.data;
      for (const [user, tokens, number] of event.data.lines)
        ledger.user(user, receiveAllocation, { organisationId: id, allocationId, number, tokens });
    }
  }
  for (let n = 0; n < usages; n += 1) {
    const user = `u${choose(seed, n, ORGANISATIONS.length * MEMBERS_EACH)}`;
    ledger.now += choose(seed + 1, n, TWO_HOURS_MS);
    const service = SERVICES[choose(seed + 2, n, SERVICES.length)];
    const drawn = ledger.user(
      user,
      use,
      { tokens: 1 + choose(seed + 3, n, 40), ...(service === undefined ? {} : { service }) },
      `use-${n}`,
    );
    if (drawn.refusal !== undefined) ledger.user(user, purchaseForUser, { tokens: 500, paymentReference: `pay-${n}` }, `buy-${n}`);
    else if (drawn.usageId !== undefined && choose(seed + 4, n, 10) === 0) {
      // Sometimes in another month than the usage: its free tokens lapse.
      ledger.now += choose(seed + 5, n, 4 * TWO_HOURS_MS);
      ledger.user(user, reverse, { usageId: drawn.usageId }, `back-${n}`);
    }
    if (n % TOGETHER === 0) await ledger.written();
  }
  await ledger.written();
}

export async function everyEvent(store: EventStore): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (let after = -1n; ; after = all.at(-1)!.position) {
    const page = await store.readAll(after, PAGE);
    if (page.length === 0) return all;
    all.push(...page);
  }
}

/** The totals by this test's own reading of the store: usages that were not reversed, whatever happened in between. */
export function totalsOf(events: readonly StoredEvent[]): MonthTotal[] {
  const reversed = new Set(
    events.flatMap(({ type, data }) => (type === 'UsageReversed' ? [(JSON.parse(data) as { usageId: string }).usageId] : [])),
  );
  const totals = new Map<string, MonthTotal>();
  for (const { type, data } of events) {
    if (type !== 'TokensUsed') continue;
    const usage = JSON.parse(data) as {
      usageId: string;
      occurredAt: string;
      service?: string;
      charged: { organisationId?: string; tokens: number }[];
    };
    if (reversed.has(usage.usageId)) continue;
    for (const { organisationId: organisation = '', tokens } of usage.charged) {
      const total = { month: usage.occurredAt.slice(0, 7), organisation, service: usage.service ?? '', tokens: 0 };
      const key = `${total.month} ${total.organisation} ${total.service}`;
      const sum = totals.get(key) ?? total;
      sum.tokens += tokens;
      totals.set(key, sum);
    }
  }
  return [...totals.keys()].sort().map((key) => totals.get(key)!);
}
