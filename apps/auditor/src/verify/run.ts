import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type EventStore, isEventStoreDb, sqlitePath, type StoredEvent } from '@ledger/event-store';
import { inThreads, threadsFor } from '../reading/threads';
import { Audit } from './audit';
import type { AuditOptions } from './audited';
import { EntryLog } from './entries';
import { type Begun, type GoOn, goneOn } from './going-on';
import { type Kept, keptOf } from './kept';
import { auditPart, type PartitionOptions } from './partition';
import { type PostedPart, received } from './posting';
import { type AuditResult, concluded, type Part, partOf, type WentOnFrom } from './result';

/** Events that are read at once: the most that the port allows. */
const PAGE = 10_000;

export interface RunOptions extends AuditOptions {
  /** Threads that share the work, where the store lets them; undefined lets the machine decide. */
  workers?: number | undefined;
  /** Where an earlier audit ended, to go on from there if the store lets it. */
  goOn?: GoOn | undefined;
}

/** Hears how many events have been read; of a store that is shared by threads, about how many: as far as this thread is. */
export type Progress = (events: number) => void;

/** Hears of the outcome, and what is kept of it where `stateWanted`: there for as long as it listens. */
export type Conclude = (result: AuditResult, kept: Kept | undefined) => void;

/** The whole audit, by the quickest way that the store has. */
export async function auditStore(
  store: EventStore,
  url: string,
  { workers, goOn, ...options }: RunOptions,
  progress: Progress,
  conclude: Conclude = () => undefined,
): Promise<AuditResult> {
  const head = await store.headPosition();
  const file = isEventStoreDb(url) ? undefined : sqlitePath(url);
  const begun = goOn && (await goneOn(goOn, store, file, head, options));
  const parts = begun ? 1 : (workers ?? threadsFor(head));
  const run = { store, head, options, progress, conclude };
  // Threads run compiled code; whoever runs the sources has one.
  return file !== undefined && parts > 1 && existsSync(WORKER) ? auditInParts(run, file, parts) : auditAlone(run, file, begun);
}

interface Run {
  store: EventStore;
  head: bigint;
  options: AuditOptions;
  progress: Progress;
  conclude: Conclude;
}

/** By this thread: of a file, or through the port. */
async function auditAlone(run: Run, file: string | undefined, begun: Begun | undefined): Promise<AuditResult> {
  const { head, options, progress } = run;
  const audit = begun?.audit ?? new Audit(options);
  const from = begun?.from;
  try {
    if (file === undefined) await readThroughPort(run, audit, from);
    else auditPart({ ...options, path: file, part: 0, parts: 1, after: from?.position ?? 0, until: Number(head) }, progress, audit);
    return await conclusion(run, [partOf(audit, options.stateWanted)], audit.entries, from);
  } finally {
    audit.entries.close();
  }
}

/** Reads the store through the port, from zero or from where an earlier audit has ended, to `head`. */
async function readThroughPort({ store, head, progress }: Run, audit: Audit, from: WentOnFrom | undefined): Promise<void> {
  let after = from ? BigInt(from.position) : -1n;
  while (after < head) {
    const page = await store.readAll(after, PAGE);
    if (page.length === 0) break;
    for (const event of page) if (event.position <= head) audit.add(positioned(event));
    after = page.at(-1)!.position;
    progress(audit.events);
  }
  audit.finish();
}

/** Positions of every adapter are far below 2^53, and numbers are quicker. */
const positioned = (event: StoredEvent) => ({ ...event, position: Number(event.position) });

async function conclusion(
  { store, head, options, conclude }: Run,
  parts: Part[],
  entries: EntryLog,
  from?: WentOnFrom,
): Promise<AuditResult> {
  const result = await concluded(store, parts, entries, head, from);
  conclude(result, options.stateWanted ? keptOf(result, parts, entries) : undefined);
  return result;
}

const WORKER = join(__dirname, 'worker.js');

/** This thread audits the first part itself: another one would have to load all that this one has loaded. */
async function auditInParts(run: Run, path: string, parts: number): Promise<AuditResult> {
  const { head, options, progress } = run;
  const shared = { ...options, path, parts, until: Number(head) };
  const entries = new EntryLog(options.seed);
  const tasks = Array.from({ length: parts - 1 }, (_, other): PartitionOptions => ({ ...shared, part: other + 1 }));
  const others = inThreads<PostedPart>(WORKER, tasks);
  // It is waited for below; meanwhile a failure is not unheard.
  others.catch(() => undefined);
  try {
    const audit = auditPart({ ...shared, part: 0 }, progress);
    entries.take(audit.entries.handOver());
    const posted = await others;
    for (const one of posted) entries.take(one.entries);
    return await conclusion(run, [partOf(audit, options.stateWanted), ...posted.map(received)], entries);
  } finally {
    // Where the first part fails the others end by themselves too.
    await others.catch(() => undefined);
    entries.close();
  }
}
