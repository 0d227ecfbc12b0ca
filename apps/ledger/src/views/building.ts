import { setImmediate as othersFirst } from 'node:timers/promises';
import { type EventStore, NO_POSITION, type StoredEvent } from '@ledger/event-store';
import { Folding } from './folding';
import { type Progress, progressOf } from './progress';
import type { OpenViews, ViewFile } from './view-file';

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

/**
 * Fills an empty file with all that `pages` bring up to `position`, as one piece of work that is done or to be done again. Undefined
 * when the pages end before: then the file is gone.
 */
export async function buildFromNothing(
  position: bigint,
  pages: AsyncIterable<StoredEvent[]>,
  mark: string,
  file: ViewFile,
  tell: Tell = () => undefined,
): Promise<OpenViews | undefined> {
  const { db, views, checkpoints } = file.begin();
  let last: StoredEvent | undefined;
  try {
    db.exec('begin');
    for await (const page of pages) {
      for (const event of page) views.apply(event);
      // Nobody waits for an allocation here.
      views.takeProgressed();
      last = page.at(-1);
      if (last === undefined || last.position >= position) break;
      tell(progressOf(last.position, position));
      await othersFirst();
    }
    if (last !== undefined) checkpoints.save(mark, last);
    views.complete();
    db.exec('commit');
  } finally {
    db.close();
  }
  if (last !== undefined && last.position >= position) return file.finish();
  file.discard();
  return undefined;
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
