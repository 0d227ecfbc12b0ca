import { parentPort, workerData } from 'node:worker_threads';
import { Keeping, type KeepingOptions, type ToKeeping } from './keeping';

/** A thread that keeps a read model. */
const port = parentPort!;
const keeping = new Keeping(workerData as KeepingOptions, (news) => port.postMessage(news));
port.on('message', (told: ToKeeping) => keeping.hear(told));
void keeping.run().finally(() => port.close());
