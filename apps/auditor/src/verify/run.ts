import type { EventStore } from '@ledger/event-store';
import { Audit, type AuditOptions } from './audit';
import { concluded, type AuditResult, type Part } from './result';

/** Events that are read at once: the most that the port allows. */
const PAGE = 10_000;

export interface Progress {
  /** Events read so far; `total` is an estimate where a store has no count. */
  (events: number): void;
}

export interface RunOptions extends AuditOptions {
  /** Threads that share the work, where the store lets them; undefined lets the machine decide. */
  workers?: number | undefined;
}

/** The whole audit, by the quickest way that the store has. */
export async function auditStore(store: EventStore, _url: string, options: RunOptions, progress: Progress): Promise<AuditResult> {
  return auditThroughPort(store, options, progress);
}

/** Reads the store through the port, from zero to the head that it has now. */
export async function auditThroughPort(store: EventStore, options: AuditOptions, progress: Progress): Promise<AuditResult> {
  const audit = new Audit(options);
  try {
    const head = await store.headPosition();
    let after = -1n;
    while (after < head) {
      const page = await store.readAll(after, PAGE);
      if (page.length === 0) break;
      for (const event of page) if (event.position <= head) audit.add(event);
      after = page.at(-1)!.position;
      progress(audit.events);
    }
    audit.finish();
    return await concluded(store, [partOf(audit)], audit.entries, head);
  } finally {
    audit.entries.close();
  }
}

export function partOf(audit: Audit): Part {
  const { findings, events, flows, unknownPriceTables } = audit;
  const totals = {
    purchased: flows.purchased.value,
    granted: flows.granted.value,
    organisations: audit.held('organisation'),
    users: audit.held('user'),
    inTransit: 0n,
    usage: flows.usage.value,
    bills: flows.bills.value,
    lapsed: flows.lapsed.value,
  };
  const heads = [...audit.heads()];
  const headsThen = [...audit.headsThen()];
  return { findings, events, totals, inTransit: flows.inTransit, unknownPriceTables: [...unknownPriceTables], heads, headsThen };
}
