import type { EventStore, StoredEvent } from '@ledger/event-store';
import { billEntry, type BillEvent, type EventOf, type WalletEvent } from '@ledger/wallet';
import { parsed } from './chain';
import type { EntryLog } from './entries';
import type { Entry } from './entry';
import type { Findings, Rule } from './finding';

/** The rules that join events which may be far apart, or in different streams. What looks wrong is read again before it is said. */

/** Events that are read again at most; a store that is wrong in more places than this has been found out. */
const REREAD_MAX = 200_000;

interface Fact {
  stored: StoredEvent;
  event: WalletEvent;
}

export class Join {
  private reread = 0;

  constructor(
    private readonly store: EventStore,
    private readonly findings: Findings,
  ) {}

  async run(entries: EntryLog): Promise<void> {
    await entries.groups((group) => {
      switch (group[0]!.kind) {
        case 'key':
        case 'payment':
        case 'bill':
        case 'id':
          return this.unique(group);
        case 'usage':
        case 'reversal':
        case 'returned':
          return this.usage(group);
        case 'line':
        case 'received':
          return this.line(group);
      }
    });
  }

  /** All of one kind: the first keeps its name, the others repeat it. */
  private async unique(group: readonly Entry[]): Promise<void> {
    const seen = new Map<string, number>();
    for (const { kind, position } of group) {
      const fact = await this.read(position);
      if (!fact) continue;
      const name = nameOf(kind, fact);
      if (name === undefined) continue;
      const first = seen.get(name.name);
      if (first === undefined) seen.set(name.name, position);
      else this.findings.of(fact.stored)(name.rule, name.what, 'there once', `there again, first at position ${first}`);
    }
  }

  private usage(group: readonly Entry[]): Promise<void> | undefined {
    if (group.length === 1 && group[0]!.kind === 'usage') return undefined;
    return isReversedOnce(group) ? undefined : this.reversed(group);
  }

  /** Usages with one id must be one; a reversal must have one before it, in its own stream, and match it. */
  private async reversed(group: readonly Entry[]): Promise<void> {
    const usages = new Map<string, Fact & { reversed: boolean }>();
    for (const { kind, position, extra } of group) {
      if (kind === 'returned') continue;
      const fact = await this.read(position);
      if (!fact || !('usageId' in fact.event.data)) continue;
      const { usageId } = fact.event.data;
      const fault = this.findings.of(fact.stored);
      const usage = usages.get(usageId);
      if (kind === 'usage') {
        if (usage) fault('unique-id', `the usage ${usageId}`, 'there once', `there again, first at position ${usage.stored.position}`);
        else usages.set(usageId, { ...fact, reversed: false });
        continue;
      }
      if (!usage || usage.stored.stream !== fact.stored.stream) {
        fault('reversal', `the usage ${usageId}`, 'a usage of this wallet before it', usage ? `one of ${usage.stored.stream}` : 'none');
        continue;
      }
      if (usage.reversed) fault('reversal', `the usage ${usageId}`, 'reversed once', 'reversed before');
      usage.reversed = true;
      this.matched(usage.event as EventOf<'TokensUsed'>, fact.event as EventOf<'UsageReversed'>, extra, fact.stored);
    }
  }

  private matched(
    { data: usage }: EventOf<'TokensUsed'>,
    { data: back }: EventOf<'UsageReversed'>,
    keptSince: number,
    stored: StoredEvent,
  ): void {
    const fault = this.findings.of(stored);
    if (back.tokens !== usage.tokens) fault('reversal', 'the tokens', usage.tokens, back.tokens);
    const month = back.balanceAfter.free?.month;
    const returnsFree = back.returned.some(({ source }) => source === 'free');
    if (returnsFree && usage.freeMonth !== month) fault('reversal', 'the month of the free tokens returned', usage.freeMonth, month);
    if (back.lapsed > 0 && usage.freeMonth !== undefined && usage.freeMonth === month)
      fault('reversal', 'what lapsed', `0, for ${month} is not over`, back.lapsed);
    const lapsing = back.lapsed > 0 ? usage.charged.filter(({ source }) => source !== 'free') : usage.charged;
    if (JSON.stringify(lapsing) !== JSON.stringify(back.returned)) fault('reversal', 'what is returned', lapsing, back.returned);
    const drawn = usage.considered.filter(({ tokens }) => tokens > 0);
    const all = drawn.flatMap(({ organisationId, windows }) => [
      `${organisationId} ${windows.daily.window}`,
      `${organisationId} ${windows.monthly.window}`,
    ]);
    const said = new Set(back.windows.map(({ organisationId, window }) => `${organisationId} ${window}`));
    for (const name of said) if (!all.includes(name)) fault('reversal', 'the windows given back', all, name);
    const digits = String(keptSince).padStart(8, '0');
    const oldest = `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`;
    for (const { organisationId, windows } of drawn) {
      for (const window of [windows.daily.window, windows.monthly.window]) {
        const kept = window >= oldest.slice(0, window.length);
        if (kept && !said.has(`${organisationId} ${window}`))
          fault('reversal', 'the windows given back', `${organisationId} ${window} among them`, [...said]);
      }
    }
  }

