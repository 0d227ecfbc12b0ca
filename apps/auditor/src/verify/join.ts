import type { EventStore, StoredEvent } from '@ledger/event-store';
import type { EventOf, WalletEvent } from '@ledger/wallet';
import { parsed } from './chain';
import { type Fact, isAsEntered, partsOf, walletIdOf } from './entered';
import type { EntryLog } from './entries';
import type { Entry, EntryKind } from './entry';
import type { Findings, Rule } from './finding';
import type { Seed } from './fingerprint';

/** The rules that join events which may be far apart, or in different streams. What looks wrong is read again before it is said. */

/** Events that are read again at most; a store that is wrong in more places than this has been found out. */
const REREAD_MAX = 200_000;

export class Join {
  private reread = 0;

  constructor(
    private readonly store: EventStore,
    private readonly findings: Findings,
    private readonly entries: EntryLog,
  ) {}

  async run(): Promise<void> {
    await this.entries.groups((group, fingerprint) => {
      switch (group[0]!.kind) {
        case 'key':
        case 'payment':
        case 'bill':
        case 'id':
          return this.unique(group, fingerprint);
        case 'usage':
        case 'reversal':
        case 'returned':
          return this.usage(group, fingerprint);
        case 'line':
        case 'received':
          return this.line(group, fingerprint);
      }
    });
  }

  /** All of one kind: the first keeps its name, the others repeat it. */
  private async unique(group: readonly Entry[], fingerprint: Seed): Promise<void> {
    const seen = new Map<string, number>();
    for (const entry of group) {
      const { kind, position } = entry;
      const fact = await this.read(entry, fingerprint);
      if (!fact) continue;
      const name = nameOf(kind, fact);
      if (name === undefined) continue;
      const first = seen.get(name.name);
      if (first === undefined) seen.set(name.name, position);
      else this.findings.of(fact.stored)(name.rule, name.what, 'there once', `there again, first at position ${first}`);
    }
  }

  private usage(group: readonly Entry[], fingerprint: Seed): Promise<void> | undefined {
    if (group.length === 1 && group[0]!.kind === 'usage') return undefined;
    return isReversedOnce(group) ? undefined : this.reversed(group, fingerprint);
  }

  /** Usages with one id must be one; a reversal must have one before it, in its own stream, and match it. */
  private async reversed(group: readonly Entry[], fingerprint: Seed): Promise<void> {
    const usages = new Map<string, Fact & { reversed: boolean }>();
    for (const entry of group) {
      const { kind, extra } = entry;
      if (kind === 'returned') continue;
      const fact = await this.read(entry, fingerprint);
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

  private line(group: readonly Entry[], fingerprint: Seed): Promise<void> | undefined {
    const [first, second] = group;
    if (group.length === 1 && first!.kind === 'line') return undefined;
    if (group.length === 2 && first!.kind === 'line' && second!.kind === 'received' && first!.extra === second!.extra) return undefined;
    return this.received(group, fingerprint);
  }

  private async received(group: readonly Entry[], fingerprint: Seed): Promise<void> {
    const lines = new Map<string, { tokens: number; receipts: number }>();
    for (const entry of group) {
      const fact = await this.read(entry, fingerprint);
      if (!fact) continue;
      const { stored, event } = fact;
      const wallet = walletIdOf(stored);
      if (entry.kind === 'line' && event.type === 'TokensAllocated') {
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

  /** The event of an entry, if it still is what was entered. */
  private async read(entry: Entry, fingerprint: Seed): Promise<Fact | undefined> {
    const { kind, position } = entry;
    if ((this.reread += 1) > REREAD_MAX) return undefined;
    const stored = await this.store.eventAt(BigInt(position));
    const data = stored && parsed(stored.data);
    const fact = data === undefined || stored === undefined ? undefined : { stored, event: { type: stored.type, data } as WalletEvent };
    if (fact && isAsEntered(this.entries, entry, fingerprint, fact)) return fact;
    const where = stored ?? { stream: 'the store', revision: -1, id: '' };
    this.findings.of(where)('certificate', `the ${kind} of the event at position ${position}`, 'what it was when it was audited', 'another or gone'); // prettier-ignore
    return undefined;
  }
}

/** One usage and one reversal behind it that returns, by its digest, what the usage says: what most are. */
function isReversedOnce(group: readonly Entry[]): boolean {
  const [usage, ...others] = group;
  if (group.length !== 3 || usage!.kind !== 'usage') return false;
  const returned = others.find(({ kind }) => kind === 'returned');
  return others.some(({ kind }) => kind === 'reversal') && returned?.extra === usage!.extra && others[0]!.position > usage!.position;
}

/** What must be there once. */
function nameOf(kind: EntryKind, fact: Fact): { name: string; rule: Rule; what: string } | undefined {
  const [parts] = partsOf(kind, fact);
  if (!parts) return undefined;
  const [first, last] = parts;
  const name = parts.join(' ');
  if (kind === 'key') return { name, rule: 'unique-key', what: `the key ${last}` };
  if (kind === 'payment') return { name, rule: 'unique-payment', what: `the payment reference ${last}` };
  if (kind === 'bill') return { name, rule: 'unique-bill', what: `the bill ${last}` };
  return { name, rule: 'unique-id', what: `the ${first} ${last}` };
}
