import { parentPort, workerData } from 'node:worker_threads';
import { type ReplayPart, replayPart } from './replay-part';

/** A thread that replays one part of a store. */
parentPort?.postMessage({ posted: replayPart(workerData as ReplayPart) });
