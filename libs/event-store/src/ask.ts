import type { NewEvent, StoredEvent, StreamHead } from './event-store';

/** What may be asked of a wallet's mailbox, what it answers, and the bounds it keeps. */

/** Asks that one append can gather. */
export const ASKS_MAX = 256;
/** Asks that one wallet lets wait. */
export const QUEUE_MAX = 20_000;
/** Rounds of decisions, without any progress, before a wallet gives up on conflicts. */
export const ROUNDS_MAX = 10;
/** Fetches that one ask may want in a round. */
export const FETCHES_MAX = 8;

/** What the mailboxes must know of the state that they keep. */
export interface Behaviour<State, Attempt> {
  empty(stream: string): State;
  revisionOf(state: State): number;
  /** What the state weighs in memory, in parts of about 200 bytes; at least 1. */
  sizeOf(state: State): number;
  /** Folds stored events, which follow one another; the mailbox owns the state, so it may be mutated. */
  absorb(state: State, events: readonly StoredEvent[]): void;
  /** A fresh place for what asks fetch. Each round of decisions gets its own, so that nothing read before an ask arrived is used for it. */
  newAttempt(state: State): Attempt;
  /** Without it every cold load begins at the first event. */
  shelf?: Shelf<State>;
}

/**
 * Where folded states lie for the next cold load, which then reads only what came after. It is disposable: with nothing on it, or
 * with what does not fit the store, every answer is the same, only later.
 */
export interface Shelf<State> {
  /** A state of this stream as it was at some revision; the caller owns it. It must not throw. */
  nearest(stream: string): State | undefined;
  /** Whether this stored event is the last one that the state was folded from; it must prove all events before it too. */
  endsWith(state: State, event: StoredEvent): boolean;
  /** Whether the state has moved on far enough to be worth keeping. */
  isDue(state: State): boolean;
  /** Keeps a durable state, after the answers that hang on it were given. It must not throw. */
  keep(stream: string, state: State): void;
}

/** What an ask came to on some state. */
export interface Ruled<Result> {
  /** To be appended behind the state; none for a refusal, a replay, a question. */
  events: readonly NewEvent[];
  /** Folds `events` into the state. */
  apply?(): void;
  /** Answered, once everything it was decided on is durable: the result, or the refusal that the caller meets. */
  result?: Result;
  refusal?: Error;
}

/** An ask cannot be decided yet: fetch first, then rule again. */
export class Wanted {
  constructor(
    readonly fetch: () => Promise<void>,
    /** True when what is fetched may hang on events that are decided but not yet appended. */
    readonly needsDurable = false,
  ) {}
}

/** A pure decision on the state; called again after every conflict, and after every fetch that it wanted. */
export type Ask<State, Attempt, Result> = (state: State, attempt: Attempt) => Ruled<Result> | Wanted;

export interface Answer<Result> extends StreamHead {
  result: Result;
  /** Id of the last event of the append; undefined when nothing was appended: the head is then the one that the ask was ruled on. */
  appendedId: string | undefined;
}

export interface MailboxOptions {
  /** An append of unknown outcome is repeated for so long. */
  attemptMs: number;
  now(): number;
  pause(ms: number): Promise<void>;
}

/** More asks wait for this wallet than it lets wait. */
export class Overloaded extends Error {
  constructor(stream: string) {
    super(`${QUEUE_MAX} commands wait for ${stream} already`);
    this.name = 'Overloaded';
  }
}

/** Other writers were first, again and again. Nothing was written. */
export class Contention extends Error {
  constructor(stream: string) {
    super(`other writers of ${stream} were first ${ROUNDS_MAX} times in a row`);
    this.name = 'Contention';
  }
}

export interface Waiting<State, Attempt> {
  ask: Ask<State, Attempt, unknown>;
  resolve: (answer: Answer<unknown>) => void;
  reject: (error: unknown) => void;
}
