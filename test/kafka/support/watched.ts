import { setTimeout as pause } from 'node:timers/promises';

const FIT_MAX_MS = 60_000;
const POLL_MS = 20;
const SAID_SHOWN = 3_000;

export interface Health {
  status: string;
  state: string;
  reason?: string;
  halt?: string;
  position?: string;
  head?: string;
  lagSeconds?: number;
  /** Of the HTTP answer. */
  code: number;
}

/** A publisher that a test looks at from outside. */
export abstract class Watched {
  /** What it wrote so far, the last part of it. */
  said = '';

  abstract health(): Promise<Health>;
  /** @throws when it is no more */
  protected abstract mustRun(): void;

  /** Resolves with the first health that fits. @throws with what the publisher said when none does in time */
  async healthy(fits: (health: Health) => boolean, maxMs = FIT_MAX_MS): Promise<Health> {
    let last: Health | undefined;
    await this.until(
      async () => fits((last = await this.health())),
      maxMs,
      () => `another health than ${JSON.stringify(last)}`,
    );
    return last!;
  }

  /** Resolves when everything that is in the store is committed to Kafka. */
  caughtUp(maxMs = FIT_MAX_MS): Promise<Health> {
    return this.healthy(({ status, lagSeconds }) => status === 'ready' && lagSeconds === 0, maxMs);
  }

  /** Resolves when it has written what matches. */
  says(pattern: RegExp | string, maxMs = FIT_MAX_MS): Promise<void> {
    const matches = (): boolean => (typeof pattern === 'string' ? this.said.includes(pattern) : pattern.test(this.said));
    return this.until(matches, maxMs, () => `it to say ${pattern}`);
  }

  protected async until(fits: () => boolean | Promise<boolean>, maxMs: number, meant: () => string): Promise<void> {
    for (const end = Date.now() + maxMs; ; await pause(POLL_MS)) {
      this.mustRun();
      if (await fits()) return;
      if (Date.now() > end) throw new Error(`waited ${maxMs} ms for ${meant()}. ${this.said.slice(-SAID_SHOWN)}`);
    }
  }
}
