import type { EventStore } from '@ledger/event-store';
import type { Audit } from './audit';
import type { Head, State } from './audited';
import type { EntryLog } from './entries';
import { Findings } from './finding';
import { Join } from './join';
import { statesOf } from './kept';
import { accounted, addTotals, issued, noTotals, type Totals } from './totals';

/** What the audit of one part of the streams came to; parts are put together before anything is said of the whole. */
export interface Part {
  findings: Findings;
  events: number;
  totals: Totals;
  /** Allocated less received, by organisation; of one part it may be below zero. */
  inTransit: ReadonlyMap<string, number>;
  unknownPriceTables: readonly string[];
  heads: Head[];
  /** Heads as they were at the position of a certificate. */
  headsThen: Head[];
  /** The lines of its streams, where they are wanted: made while they are read, or handed over by another thread. */
  states: Iterable<Uint8Array<ArrayBuffer>> | undefined;
}

export interface AuditResult {
  /** The id of the store's first event; undefined of an empty store. */
  mark: string | undefined;
  /** Of the last event that was read. */
  position: bigint;
  events: number;
  totals: Totals;
  findings: Findings;
  heads: Head[];
  headsThen: Head[];
  unknownPriceTables: string[];
  /** Allocated less received, by organisation. */
  inTransit: ReadonlyMap<string, number>;
  /** Where an earlier audit had ended, when this one went on from there and read no event before it. */
  wentOnFrom: WentOnFrom | undefined;
}

export interface WentOnFrom {
  position: number;
  events: number;
}

/** Joins what the parts have found and checks what only the whole can show. */
export async function concluded(
  store: EventStore,
  parts: readonly Part[],
  entries: EntryLog,
  position: bigint,
  wentOnFrom?: WentOnFrom,
): Promise<AuditResult> {
  const findings = new Findings();
  const totals = noTotals();
  const inTransit = new Map<string, number>();
  const unknown = new Set<string>();
  const heads: Head[] = [];
  const headsThen: Head[] = [];
  let events = 0;
  for (const part of parts) {
    findings.merge(part.findings);
    addTotals(totals, part.totals);
    for (const [organisationId, tokens] of part.inTransit) inTransit.set(organisationId, (inTransit.get(organisationId) ?? 0) + tokens);
    for (const version of part.unknownPriceTables) unknown.add(version);
    for (const head of part.heads) heads.push(head);
    for (const head of part.headsThen) headsThen.push(head);
    events += part.events;
  }
  await new Join(store, findings, entries).run();
  for (const [organisationId, tokens] of inTransit) {
    totals.inTransit += BigInt(tokens);
    if (tokens < 0) wholeFault(findings, `organisationWallet-${organisationId}`, 'what is in transit', 'at least 0', tokens);
  }
  if (issued(totals) !== accounted(totals))
    wholeFault(findings, 'the store', 'what is held, in transit, spent and lapsed', issued(totals), accounted(totals));
  const mark = await store.mark();
  const unknownPriceTables = [...unknown];
  return {
    mark,
    position,
    events,
    totals,
    findings,
    heads: sorted(heads),
    headsThen: sorted(headsThen),
    unknownPriceTables,
    inTransit,
    wentOnFrom,
  };
}

function wholeFault(findings: Findings, stream: string, what: string, expected: unknown, found: unknown): void {
  findings.of({ stream, revision: -1, id: '' })('conservation', what, expected, found);
}

/** By the UTF-16 code units of the names, which for wallets' streams is the order of their bytes. */
function sorted(heads: Head[]): Head[] {
  return heads.sort((a, b) => (a.stream < b.stream ? -1 : a.stream > b.stream ? 1 : 0));
}

/** Tokens held by all wallets of a kind. */
function held(audit: Audit, kind: State['kind']): bigint {
  let sum = 0n;
  for (const [, state] of audit.streams()) {
    if (state.kind !== kind) continue;
    sum += BigInt(state.kind === 'user' ? state.free + state.purchased + state.allocated : state.available);
  }
  return sum;
}

/** What an audit that is finished has come to. */
export function partOf(audit: Audit, stateWanted = false): Part {
  const { findings, events, flows, unknownPriceTables } = audit;
  const totals = {
    purchased: flows.purchased.value,
    granted: flows.granted.value,
    organisations: held(audit, 'organisation'),
    users: held(audit, 'user'),
    inTransit: 0n,
    usage: flows.usage.value,
    bills: flows.bills.value,
    lapsed: flows.lapsed.value,
  };
  const heads = [...audit.heads()];
  const headsThen = [...audit.headsThen()];
  const states = stateWanted ? statesOf(audit) : undefined;
  return { findings, events, totals, inTransit: flows.inTransit, unknownPriceTables: [...unknownPriceTables], heads, headsThen, states };
}
