import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** More threads than this would wait for each other's reading. */
export const THREADS_MAX = 64;
/** A store below this is read before a second thread has started. */
const SHARED_FROM = 50_000n;

/** How many threads share the reading of a file with so many events. */
export const threadsFor = (events: bigint): number => (events < SHARED_FROM ? 1 : Math.min(THREADS_MAX, availableParallelism()));

/** Runs a thread for each task at once; each posts one answer. @throws what a thread threw, when the others have ended too */
export async function inThreads<Answer>(file: string, tasks: readonly unknown[]): Promise<Answer[]> {
  const threads = tasks.map((workerData) => new Worker(file, { workerData }));
  const answers = threads.map(
    (thread) =>
      new Promise<Answer>((resolve, reject) => {
        thread.once('message', (answer: { posted: Answer }) => resolve(answer.posted));
        thread.once('error', reject);
        thread.once('exit', (code) => reject(new Error(`a thread of the auditor ended with ${code} and no answer`)));
      }),
  );
  try {
    return await Promise.all(answers);
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
    await Promise.allSettled(answers);
  }
}
