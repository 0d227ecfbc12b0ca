import { setImmediate } from 'node:timers/promises';
import { type EventStore, NO_POSITION } from '@ledger/event-store';
import { Folding } from './folding';
import { type Progress, progressOf } from './progress';
import type { OpenViews } from './view-file';

const PAGE = 5_000;

/** Goes on with a file that nobody else uses until it holds exactly what stands up to `position`; commits at the end. */
export async function buildTo(
  position: bigint,
  store: EventStore,
  opened: OpenViews,
  tell: (progress: Progress) => void = () => undefined,
): Promise<void> {
  const mark = (await store.mark()) ?? '';
  const folding = new Folding(opened, (error) => {
    throw error;
  });
  let readTo = opened.checkpoints.last()?.position ?? NO_POSITION;
  while (readTo < position) {
    const page = (await store.readAll(readTo, PAGE)).filter((event) => event.position <= position);
    const last = page.at(-1);
    if (last === undefined) break;
    folding.apply(page, mark, true);
    readTo = last.position;
    tell(progressOf(readTo, position));
    // The commit in time is a timer, and a signal that ends the program wants a turn too.
    await setImmediate();
  }
  folding.commit(mark);
}
