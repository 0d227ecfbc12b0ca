import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from 'pino';
import { LOG } from '../operations/log';
import { Settings } from '../settings';
import { MessageSink } from '../sink/message-sink';

/** How often the other one's signs of life are looked at, as a part of the silence that is waited for. */
const LOOKS = 9;
/** Of the pauses; else two that stand by would take over together, fence each other and stand by again. */
const JITTER = 0.3;

/** What a publisher does that another one has fenced: nothing, until that one is silent. */
@Injectable()
export class StandBy {
  constructor(
    @Inject(MessageSink) private readonly sink: MessageSink,
    @Inject(Settings) private readonly settings: Settings,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  /** Resolves when no publisher of this id has done anything for STANDBY_SECONDS, or when the signal is aborted. */
  async untilSilent(signal: AbortSignal): Promise<void> {
    const { standbyMs } = this.settings;
    // By this process's own clock, from one look to another: the clocks of two machines need not agree.
    let silentSince = performance.now();
    let last: string | undefined;
    while (!signal.aborted && performance.now() - silentSince < standbyMs) {
      const sign = await this.look();
      if (sign === undefined || sign !== last) silentSince = performance.now();
      last = sign;
      const ms = (standbyMs / LOOKS) * (1 + JITTER * Math.random());
      await pause(ms, undefined, { signal }).catch(() => undefined);
    }
    if (!signal.aborted) this.log.warn(`the other publisher has been silent for ${standbyMs / 1000} s; taking over`);
  }

  private async look(): Promise<string | undefined> {
    try {
      return await this.sink.signOfLife();
    } catch (error) {
      // Kafka is away for the other one too, and says nothing about it.
      this.log.debug({ err: error }, 'could not look for the other publisher');
      return undefined;
    }
  }
}
