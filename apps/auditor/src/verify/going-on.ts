import { type EventStore, SqliteScan } from '@ledger/event-store';
import { Audit } from './audit';
import type { AuditOptions } from './audited';
import { checkLink, parsed } from './chain';
import type { Earlier } from './kept';
import type { WentOnFrom } from './result';

/**
 * An audit that goes on from where an earlier one ended. First what shows that the past is another than it was and can be seen without
 * reading it: then the whole store is read after all, which finds it and says where.
 */

export interface GoOn {
  earlier: Earlier;
  /** Hears in a sentence why everything is read after all. */
  tell: (sentence: string) => void;
}

export interface Begun {
  audit: Audit;
  from: WentOnFrom;
}

/** The audit as the earlier one left it; undefined when the store is not the one that it has seen. `file` is that of a SQLite store. */
export async function goneOn(
  { earlier, tell }: GoOn,
  store: EventStore,
  file: string | undefined,
  head: bigint,
  options: AuditOptions,
): Promise<Begun | undefined> {
  const { position, events } = earlier.summary;
  let audit: Audit | undefined;
  const difference =
    (await otherStore(earlier, store, head)) ??
    (file === undefined ? undefined : otherCount(earlier, file)) ??
    (await otherLast(position, store, (audit = new Audit(options, earlier))));
  if (difference === undefined && audit) return { audit, from: { position, events } };
  tell(`Up to position ${position} the store is not what was certified (${difference}), so everything is read.`);
  return undefined;
}

async function otherStore({ summary: { mark, position } }: Earlier, store: EventStore, head: bigint): Promise<string | undefined> {
  const first = await store.mark();
  if (first === undefined) return 'it is empty';
  if (first !== mark) return `its first event is ${first}, not ${mark}`;
  return head < BigInt(position) ? `it ends at position ${head}` : undefined;
}

function otherCount({ summary: { position, events } }: Earlier, file: string): string | undefined {
  const scan = new SqliteScan(file);
  try {
    const count = scan.countUpTo(position);
    return count === events ? undefined : `it has ${count} events so far, not ${events}`;
  } finally {
    scan.close();
  }
}

/** The event at the position is the one that the chains end with, to the letter. */
async function otherLast(position: number, store: EventStore, audit: Audit): Promise<string | undefined> {
  const event = await store.eventAt(BigInt(position));
  const state = event && audit.stateNamed(event.stream);
  if (!event || state?.position !== position) return 'another event stands there';
  const { previousHash = '' } = metadataOf(event.metadata);
  const link = { revision: event.revision - 1, hash: previousHash, sound: true };
  let faults = 0;
  checkLink(link, event, () => (faults += 1));
  return faults === 0 && link.revision === state.link.revision && link.hash === state.link.hash ? undefined : 'its last event was changed';
}

function metadataOf(text: string): { previousHash?: string } {
  const metadata = parsed(text);
  return typeof metadata === 'object' && metadata !== null ? metadata : {};
}
