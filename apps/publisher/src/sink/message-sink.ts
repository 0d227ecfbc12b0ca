import type { Checkpoint, Partitions } from './checkpoint';

/** The port to the log of messages. kafkajs stands behind it, so that another client can take its place. */

export interface OutgoingMessage {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What one transaction holds beside the checkpoint. Both may be empty: then only the checkpoint is written. */
export interface Outgoing {
  /** In the order of the store. */
  readonly events: readonly OutgoingMessage[];
  /** At most one a wallet. */
  readonly balances: readonly OutgoingMessage[];
}

export abstract class MessageSink {
  /**
   * Makes this process the publisher: what its predecessor had not committed can never be committed any more, and what it had
   * committed is in the checkpoint.
   * @throws SinkFenced another process was faster
   * @throws SinkUnavailable try again later
   * @throws Halt
   */
  abstract takeOver(): Promise<SinkSession>;

  /** A text that changes whenever any publisher of this id works. @throws SinkUnavailable */
  abstract signOfLife(): Promise<string>;
}

/** One reign of this process. After any error it is over: close it and take over again; the checkpoint tells what was committed. */
export abstract class SinkSession {
  /** As it was at the take-over; undefined when this publisher has never published. */
  abstract readonly checkpoint: Checkpoint | undefined;
  abstract readonly partitions: Partitions;

  /** True when the events topic has never held a message. @throws SinkUnavailable */
  abstract isUntouched(): Promise<boolean>;

  /**
   * Writes all messages and the checkpoint, or none of it.
   * @throws SinkFenced another process has taken over; nothing was written
   * @throws MessagesTooLarge nothing was written
   * @throws SinkUnavailable it may have been written or not
   * @throws Halt
   */
  abstract publish(outgoing: Outgoing, checkpoint: Checkpoint): Promise<void>;

  /** Lets go of the connections; never throws. Nothing of an unfinished transaction will be seen. */
  abstract close(): Promise<void>;
}

/** Another process of the same publisher id has taken over. */
export class SinkFenced extends Error {
  constructor(options?: { cause?: unknown }) {
    super('another publisher of this id has taken over', options);
    this.name = 'SinkFenced';
  }
}

/** Kafka cannot be reached, or did not do what was asked; whether it wrote is for the next take-over to find out. */
export class SinkUnavailable extends Error {
  constructor(reason: string, options?: { cause?: unknown }) {
    super(reason, options);
    this.name = 'SinkUnavailable';
  }
}

/** A message, or all of one partition together, are larger than the topic takes. */
export class MessagesTooLarge extends Error {
  constructor(options?: { cause?: unknown }) {
    super('Kafka refuses the messages as too large', options);
    this.name = 'MessagesTooLarge';
  }
}
