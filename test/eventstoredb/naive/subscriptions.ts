import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { streamNameFilter, type AllStreamSubscription, type Position } from '@eventstore/db-client';
import { errorOf } from './outcomes';
import type { Naive, Scenario } from './program';
import { type NaiveName, PATIENCE_MS } from './scenario';

/** Events that the process handles before it dies. */
const HANDLED_BEFORE_CRASH = 10;
const WINDOW = 4;
const SILENCE_MS = 1_500;

/** A subscription to the stream, filtered by the server, which stores every checkpoint it is told of, as the documentation shows. */
function subscribe(
  { settings }: Naive,
  client: ReturnType<Naive['connect']>,
  from: Position | undefined,
  save: (position: Position) => Promise<void>,
): AllStreamSubscription {
  return client.subscribeToAll({
    ...(from && { fromPosition: from }),
    filter: streamNameFilter({
      prefixes: [settings.stream],
      maxSearchWindow: WINDOW,
      checkpointReached: (_, position) => save(position),
    }),
  });
}

/** Handles events until there are as many, or until none came for a while; the first has the time that a new connection takes. */
async function handle({ report, settles }: Naive, subscription: AllStreamSubscription, count: number): Promise<void> {
  const reader = subscription[Symbol.asyncIterator]();
  for (let handled = 0; handled < count; handled += 1) {
    const next = reader.next();
    if (!(await settles(next, handled === 0 ? PATIENCE_MS : SILENCE_MS))) return;
    const { value, done } = await next;
    if (done === true) return;
    // Handling takes its time, as a write to a database does.
    await nextTurn();
    report.handled.push(Number(value.event?.revision));
  }
}

export const subscriptionScenarios = {
  /** Handles some, dies, and goes on from the checkpoint it has stored. */
  async checkpointAhead(naive) {
    let stored: Position | undefined;
    const save = async (position: Position) => void (stored = position);
    await handle(naive, subscribe(naive, naive.connect(), undefined, save), HANDLED_BEFORE_CRASH);
    const storedAtTheCrash = stored;
    await handle(
      naive,
      subscribe(naive, naive.connect(), storedAtTheCrash, async () => undefined),
      naive.settings.events!,
    );
  },

  /** The database that stores the checkpoint is away for once. */
  async checkpointRejects(naive) {
    let saved = 0;
    const save = async () => {
      saved += 1;
      if (saved === 2) throw new Error('the database is away');
    };
    await handle(naive, subscribe(naive, naive.connect(), undefined, save), naive.settings.events!);
    naive.report.hangs = naive.report.handled.length < naive.settings.events!;
  },

  /** Follows until the subscription ends by itself, or for as long as the spec says. */
  async subscribeOnce({ connect, settings, report, tell, told }) {
    const subscription = connect().subscribeToAll({ filter: streamNameFilter({ prefixes: [settings.stream] }) });
    subscription.once('caughtUp', () => tell('ready'));
    const following = (async () => {
      try {
        for await (const { event } of subscription) report.handled.push(Number(event?.revision));
        report.outcomes.push('ended');
      } catch (error) {
        report.outcomes.push(errorOf(error));
      }
    })();
    await told();
    await Promise.race([following, pause(PATIENCE_MS)]);
    // By now the subscription is gone or everything has come.
    await pause(SILENCE_MS);
  },
} satisfies Partial<Record<NaiveName, Scenario>>;
