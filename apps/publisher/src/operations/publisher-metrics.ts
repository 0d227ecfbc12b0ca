import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Batch } from '../publishing/batches';
import { STATES, Status } from '../publishing/status';
import { Lag } from './lag';

const TRANSACTION_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const AGE_BUCKETS_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3_600];

/** What Prometheus may know. Labels are bounded by the code; never an id of a wallet. */
@Injectable()
export class PublisherMetrics {
  readonly registry = new Registry();
  private readonly counters = {
    events: this.counter('ledger_publisher_events_total', 'Events committed to Kafka by this process'),
    skipped: this.counter('ledger_publisher_skipped_total', 'Events of SKIP_EVENTS, committed as ledger.skipped'),
    fenced: this.counter('ledger_publisher_fenced_total', 'Times that another publisher of this id took over'),
    failures: this.counter('ledger_publisher_failures_total', 'Sessions that ended by a failure of Kafka or of the store'),
  };
  private readonly transactions = new Histogram({
    name: 'ledger_publisher_transaction_seconds',
    help: 'Time of a Kafka transaction with events',
    buckets: TRANSACTION_BUCKETS_SECONDS,
    registers: [this.registry],
  });
  private readonly ages = new Histogram({
    name: 'ledger_publisher_event_age_seconds',
    help: 'Age of the oldest event of a transaction when it was committed, by the clock of the one who wrote it',
    buckets: AGE_BUCKETS_SECONDS,
    registers: [this.registry],
  });

  constructor(status: Status, lag: Lag) {
    collectDefaultMetrics({ register: this.registry });
    new Gauge({
      name: 'ledger_publisher_state',
      help: '1 for what the publisher does right now',
      labelNames: ['state'] as const,
      registers: [this.registry],
      collect() {
        for (const state of STATES) this.set({ state: state.replaceAll(' ', '_') }, state === status.state ? 1 : 0);
      },
    });
    const figure = (name: string, help: string, read: () => Promise<number | undefined>): void => {
      new Gauge({
        name,
        help,
        registers: [this.registry],
        async collect() {
          const value = await read();
          // What is not known is not shown, rather than shown as 0.
          if (value === undefined) this.reset();
          else this.set(value);
        },
      }).reset();
    };
    figure(
      'ledger_publisher_lag_seconds',
      'Age of the oldest event that is not in Kafka yet; 0 when all are',
      async () => (await lag.now())?.seconds,
    );
    figure('ledger_publisher_store_head_position', 'Position of the last event of the store', async () =>
      asNumber((await lag.now())?.head),
    );
    figure('ledger_publisher_position', 'Position of the last event that is in Kafka', async () => asNumber(status.checkpoint?.position));
    figure('ledger_publisher_published', 'Events in Kafka, of all processes of this id', async () => status.checkpoint?.count);
  }

  published({ events, skipped, first }: Batch, elapsedMs: number): void {
    this.counters.events.inc(events.length);
    this.counters.skipped.inc(skipped);
    this.transactions.observe(elapsedMs / 1000);
    this.ages.observe(Math.max(0, Date.now() - atOf(first.data)) / 1000);
  }

  fenced(): void {
    this.counters.fenced.inc();
  }

  failed(): void {
    this.counters.failures.inc();
  }

  private counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.registry] });
  }
}

const asNumber = (position: bigint | undefined): number | undefined => (position === undefined ? undefined : Number(position));
const atOf = (data: string): number => Date.parse((JSON.parse(data) as { at: string }).at);
