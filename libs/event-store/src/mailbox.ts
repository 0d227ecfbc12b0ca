import {
  type Ask,
  ASKS_MAX,
  type Behaviour,
  Contention,
  FETCHES_MAX,
  type MailboxOptions,
  Overloaded,
  QUEUE_MAX,
  ROUNDS_MAX,
  type Ruled,
  type Waiting,
  Wanted,
} from './ask';
import {
  type Appended,
  AppendTooLarge,
  bytesOf,
  type EventStore,
  type NewEvent,
  OutcomeUnknown,
  type StreamHead,
  StoreUnavailable,
  WrongExpectedRevision,
} from './event-store';
import { catchUp, load } from './loading';

const PAUSE_MS = 5;
const PAUSE_MS_MAX = 500;

/** Decided on the state, not yet durable. */
interface Planned<State, Attempt> {
  waiting: Waiting<State, Attempt>;
  ruled: Ruled<unknown>;
}

interface Plan<State, Attempt> {
  planned: Planned<State, Attempt>[];
  events: NewEvent[];
  /** Asks that the next append takes. */
  rest: Waiting<State, Attempt>[];
}

const refusedBy = (refusal: unknown): Ruled<never> => ({ events: [], refusal: refusal as Error });

/**
 * The queue of one wallet. While one append is in flight, asks gather; then all of them are decided, one after the other, each
 * on the state that it will find, and go into one append at the exact revision. An answer that appends nothing is given only
 * when everything it was decided on is durable, and when the stream's head, read after the ask arrived, is the state's.
 */
export class Mailbox<State, Attempt> {
  private queue: Waiting<State, Attempt>[] = [];
  private running = false;

  constructor(
    readonly stream: string,
    private readonly store: EventStore,
    private readonly behaviour: Behaviour<State, Attempt>,
    private readonly options: MailboxOptions,
    /** Undefined: must be loaded. */
    private state: State | undefined,
    /** Called when nothing waits any more, with the state if it is good. */
    private readonly idle: (state: State | undefined) => void,
  ) {}

  /** @throws Overloaded */
  post(waiting: Waiting<State, Attempt>): void {
    if (this.queue.length >= QUEUE_MAX) throw new Overloaded(this.stream);
    this.queue.push(waiting);
    if (!this.running) void this.run();
  }

  private async run(): Promise<void> {
    this.running = true;
    // Asks that arrive in the same tick go into the same append.
    await Promise.resolve();
    while (this.queue.length > 0) {
      const batch = this.queue;
      this.queue = [];
      try {
        await this.serve(batch);
      } catch (error) {
        this.state = undefined;
        for (const { reject } of batch) reject(error);
      }
      await this.shelve();
    }
    this.running = false;
    this.idle(this.state);
  }

  /** Rejecting an ask that was answered already does nothing, so an error may be given to all of a batch. */
  private async serve(batch: Waiting<State, Attempt>[]): Promise<void> {
    let open = batch;
    for (let round = 1; open.length > 0; round += 1) {
      if (round > ROUNDS_MAX) throw new Contention(this.stream);
      this.state ??= await load(this.stream, this.store, this.behaviour);
      const expected = this.behaviour.revisionOf(this.state);
      const plan = await this.plan(this.state, open);
      if (plan === 'spoiled') {
        this.state = undefined;
        round = 0;
        continue;
      }
      const outcome = plan.events.length === 0 ? await this.confirm(this.state, expected) : await this.append(expected, plan.events);
      if (outcome === 'conflict') continue;
      if (outcome === 'unknown') {
        this.state = undefined;
        const written = plan.planned.filter(({ ruled }) => ruled.events.length > 0);
        for (const { waiting } of written) waiting.reject(new OutcomeUnknown(`the store did not say whether it wrote to ${this.stream}`));
        open = [...plan.planned.filter(({ ruled }) => ruled.events.length === 0).map(({ waiting }) => waiting), ...plan.rest];
        continue;
      }
      const appendedId = plan.events.at(-1)?.id;
      for (const { waiting, ruled } of plan.planned) answer(waiting, ruled, outcome, appendedId);
      open = plan.rest;
      round = 0;
    }
  }

