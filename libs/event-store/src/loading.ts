import { setImmediate } from 'node:timers/promises';
import type { Behaviour } from './ask';
import type { EventStore } from './event-store';

const PAGE = 1_000;
/** After so many pages in a row others have their turn: a stream without a shelf can be long. */
const PAGES_AT_ONCE = 10;

/**
 * The state at the head of a stream: from the shelf and then forward, or from the first event. What lies on the shelf counts only
 * when the store has the very event that it ends with; a store that went back and grew differently has another there, or none.
 */
export async function load<State>(stream: string, store: EventStore, behaviour: Behaviour<State, unknown>): Promise<State> {
  const { shelf } = behaviour;
  const nearest = shelf?.nearest(stream);
  if (shelf !== undefined && nearest !== undefined && behaviour.revisionOf(nearest) >= 0) {
    // Its last event comes with the first page behind it: the comparison costs no read of its own.
    const [last, ...page] = await store.readStream(stream, behaviour.revisionOf(nearest), PAGE);
    if (last !== undefined && shelf.endsWith(nearest, last)) {
      behaviour.absorb(nearest, page);
      if (page.length === PAGE - 1) await catchUp(nearest, stream, store, behaviour);
      return nearest;
    }
  }
  const state = behaviour.empty(stream);
  await catchUp(state, stream, store, behaviour);
  return state;
}

/** Folds what the stream has behind the state. */
export async function catchUp<State>(state: State, stream: string, store: EventStore, behaviour: Behaviour<State, unknown>): Promise<void> {
  for (let pages = 1; ; pages += 1) {
    const page = await store.readStream(stream, behaviour.revisionOf(state) + 1, PAGE);
    behaviour.absorb(state, page);
    if (page.length < PAGE) return;
    if (pages % PAGES_AT_ONCE === 0) await setImmediate();
  }
}
