import { EventStore } from '@ledger/event-store';
import { Inject, Injectable } from '@nestjs/common';
import { Status } from '../publishing/status';

export interface LagNow {
  /** Position of the last event of the store. */
  head: bigint;
  /** Age of the oldest event that is not in Kafka yet; 0 when all are. Undefined before the first take-over. */
  seconds: number | undefined;
}

const STORE_ANSWERS_WITHIN_MS = 2_000;

/** How far Kafka is behind the store, asked of the store itself, so that it is right in every state of the publisher. */
@Injectable()
export class Lag {
  private asking: Promise<LagNow | undefined> | undefined;

  constructor(
    @Inject(EventStore) private readonly store: EventStore,
    private readonly status: Status,
  ) {}

  /** Undefined when the store does not answer. However many ask, the store is asked once at a time. */
  now(): Promise<LagNow | undefined> {
    this.asking ??= this.ask().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async ask(): Promise<LagNow | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, STORE_ANSWERS_WITHIN_MS, undefined)));
    return Promise.race([this.read().catch(() => undefined), late]).finally(() => clearTimeout(timer));
  }

  private async read(): Promise<LagNow> {
    const head = await this.store.headPosition();
    const position = this.status.checkpoint?.position;
    if (position === undefined) return { head, seconds: undefined };
    const [next] = await this.store.readAll(position, 1);
    return { head, seconds: next ? Math.max(0, Date.now() - Date.parse(atOf(next.data))) / 1000 : 0 };
  }
}

/** A poisoned event may say no instant. */
function atOf(data: string): string {
  try {
    return (JSON.parse(data) as { at: string }).at;
  } catch {
    return '';
  }
}
