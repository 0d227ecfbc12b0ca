import { workerData } from 'node:worker_threads';
import { fillSecond, type ShareOptions } from './shares';

/** A thread that fills one part of a read model. */
fillSecond(workerData as ShareOptions);
