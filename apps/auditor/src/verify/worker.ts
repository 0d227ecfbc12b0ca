import { parentPort, workerData } from 'node:worker_threads';
import { auditPart, type PartitionOptions } from './partition';
import { posted, transferred } from './posting';

/** A thread that audits one part of a store, and posts its outcome. */
const options = workerData as PartitionOptions;
const audit = auditPart(options, () => undefined);
const outcome = posted(audit, options.stateWanted === true);
parentPort?.postMessage({ posted: outcome }, transferred(outcome));
audit.entries.close();