  /** Decides what fits one append. The state moves on with every event, before any of them is durable. */
  private async plan(state: State, open: Waiting<State, Attempt>[]): Promise<Plan<State, Attempt> | 'spoiled'> {
    const attempt = this.behaviour.newAttempt(state);
    const plan: Plan<State, Attempt> = { planned: [], events: [], rest: [] };
    let bytes = 0;
    for (const [index, waiting] of open.entries()) {
      if (index >= ASKS_MAX) {
        plan.rest = open.slice(index);
        break;
      }
      const first = ruledBy(waiting.ask, state, attempt);
      const ruled = first instanceof Wanted ? await this.fetched(first, state, waiting, attempt, plan.events.length > 0) : first;
      if (ruled === 'unfetched') continue;
      if (ruled === 'later') {
        plan.rest = open.slice(index);
        break;
      }
      const size = sizeOf(ruled.events);
      const { maxAppendBytes } = this.store;
      if (size > maxAppendBytes) {
        plan.planned.push({ waiting, ruled: refusedBy(new AppendTooLarge(size, maxAppendBytes)) });
        continue;
      }
      if (bytes + size > maxAppendBytes) {
        plan.rest = open.slice(index);
        break;
      }
      try {
        ruled.apply?.();
      } catch (error) {
        // The fold stopped half-way through the state: its neighbours are decided again, without it.
        waiting.ask = () => refusedBy(error);
        return 'spoiled';
      }
      bytes += size;
      plan.events.push(...ruled.events);
      plan.planned.push({ waiting, ruled });
    }
    return plan;
  }

  /** Fetches what an ask wants until it can be decided. A fetch that fails is its own: its neighbours go on. */
  private async fetched(
    first: Wanted,
    state: State,
    { ask, reject }: Waiting<State, Attempt>,
    attempt: Attempt,
    undurable: boolean,
  ): Promise<Ruled<unknown> | 'later' | 'unfetched'> {
    let wanted = first;
    try {
      for (let fetches = 0; fetches < FETCHES_MAX; fetches += 1) {
        if (wanted.needsDurable && undurable) return 'later';
        await wanted.fetch();
        const ruled = ruledBy(ask, state, attempt);
        if (!(ruled instanceof Wanted)) return ruled;
        wanted = ruled;
      }
      throw new StoreUnavailable(`${FETCHES_MAX} reads were not enough to decide on ${this.stream}`);
    } catch (error) {
      reject(error);
      return 'unfetched';
    }
  }

  /** The second rule: a read of the own stream, issued now, must find the state at its head. */
  private async confirm(state: State, revision: number): Promise<StreamHead | 'conflict'> {
    const head = await this.store.headOf(this.stream);
    if (head.revision === revision) return head;
    if (head.revision < revision) this.state = undefined;
    else await catchUp(state, this.stream, this.store, this.behaviour);
    return 'conflict';
  }

  /** Repeats the same ids at the same revision until the store says what became of them, for the time of an attempt. */
  private async append(expected: number, events: readonly NewEvent[]): Promise<Appended | 'conflict' | 'unknown'> {
    const until = this.options.now() + this.options.attemptMs;
    let mayLand = false;
    for (let pause = PAUSE_MS; ; pause = Math.min(2 * pause, PAUSE_MS_MAX)) {
      try {
        return await this.store.append(this.stream, expected, events);
      } catch (error) {
        if (error instanceof WrongExpectedRevision) {
          // Somebody else's events stand where ours would: ours are not there, and can never come to be.
          this.state = undefined;
          return 'conflict';
        }
        mayLand ||= error instanceof OutcomeUnknown;
        // "Nothing was written" speaks of that try alone: once one may have landed, no other error says what became of it.
        if (!mayLand) throw error;
        const transient = error instanceof OutcomeUnknown || error instanceof StoreUnavailable;
        if (!transient || this.options.now() >= until) return 'unknown';
        await this.options.pause(pause * (0.5 + Math.random()));
      }
    }
  }

  /** Between two rounds the state is durable and nobody moves it; the answers go out first. */
  private async shelve(): Promise<void> {
    const { shelf } = this.behaviour;
    if (this.state === undefined || shelf?.isDue(this.state) !== true) return;
    await this.options.pause(0);
    shelf.keep(this.stream, this.state);
  }
}

const sizeOf = (events: readonly NewEvent[]): number => events.reduce((sum, event) => sum + bytesOf(event), 0);

/**
 * What an ask throws is its own, and an answer like a refusal: it is told only of a state that is durable and at its head, so that
 * no stale state raises an alarm.
 */
function ruledBy<State, Attempt>(ask: Ask<State, Attempt, unknown>, state: State, attempt: Attempt): Ruled<unknown> | Wanted {
  try {
    return ask(state, attempt);
  } catch (error) {
    return refusedBy(error);
  }
}

function answer(
  { resolve, reject }: Pick<Waiting<unknown, unknown>, 'resolve' | 'reject'>,
  ruled: Ruled<unknown>,
  { revision, position }: StreamHead,
  appendedId: string | undefined,
): void {
  if (ruled.refusal) reject(ruled.refusal);
  else resolve({ result: ruled.result, revision, position, appendedId });
}
