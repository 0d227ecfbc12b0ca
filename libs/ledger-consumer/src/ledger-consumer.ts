import { TOPICS } from '@ledger/event-contract';
import type { Consumer, ConsumerCrashEvent, EachBatchPayload, Kafka } from 'kafkajs';
import { type Applied, applyMessages } from './applying';
import type { Effects } from './effects';
import { CannotGoOn } from './received';

export interface LedgerConsumerOptions<Transaction> {
  /** Processes of one group share the partitions. Where a group has read to is a hint only: the revisions say what was applied. */
  groupId: string;
  effects: Effects<Transaction>;
  /** Default: `ledger.wallet-events.v1`. */
  topic?: string;
  /** After so long without a sign of life another process takes over. Default 30 s. */
  sessionTimeoutMs?: number;
  /** Most messages of one transaction. Default 500. */
  batchMax?: number;
  /** Told after each transaction. */
  onApplied?: (applied: Applied) => void;
  /** Told of everything that the effects throw, and that will be tried again. */
  onFailed?: (error: unknown) => void;
}

const SESSION_TIMEOUT_MS = 30_000;
const BATCH_MAX = 500;

/**
 * Reads the events topic from its beginning, only what is committed, and applies every event once. What the effects throw is tried
 * again, for ever, with growing pauses, unless it is a mistake in the program (TypeError and its like): that ends it, and so does a
 * gap or an unreadable message.
 */
export class LedgerConsumer<Transaction> {
  /** Resolves after `stop`; rejects with what it cannot go on after (CannotGoOn, or what Kafka refuses for good). */
  readonly ended: Promise<void>;
  private readonly consumer: Consumer;
  private end!: (error?: Error) => void;
  private started: Promise<void> = Promise.resolve();

  constructor(
    kafka: Kafka,
    private readonly options: LedgerConsumerOptions<Transaction>,
  ) {
    this.ended = new Promise((resolve, reject) => (this.end = (error) => (error ? reject(error) : resolve())));
    const sessionTimeout = options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS;
    this.consumer = kafka.consumer({
      groupId: options.groupId,
      sessionTimeout,
      heartbeatInterval: Math.ceil(sessionTimeout / 10),
      allowAutoTopicCreation: false,
      // What a transaction of the publisher has not committed is not there (this client's default, said all the same).
      readUncommitted: false,
    });
    this.consumer.on(this.consumer.events.CRASH, ({ payload }: ConsumerCrashEvent) => {
      if (!payload.restart) this.fail(payload.error);
    });
  }

  /** Resolves when it reads. @throws when Kafka cannot be reached or the topic is not there */
  start(): Promise<void> {
    this.started = this.begin();
    return this.started;
  }

  private async begin(): Promise<void> {
    await this.consumer.connect();
    await this.consumer.subscribe({ topic: this.options.topic ?? TOPICS.events.name, fromBeginning: true });
    await this.consumer.run({ eachBatchAutoResolve: false, eachBatch: (payload) => this.take(payload) });
  }

  /** Ends after the transaction under way. */
  async stop(): Promise<void> {
    await this.consumer.disconnect();
    this.end();
  }

  /** The messages of one partition, in pieces that one transaction each can hold. */
  private async take(payload: EachBatchPayload): Promise<void> {
    const { effects, batchMax = BATCH_MAX, onApplied, onFailed } = this.options;
    const { messages } = payload.batch;
    for (let from = 0; from < messages.length; from += batchMax) {
      if (!payload.isRunning() || payload.isStale()) return;
      const piece = messages.slice(from, from + batchMax);
      try {
        const applied = await applyMessages(piece, effects);
        onApplied?.(applied);
      } catch (error) {
        if (error instanceof CannotGoOn) {
          payload.pause();
          return this.fail(error);
        }
        onFailed?.(error);
        throw error;
      }
      // The group may forget this: it would read the piece again, and skip it.
      payload.resolveOffset(piece.at(-1)!.offset);
      await payload.commitOffsetsIfNecessary();
      await payload.heartbeat();
    }
  }

  private fail(error: Error): void {
    // Not before whoever waits for the start can look at `ended`: until then it would be a rejection that nobody handles.
    const tell = (): void => void setImmediate(() => this.end(error));
    this.started.then(tell, tell);
    // Not waited for: it waits for the batch that this is called from.
    this.consumer.disconnect().catch(() => undefined);
  }
}
