import type { ServerResponse } from 'node:http';
import { EventStore, type Place } from '@ledger/event-store';
import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { Tokens } from '../auth/tokens';
import { Positions } from '../http/position';
import { Problem } from '../http/problem';
import { Metrics } from '../operations/metrics';
import { type Audience, type FeedFilter, onlyStream } from './audience';
import { FeedBounds } from './bounds';
import { PageGate, PagesOfAll, PagesOfStream } from './catching-up';
import { LiveWindow } from './live-window';
import { Reader } from './reader';

/** When the service stops, a socket that takes nothing holds it up no longer than this. */
const SHUTDOWN_FAREWELL_MS = 300;

export interface FeedRequest {
  audience: Audience;
  filter: FeedFilter;
  from: Place;
  authorization: string | undefined;
}

/** All readers of this instance: how many there may be, what time asks of them, and their end. */
@Injectable()
export class Readers implements OnModuleDestroy {
  private readonly log = new Logger('EventFeed');
  /** Each with its token; until its connection is closed, so that who was cut off still counts. */
  private readonly readers = new Map<Reader, string | undefined>();
  private readonly gate = new PageGate();
  private readonly window: LiveWindow;
  private readonly cuts: Counter<'reason'>;
  private admitted = 0;
  private sweeping: NodeJS.Timeout | undefined;
  private closing = false;

  constructor(
    @Inject(EventStore) private readonly store: EventStore,
    private readonly positions: Positions,
    private readonly tokens: Tokens,
    private readonly bounds: FeedBounds,
    { registry }: Metrics,
  ) {
    this.window = new LiveWindow(store, bounds);
    const registers = [registry];
    const readers = () => this.readers.size;
    new Gauge({
      name: 'ledger_event_readers',
      help: 'Readers of GET /v1/events',
      registers,
      collect() {
        this.set(readers());
      },
    });
    this.cuts = new Counter({
      name: 'ledger_event_readers_cut_total',
      help: 'Readers cut off, by reason',
      labelNames: ['reason'],
      registers,
    });
  }

  /** Takes a place for a reader; `serve` or `leave` must follow. @throws Problem OVERLOADED, STORE_UNAVAILABLE */
  enter(): void {
    if (this.closing) throw new Problem('STORE_UNAVAILABLE', 'This instance is shutting down: come back with Last-Event-ID.');
    if (this.admitted >= this.bounds.readersMax)
      throw new Problem('OVERLOADED', `${this.bounds.readersMax} readers follow the events of this instance already.`);
    this.admitted += 1;
  }

  leave(): void {
    this.admitted -= 1;
  }

  /** Serves a reader until its stream ends. The answer's head must be written. */
  async serve(response: ServerResponse, { audience, filter, from, authorization }: FeedRequest): Promise<void> {
    const { store, gate, window, bounds } = this;
    const stream = onlyStream(audience, filter);
    const reader = new Reader({
      response,
      audience,
      filter,
      from,
      window,
      bounds,
      pages: stream === undefined ? new PagesOfAll(store, gate) : new PagesOfStream(store, gate, stream),
      idWriter: () => this.positions.writer(),
      failed: (error) => this.log.error(`A reader of events met a defect: ${error instanceof Error ? error.stack : String(error)}`),
    });
    this.readers.set(reader, authorization);
    response.once('close', () => {
      this.readers.delete(reader);
      this.leave();
      if (this.readers.size > 0) return;
      clearInterval(this.sweeping);
      this.sweeping = undefined;
    });
    this.sweeping ??= setInterval(() => this.sweep(), bounds.sweepMs).unref();
    try {
      await window.listen(reader.onWritten);
      if (this.closing) reader.cut('SHUTTING_DOWN', SHUTDOWN_FAREWELL_MS);
      await reader.run();
    } catch (error) {
      this.log.warn(`The store did not say where its end is: ${String(error)}.`);
      reader.cut('STORE_UNAVAILABLE');
    } finally {
      window.unlisten(reader.onWritten);
      if (reader.reason !== undefined) this.cuts.inc({ reason: reader.reason });
    }
  }

  /** Ends all streams, so that a server that waits for its connections can stop. */
  end(): void {
    this.closing = true;
    for (const reader of this.readers.keys()) reader.cut('SHUTTING_DOWN', SHUTDOWN_FAREWELL_MS);
  }

  onModuleDestroy(): void {
    this.end();
  }

  private sweep(): void {
    const now = performance.now();
    for (const [reader, authorization] of this.readers) {
      reader.tick(now);
      // A token is remembered until it ends, five minutes at most: then it is verified again, so that a withdrawn key counts too.
      if (this.tokens.known(authorization) === undefined) this.tokens.principal(authorization).catch(() => reader.cut('TOKEN_ENDED'));
    }
  }
}
