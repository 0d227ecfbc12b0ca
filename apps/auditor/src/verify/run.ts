import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type EventStore, isEventStoreDb, sqlitePath, type StoredEvent } from '@ledger/event-store';
import { threadsFor } from '../reading/threads';
import { Audit } from './audit';
import type { AuditOptions } from './audited';
import { EntryLog } from './entries';
import { auditPart, type PostedPart, received } from './partition';
import { type AuditResult, concluded, type Part, partOf } from './result';

/** Events that are read at once: the most that the port allows. */
const PAGE = 10_000;

export interface RunOptions extends AuditOptions {
  /** Threads that share the work, where the store lets them; undefined lets the machine decide. */
  workers?: number | undefined;
}

/** Hears how many events have been read; of a store that is shared by threads, about how many: as far as this thread is. */
export type Progress = (events: number) => void;

/** The whole audit, by the quickest way that the store has. */
export async function auditStore(
  store: EventStore,
  url: string,
  { workers, ...options }: RunOptions,
  progress: Progress,
): Promise<AuditResult> {
  const head = await store.headPosition();
  if (isEventStoreDb(url)) return auditThroughPort(store, head, options, progress);
  const parts = workers ?? threadsFor(head);
  // Threads run compiled code; whoever runs the sources has one.
  if (parts > 1 && existsSync(WORKER)) return auditInParts(store, sqlitePath(url), head, parts, options, progress);
  const audit = auditPart({ ...options, path: sqlitePath(url), part: 0, parts: 1, until: Number(head) }, progress);
  try {
    return await concluded(store, [partOf(audit)], audit.entries, head);
  } finally {
    audit.entries.close();
  }
}

/** Reads the store through the port, from zero to `head`. */
async function auditThroughPort(store: EventStore, head: bigint, options: AuditOptions, progress: Progress): Promise<AuditResult> {
  const audit = new Audit(options);
  try {
    let after = -1n;
    while (after < head) {
      const page = await store.readAll(after, PAGE);
      if (page.length === 0) break;
      for (const event of page) if (event.position <= head) audit.add(positioned(event));
      after = page.at(-1)!.position;
      progress(audit.events);
    }
    audit.finish();
    return await concluded(store, [partOf(audit)], audit.entries, head);
  } finally {
    audit.entries.close();
  }
}

/** Positions of every adapter are far below 2^53, and numbers are quicker. */
const positioned = (event: StoredEvent) => ({ ...event, position: Number(event.position) });

const WORKER = join(__dirname, 'worker.js');

/** This thread audits the first part itself: another one would have to load all that this one has loaded. */
async function auditInParts(
  store: EventStore,
  path: string,
  head: bigint,
  parts: number,
  options: AuditOptions,
  progress: Progress,
): Promise<AuditResult> {
  // A thread that fails leaves its files behind, so all of them go below one folder, which this thread looks after.
  const folder = mkdtempSync(join(tmpdir(), 'ledger-audit-'));
  const shared = { ...options, folder, path, parts, until: Number(head) };
  const entries = new EntryLog(options.seed, undefined, folder);
  const workers: Worker[] = [];
  const run = (part: number): Promise<Part> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(WORKER, { workerData: { ...shared, part } });
      workers.push(worker);
      let outcome: Part | undefined;
      worker.on('message', (posted: PostedPart) => {
        entries.take(posted.entries);
        outcome = received(posted);
      });
      worker.on('error', reject);
      worker.on('exit', (code) => (outcome ? resolve(outcome) : reject(new Error(`a thread of the audit ended with ${code}`))));
    });
  try {
    const others = Promise.all(Array.from({ length: parts - 1 }, (_, other) => run(other + 1)));
    // It is waited for below; meanwhile a failure is not unheard.
    others.catch(() => undefined);
    const audit = auditPart({ ...shared, part: 0 }, progress);
    entries.take(audit.entries.handOver());
    return await concluded(store, [partOf(audit), ...(await others)], entries, head);
  } finally {
    // None may be writing any more.
    await Promise.all(workers.map((worker) => worker.terminate()));
    rmSync(folder, { recursive: true, force: true });
  }
}
