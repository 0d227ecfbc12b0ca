import { parentPort, workerData } from 'node:worker_threads';
import { auditPart, type PartitionOptions, posted } from './partition';

/** A thread that audits one part of a store, and posts its outcome. */
const audit = auditPart(workerData as PartitionOptions, () => undefined);
const outcome = posted(audit);
parentPort?.postMessage(outcome, outcome.entries.chunks.flat().map((chunk) => chunk.buffer as ArrayBuffer)); // prettier-ignore
audit.entries.close();
