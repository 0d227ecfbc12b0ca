import { setTimeout as pause } from 'node:timers/promises';
import { StoreUnavailable } from '@ledger/event-store';
import { Logger } from '@nestjs/common';

const PAUSE_MS_MIN = 250;
const PAUSE_MS_MAX = 5_000;

/**
 * Starts what needs the event store, and goes on trying while that is away: the service starts beside it, says that it is not
 * ready, and refuses what it cannot do.
 */
export class PatientStart {
  private readonly log = new Logger('Start');
  private readonly stopping = new AbortController();
  private trying: Promise<void> = Promise.resolve();

  constructor(private readonly start: () => Promise<void>) {}

  /** @throws whatever the start throws, save that the store is away */
  async begin(): Promise<void> {
    try {
      await this.start();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.log.warn(`The service starts without its event store, and is not ready until that answers: ${error.message}.`);
      this.trying = this.goOn();
    }
  }

  /** Takes back what has not come about yet. */
  async end(): Promise<void> {
    this.stopping.abort();
    await this.trying;
  }

  private async goOn(): Promise<void> {
    const { signal } = this.stopping;
    for (let tries = 0; !signal.aborted; tries += 1) {
      const longest = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(tries, 10));
      await pause(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.start();
        this.log.warn('The event store answers, and the service goes on with its start.');
        return;
      } catch (error) {
        // That the store is away was said; anything else is news, also the second time.
        if (!(error instanceof StoreUnavailable)) this.log.error(`The start is tried again: ${String(error)}.`);
      }
    }
  }
}
