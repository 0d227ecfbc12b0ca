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
}

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
