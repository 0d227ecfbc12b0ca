import { setImmediate as endOfTurn, setTimeout as pause } from 'node:timers/promises';
import type { ClientReadableStream } from '@grpc/grpc-js';
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb';
import { StoreClosed, type StoredEvent } from '../event-store';
import type { Connection } from './connection';
import type { Link } from './link';
import { PositionUnknown, SILENCE_MS } from './reading';
import { allBehind } from './requests';
import { positionOf, storedEvent } from './stored-events';

const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 5_000;
/** Events that are held for a consumer that is slower than the store, before the connection's own back-pressure begins. */
const HELD_MIN = 64;

/** What a subscription brings, in order: events, and word that nothing of ours stands up to a position. */
type Item = StoredEvent | bigint;

/** Subscribes behind the last event that the consumer has handled, again and again, for ever. */
export async function* follow(
  connection: Connection,
  after: bigint,
  { batchMax, signal }: { batchMax: number; signal: AbortSignal },
): AsyncGenerator<StoredEvent[], void, undefined> {
  let position = after;
  for (let failures = 0; !signal.aborted; failures += 1) {
    let subscription: Subscription | undefined;
    try {
      subscription = new Subscription(await connection.current(), connection, position, batchMax, signal);
      for (;;) {
        const { events, upTo } = await subscription.next(batchMax);
        if (signal.aborted) return;
        if (events.length > 0) yield events;
        // Only now was it handled: the position moves behind it, never before.
        if (upTo !== undefined) position = upTo;
        failures = 0;
      }
    } catch (error) {
      if (error instanceof StoreClosed || signal.aborted) return;
      if (error instanceof PositionUnknown) throw error;
    } finally {
      subscription?.end();
    }
    const longest = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(failures, 10));
    await pause(longest * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** One call of the server's, and what it has brought so far. */
class Subscription {
  private readonly call: ClientReadableStream<ReadResp>;
  private readonly items: Item[] = [];
  private readonly heldMax: number;
  private failure: unknown;
  private ended = false;
  private wake: () => void = () => undefined;
  /** Ends one that is never confirmed; later silence is what nothing happening sounds like, and keep-alive pings watch over that. */
  private readonly timer: NodeJS.Timeout;
  private readonly aborted = () => this.fail(new StoreClosed());

  constructor(
    private readonly link: Link,
    private readonly connection: Connection,
    private readonly position: bigint,
    batchMax: number,
    private readonly signal: AbortSignal,
  ) {
    this.heldMax = Math.max(HELD_MIN, 2 * batchMax);
    const begun = performance.now();
    this.call = link.read(allBehind(position), false);
    this.timer = setTimeout(() => {
      connection.silent(link, begun);
      this.fail(new Error(`it did not confirm a subscription within ${SILENCE_MS / 1000} s`));
    }, SILENCE_MS);
    this.call.on('data', (answer: ReadResp) => this.read(answer));
    this.call.on('error', (error) => this.broken(error));
    this.call.on('end', () => this.fail(new Error('the event store ended a subscription')));
    signal.addEventListener('abort', this.aborted);
    if (signal.aborted) this.aborted();
  }

  /** Waits for something, and takes what is there then. `upTo` is where the follower goes on after it has handled the events. */
  async next(batchMax: number): Promise<{ events: StoredEvent[]; upTo: bigint | undefined }> {
    if (this.items.length === 0 && this.failure === undefined) {
      await new Promise<void>((wake) => (this.wake = wake));
      // What comes in the same turn belongs to the same batch: a consumer works per batch.
      await endOfTurn();
    }
    if (this.items.length === 0) throw this.failure;
    const events: StoredEvent[] = [];
    let upTo: bigint | undefined;
    let taken = 0;
    for (const item of this.items) {
      if (typeof item === 'bigint') upTo = item;
      else if (events.length === batchMax) break;
      else upTo = events[events.push(item) - 1]!.position;
      taken += 1;
    }
    this.items.splice(0, taken);
    if (this.items.length < this.heldMax) this.call.resume();
    return { events, upTo };
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.signal.removeEventListener('abort', this.aborted);
    this.link.finished(this.call, false);
  }

  private read(answer: ReadResp): void {
    clearTimeout(this.timer);
    this.connection.answered(this.link);
    try {
      const item = itemOf(answer);
      // A server that begins at the position itself would bring its event twice.
      if (item === undefined || (typeof item !== 'bigint' && item.position <= this.position)) return;
      this.items.push(item);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (this.items.length >= this.heldMax) this.call.pause();
    this.wake();
  }

  private fail(error: unknown): void {
    this.failure ??= error;
    this.wake();
  }

  private broken(error: unknown): void {
    // Our own cancelling comes back as an error too, and says nothing about the link.
    if (this.ended) return;
    const trouble = this.connection.failed(this.link, error);
    this.fail(trouble.kind === 'badPosition' ? new PositionUnknown(this.position) : error);
  }
}

function itemOf(answer: ReadResp): Item | undefined {
  const record = answer.getEvent()?.getEvent();
  if (record) return storedEvent(record);
  return answer.hasCheckpoint() ? positionOf(answer.getCheckpoint()?.getCommitPosition() ?? '') : undefined;
}
