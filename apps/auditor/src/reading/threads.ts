import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** More threads than this would wait for each other's reading. */
export const THREADS_MAX = 64;
/** A store below this is read before a second thread has started. */
const SHARED_FROM = 50_000n;

/** How many threads share the reading of a file with so many events. */
export const threadsFor = (events: bigint): number => (events < SHARED_FROM ? 1 : Math.min(THREADS_MAX, availableParallelism()));

/** Runs a thread for each task at once; each posts one answer. @throws what a thread threw first, when the others have ended too */
export async function inThreads<Answer>(file: string, tasks: readonly unknown[]): Promise<Answer[]> {
  // A thread that has ended leaves the files open that its answer names.
  const answers = tasks.map((workerData) => answerOf<Answer>(new Worker(file, { workerData, trackUnmanagedFds: false })));
  // None is ended before its time: a thread that is ended while SQLite tells it of an error takes the whole process with it.
  await Promise.allSettled(answers);
  return Promise.all(answers);
}

function answerOf<Answer>(thread: Worker): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let answer: { posted: Answer } | undefined;
    thread.once('message', (message: { posted: Answer }) => (answer = message));
    thread.once('error', reject);
    thread.once('exit', (code) =>
      answer ? resolve(answer.posted) : reject(new Error(`a thread of the auditor ended with ${code} and no answer`)),
    );
  });
}
