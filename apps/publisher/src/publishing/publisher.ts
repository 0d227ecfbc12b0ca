import { setTimeout as pause } from 'node:timers/promises';
import { EventStore, StoreClosed, type StoredEvent } from '@ledger/event-store';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOG } from '../operations/log';
import { PublisherMetrics } from '../operations/publisher-metrics';
import { Settings } from '../settings';
import type { Checkpoint } from '../sink/checkpoint';
import { Halt } from '../sink/halt';
import { MessageSink, MessagesTooLarge, SinkFenced, type SinkSession } from '../sink/message-sink';
import { BackOff } from './back-off';
import { type Batch, Batches } from './batches';
import { firstCheckpoint } from './first-checkpoint';
import { mapped, poison } from './mapping';
import { checkStore, Continuity } from './source-checks';
import { StandBy } from './stand-by';
import { Status } from './status';

/** Events of one read of the store. */
const PAGE = 500;
/** A transaction under way gets this long to end when the process is told to. */
const FINISH_MS = 4_000;

/**
 * Event store -> Kafka, exactly once. One reign after another: take over, compare the store with the checkpoint, publish until
 * something fails. Whatever failed, what was committed is read from Kafka by the next take-over, never guessed.
 */
@Injectable()
export class Publisher implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly stopping = new AbortController();
  private readonly backOff = new BackOff();
  private running: Promise<void> = Promise.resolve();
  /** Up to this position events go one by one, to find the one that Kafka refuses as too large. */
  private suspectUntil: bigint | undefined;

  constructor(
    @Inject(EventStore) private readonly store: EventStore,
    @Inject(MessageSink) private readonly sink: MessageSink,
    @Inject(Settings) private readonly settings: Settings,
    private readonly standBy: StandBy,
    private readonly status: Status,
    private readonly metrics: PublisherMetrics,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, FINISH_MS)));
    await Promise.race([this.running, late]);
    clearTimeout(timer);
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted)
      try {
        await this.reign();
      } catch (error) {
        if (signal.aborted) break;
        await this.after(error);
      }
    if (!this.status.halt) this.status.is('stopped', 'The publisher was told to stop.');
  }

  /** Ends by being told to stop, or by throwing. */
  private async reign(): Promise<void> {
    this.status.is('taking over', 'It asks Kafka how far its predecessor has come.');
    const session = await this.sink.takeOver();
    const reading = new AbortController();
    try {
      const checkpoint = session.checkpoint ?? (await firstCheckpoint(session, this.store, this.settings));
      this.status.checkpoint = checkpoint;
      this.comparePartitions(checkpoint, session);
      await checkStore(checkpoint, this.store);
      this.log.info({ position: String(checkpoint.position), count: checkpoint.count }, 'publishing after the checkpoint');
      this.status.is('publishing');
      await this.publishFrom(checkpoint, session, AbortSignal.any([this.stopping.signal, reading.signal]));
    } finally {
      reading.abort();
      await session.close();
    }
  }

  private async publishFrom(begin: Checkpoint, session: SinkSession, signal: AbortSignal): Promise<void> {
    const pages = this.store.follow(begin.position, { batchMax: PAGE, signal });
    const batches = new Batches(pages, this.mapping(begin.position), this.limits());
    let checkpoint = begin;
    try {
      while (!signal.aborted) {
        const batch = await batches.next(this.settings.heartbeatMs);
        if (signal.aborted) return;
        if (!batch && batches.over) throw new StoreClosed();
        checkpoint = batch ? await this.send(batch, checkpoint, session) : await this.heartbeat(checkpoint, session);
        this.status.checkpoint = checkpoint;
        this.backOff.reset();
        if (this.suspectUntil !== undefined && checkpoint.position >= this.suspectUntil) {
          this.suspectUntil = undefined;
          batches.limits = this.limits();
        }
      }
    } finally {
      // Reading ends by the signal, which the caller aborts; what was read ahead is dropped.
      batches.drop();
    }
  }

  private mapping(after: bigint) {
    const continuity = new Continuity(after);
    return (stored: StoredEvent) => {
      continuity.check(stored);
      return mapped(stored, this.settings);
    };
  }

  private limits() {
    const { batchEventsMax, batchBytesMax, lingerMs } = this.settings;
    return { events: this.suspectUntil === undefined ? batchEventsMax : 1, bytes: batchBytesMax, lingerMs };
  }

  private async send(batch: Batch, { mark, count, partitions }: Checkpoint, session: SinkSession): Promise<Checkpoint> {
    const { id, stream, revision, position } = batch.last;
    const next: Checkpoint = {
      position,
      last: { eventId: id, stream, revision },
      mark: mark ?? (await this.store.mark()),
      count: count + batch.events.length,
      partitions,
    };
    const began = performance.now();
    try {
      await session.publish(batch, next);
    } catch (error) {
      if (!(error instanceof MessagesTooLarge)) throw error;
      if (batch.events.length === 1) throw poison(batch.last, 'Kafka refuses it as larger than max.message.bytes of the topic');
      this.suspectUntil = position;
      throw error;
    }
    this.metrics.published(batch, performance.now() - began);
    return next;
  }

  /** Says that this publisher lives, and keeps what Kafka knows of it from expiring. */
  private async heartbeat(checkpoint: Checkpoint, session: SinkSession): Promise<Checkpoint> {
    await session.publish({ events: [], balances: [] }, checkpoint);
    return checkpoint;
  }

  private comparePartitions({ partitions }: Checkpoint, session: SinkSession): void {
    const { events, balances } = session.partitions;
    if (partitions.events === events && partitions.balances === balances) return;
    throw new Halt(
      'PARTITIONS_CHANGED',
      `The topics have ${events} and ${balances} partitions (events, balances), and had ${partitions.events} and ${partitions.balances} ` +
        'when their first event was published: wallets would change their partition and lose their order.',
    );
  }

  private async after(error: unknown): Promise<void> {
    if (error instanceof Halt) return this.haltedBy(error);
    if (error instanceof SinkFenced) {
      this.metrics.fenced();
      this.status.is('standing by', 'Another publisher of this id is at work.');
      this.log.warn('another publisher has taken over; standing by');
      return this.standBy.untilSilent(this.stopping.signal);
    }
    const reason = error instanceof Error ? error.message : String(error);
    this.metrics.failed();
    this.status.is('waiting', reason);
    const ms = error instanceof MessagesTooLarge ? 0 : this.backOff.next();
    this.log.warn({ err: error, againMs: Math.round(ms) }, `not publishing: ${reason}`);
    await pause(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  private async haltedBy(halt: Halt): Promise<void> {
    this.status.halt = halt;
    this.status.is('halted', halt.message);
    this.log.fatal({ halt: halt.code }, `halted: ${halt.message}`);
    if (this.settings.onHalt === 'exit') process.exitCode = HALTED_STATUS;
    const { signal } = this.stopping;
    if (this.settings.onHalt === 'exit') process.kill(process.pid, 'SIGTERM');
    if (!signal.aborted) await new Promise((stop) => signal.addEventListener('abort', stop, { once: true }));
  }
}

/** The status with which a halted publisher ends. */
export const HALTED_STATUS = 3;