  private line(group: readonly Entry[]): Promise<void> | undefined {
    const [first, second] = group;
    if (group.length === 1 && first!.kind === 'line') return undefined;
    if (group.length === 2 && first!.kind === 'line' && second!.kind === 'received' && first!.extra === second!.extra) return undefined;
    return this.received(group);
  }

  private async received(group: readonly Entry[]): Promise<void> {
    const lines = new Map<string, { tokens: number; receipts: number }>();
    for (const { kind, position } of group) {
      const fact = await this.read(position);
      if (!fact) continue;
      const { stored, event } = fact;
      const wallet = stored.stream.slice(stored.stream.indexOf('-') + 1);
      if (kind === 'line' && event.type === 'TokensAllocated') {
        for (const [userId, tokens, number] of event.data.lines)
          lines.set(`${wallet} ${userId} ${number} ${event.data.allocationId}`, { tokens, receipts: 0 });
      } else if (event.type === 'AllocationReceived') {
        const { organisationId, number, allocationId, tokens } = event.data;
        const fault = this.findings.of(stored);
        const line = lines.get(`${organisationId} ${wallet} ${number} ${allocationId}`);
        if (!line) {
          fault('received', `allocation ${number} of ${organisationId}`, `a line of allocation ${allocationId} before it`, 'none');
          continue;
        }
        line.receipts += 1;
        if (line.receipts > 1) fault('received', `allocation ${number} of ${organisationId}`, 'received once', 'received before');
        if (line.tokens !== tokens) fault('received', `the tokens of allocation ${number} of ${organisationId}`, line.tokens, tokens);
      }
    }
  }

  private async read(position: number): Promise<Fact | undefined> {
    if ((this.reread += 1) > REREAD_MAX) return undefined;
    const stored = await this.store.eventAt(BigInt(position));
    const data = stored && parsed(stored.data);
    return data === undefined || stored === undefined ? undefined : { stored, event: { type: stored.type, data } as WalletEvent };
  }
}

/** One usage and one reversal behind it that returns, by its digest, what the usage says: what most are. */
function isReversedOnce(group: readonly Entry[]): boolean {
  const [usage, ...others] = group;
  if (group.length !== 3 || usage!.kind !== 'usage') return false;
  const returned = others.find(({ kind }) => kind === 'returned');
  return others.some(({ kind }) => kind === 'reversal') && returned?.extra === usage!.extra && others[0]!.position > usage!.position;
}

/** What an event was entered under, with the rule that says that it is unique. */
function nameOf(kind: Entry['kind'], { stored, event }: Fact): { name: string; rule: Rule; what: string } | undefined {
  const { stream, metadata } = stored;
  if (kind === 'key') {
    const key = (parsed(metadata) as { key?: string }).key;
    return { name: `${stream} ${key}`, rule: 'unique-key', what: `the key ${key}` };
  }
  if (kind === 'payment' && event.type === 'TokensPurchased') {
    const { paymentReference } = event.data;
    return { name: `${stream} ${paymentReference}`, rule: 'unique-payment', what: `the payment reference ${paymentReference}` };
  }
  if (kind === 'bill') {
    const entry = billEntry(event as BillEvent);
    return { name: `${stream} ${entry}`, rule: 'unique-bill', what: `the bill ${entry}` };
  }
  const { data } = event;
  const id =
    'purchaseId' in data
      ? `purchase ${data.purchaseId}`
      : 'billId' in data
        ? `bill ${data.billId}`
        : 'allocationId' in data
          ? `allocation ${data.allocationId}`
          : undefined;
  return id === undefined ? undefined : { name: id, rule: 'unique-id', what: `the ${id}` };
}
