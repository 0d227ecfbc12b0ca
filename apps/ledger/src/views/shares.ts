import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SqliteScan } from '@ledger/event-store';
import { emptyFile } from './filling';
import { UniqueLog } from './unique-log';
import type { Views } from './views';

/**
 * Two threads fill a read model: each folds the streams of its half of the users, and the first one those of all organisations. Rows of
 * a user's stream are made from that stream alone, so the halves only have to be put together (`Views.joined`). What a receipt says of
 * the organisation is folded by the first for all users.
 */

/** Of fewer events one thread is as quick. */
export const SHARED_EVENTS_MIN = 50_000n;

const PARTS = 2;
export const FIRST_PART = 0;
export const SECOND_PART = 1;
/** Positions that are read in one stretch: about 10 ms. */
const STRETCH = 2_000;
const ORGANISATIONS = 'organisationWallet-';
const RECEIPTS = ['AllocationReceived'];

export interface ShareOptions {
  /** The file of the store. */
  store: string;
  /** The file to be filled. */
  path: string;
  /** The last position that is folded. */
  until: bigint;
  /** Shared with whoever waits for a thread: that it is no longer wanted. */
  unwanted?: Int32Array;
}

/** Folds a part into the views, stretch by stretch, and says how far it has read. */
export function* foldShare(views: Views, { store, until }: ShareOptions, part: number): Generator<bigint, void, undefined> {
  const scan = new SqliteScan(store);
  try {
    const read = scan.share({ part, parts: PARTS, prefix: ORGANISATIONS, types: RECEIPTS });
    const last = Number(until);
    for (let after = 0; after < last;) {
      const readTo = Math.min(last, after + STRETCH);
      const events = read(after, readTo);
      after = events.length === 0 ? scan.emptyUntil(readTo, last) : readTo;
      for (const { event, own } of events) {
        if (own) views.apply(event);
        else views.arrived(event);
      }
      // Nobody waits for an allocation here.
      views.takeProgressed();
      yield BigInt(after);
    }
  } finally {
    scan.close();
  }
}

/** Fills a file of its own with the second part; leaves it without rows where that is no longer wanted. */
export function fillSecond(options: ShareOptions): void {
  const { unwanted } = options;
  const { db, views } = emptyFile(options.path);
  try {
    db.exec('begin');
    const stretches = foldShare(views, options, SECOND_PART);
    while (stretches.next().done !== true) {
      if (!unwanted || Atomics.load(unwanted, 0) === 0) continue;
      stretches.return();
      return;
    }
    views.complete();
    db.exec('commit');
    db.exec(UniqueLog.sort);
  } finally {
    db.close();
  }
}

/** A thread that fills a file, or whatever stands for it. */
export interface Beside {
  done: Promise<unknown>;
  end(): Promise<unknown>;
}
export type FillBeside = (options: ShareOptions) => Beside;

export const fillInThread: FillBeside = (options) => {
  const unwanted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(join(__dirname, 'share-worker.js'), { workerData: { ...options, unwanted } });
  const done = new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`the second thread of the read model ended with ${code}`))));
  });
  // It is told to end and ends by itself: a thread that is ended while SQLite tells it of an error takes the whole process with it.
  const end = (): Promise<unknown> => {
    Atomics.store(unwanted, 0, 1);
    return Promise.allSettled([done]);
  };
  return { done, end };
};
