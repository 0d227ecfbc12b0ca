import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export type CommandOutcome = 'accepted' | 'replayed' | 'refused' | 'failed';

const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * What Prometheus may know. Labels are bounded by the code: routes, status classes, command types, outcomes; never an id of a
 * wallet. Other parts of the service register their own metrics in `registry`.
 */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  private readonly commands = new Counter({
    name: 'ledger_commands_total',
    help: 'Commands by type and outcome',
    labelNames: ['type', 'outcome'] as const,
    registers: [this.registry],
  });
  private readonly requests = new Histogram({
    name: 'ledger_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [this.registry],
  });
  /** Children of the metrics, so that a request does not pay for finding them by their labels. */
  private readonly counted = new Map<string, Counter.Internal>();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** A figure that somebody else keeps, read when it is asked for. */
  observe(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect: function () {
        this.set(read());
      },
    });
  }

  commanded(type: string, outcome: CommandOutcome): void {
    const name = `${type} ${outcome}`;
    let counter = this.counted.get(name);
    if (counter === undefined) this.counted.set(name, (counter = this.commands.labels(type, outcome)));
    counter.inc();
  }

  /** Records the requests of one route: status code and milliseconds. */
  requestsOf(method: string, route: string): (status: number, elapsedMs: number) => void {
    const classes = new Map<number, Histogram.Internal<'method' | 'route' | 'status'>>();
    return (status, elapsedMs) => {
      const hundreds = Math.floor(status / 100);
      let histogram = classes.get(hundreds);
      if (histogram === undefined) classes.set(hundreds, (histogram = this.requests.labels(method, route, `${hundreds}xx`)));
      histogram.observe(elapsedMs / 1000);
    };
  }
}
