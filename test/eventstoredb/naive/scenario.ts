/** What a naive program and the specs that start it agree on. No import here brings the client along. */

/** One line of JSON on standard output, when the scenario is over or given up. */
export interface NaiveReport {
  /** The promise that the naive program waited for had not settled when it gave up. */
  hangs?: boolean;
  /** Rejections that nobody could catch: they end a process that does not listen for them. */
  unhandled: string[];
  /** What came back, by what was asked. */
  outcomes: string[];
  /** Revisions of the events that the program handled, in order. */
  handled: number[];
}

/** Clients of a program, by the servers they are for. */
export interface NaiveSettings {
  url: string;
  otherUrl?: string;
  stream: string;
  /** How many events the stream holds, where the scenario reads them. */
  events?: number;
  /** After so long a call is said to hang. Short only where the spec expects that it does. */
  patienceMs?: number;
}

/** On a busy machine an answer may take seconds; no call that is answered at all takes as long as this. */
export const PATIENCE_MS = 20_000;
/** Far more than an answer takes, where the spec knows that there will be none. */
export const EXPECTS_TO_HANG_MS = 2_000;

export const NAIVE = [
  'checkpointAhead',
  'checkpointRejects',
  'unserialisable',
  'leakedReads',
  'foreignError',
  'noReply',
  'frozenHost',
  'cachedFailure',
  'retryWithRevisionReadAgain',
  'retryAsNew',
  'subscribeOnce',
  'appendOnce',
  'readOnce',
] as const;

export type NaiveName = (typeof NAIVE)[number];
