import { setImmediate as othersFirst } from 'node:timers/promises';
import { type EventStore, NO_POSITION, type StoredEvent } from '@ledger/event-store';
import { Folding } from './folding';
import type { OpenViews } from './filling';
import { type Progress, progressOf } from './progress';
import { type FillBeside, fillInThread, FIRST_PART, foldShare, SHARED_EVENTS_MIN } from './shares';
import type { ViewFile } from './view-file';
import type { Views } from './views';

const PAGE = 1_000;

type Tell = (progress: Progress) => void;

/** Goes on with a file that nobody else uses until it holds exactly what stands up to `position`; commits at the end. */
export async function buildTo(position: bigint, store: EventStore, opened: OpenViews): Promise<void> {
  const mark = (await store.mark()) ?? '';
  const folding = new Folding(opened, (error) => {
    throw error;
  });
  for await (const page of pagesTo(position, store, opened.checkpoints.last()?.position ?? NO_POSITION)) folding.apply(page, mark, true);
  folding.commit(mark);
}

/** What is built from nothing: all that the store holds up to `until`. */
export interface Building {
  store: EventStore;
  until: bigint;
  /** All events, for a thread that reads alone. */
  pages: AsyncIterable<StoredEvent[]>;
  file: ViewFile;
  tell?: Tell;
  /** Ends it before its time. */
  signal?: AbortSignal;
  /** Fills the other half, where the store lets two threads read it. */
  fillBeside?: FillBeside;
}

/**
 * Fills an empty file, as one piece of work that is done or to be done again. Undefined when the store or the signal ended it before:
 * then the file is gone.
 */
export async function buildFromNothing(building: Building): Promise<OpenViews | undefined> {
  const { store, until, file, fillBeside = until < SHARED_EVENTS_MIN ? undefined : fillInThread } = building;
  const opened = file.begin();
  const beside = store.file === undefined ? undefined : fillBeside?.({ store: store.file, path: file.otherPath, until });
  // Noticed when the two are joined.
  beside?.done.catch(() => undefined);
  try {
    const { db, views, checkpoints } = opened;
    db.exec('begin');
    const last = await (store.file === undefined || beside === undefined
      ? foldAll(building, views)
      : foldFirst(building, store.file, views));
    if (last !== undefined) {
      checkpoints.save((await store.mark()) ?? '', last);
      views.complete();
      db.exec('commit');
      db.close();
      return await file.finish(beside?.done);
    }
  } finally {
    await beside?.end();
    opened.db.close();
  }
  file.discard();
  return undefined;
}

/** Answers the last event; undefined when it ended before. */
async function foldAll({ pages, until, tell, signal }: Building, views: Views): Promise<StoredEvent | undefined> {
  for await (const page of pages) {
    for (const event of page) views.apply(event);
    // Nobody waits for an allocation here.
    views.takeProgressed();
    const last = page.at(-1);
    if (last === undefined) continue;
    if (last.position >= until) return last;
    if (await endedMeanwhile(last.position, until, tell, signal)) return undefined;
  }
  return undefined;
}

async function foldFirst(
  { store, until, file, tell, signal }: Building,
  storeFile: string,
  views: Views,
): Promise<StoredEvent | undefined> {
  for (const readTo of foldShare(views, { store: storeFile, path: file.path, until }, FIRST_PART))
    if (await endedMeanwhile(readTo, until, tell, signal)) return undefined;
  return store.eventAt(until);
}

async function endedMeanwhile(position: bigint, until: bigint, tell: Tell = () => undefined, signal?: AbortSignal): Promise<boolean> {
  if (position < until) tell(progressOf(position, until));
  await othersFirst();
  return signal?.aborted === true;
}

/** All events behind `after`, up to `position`. @throws StoreUnavailable */
export async function* pagesTo(position: bigint, store: EventStore, after: bigint): AsyncGenerator<StoredEvent[], void, undefined> {
  for (let readTo = after; readTo < position;) {
    const page = (await store.readAll(readTo, PAGE)).filter((event) => event.position <= position);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    readTo = last.position;
  }
}
