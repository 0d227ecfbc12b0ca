import { parentPort, workerData } from 'node:worker_threads';
import { auditPart, type PartitionOptions, posted } from './partition';

/** A thread that audits one part of a store: posts how far it is, then its outcome. */
const audit = auditPart(workerData as PartitionOptions, (positions) => parentPort?.postMessage({ positions }));
const outcome = posted(audit);
parentPort?.postMessage({ outcome }, outcome.entries.chunks.flat().map((chunk) => chunk.buffer as ArrayBuffer)); // prettier-ignore
audit.entries.close();
