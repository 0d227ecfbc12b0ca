const FIRST_MS = 200;
const MAX_MS = 5_000;

/** Ever longer pauses between attempts, with full jitter, so that several processes do not knock together. */
export class BackOff {
  private ceilingMs = FIRST_MS;

  next(): number {
    const ms = Math.random() * this.ceilingMs;
    this.ceilingMs = Math.min(2 * this.ceilingMs, MAX_MS);
    return ms;
  }

  reset(): void {
    this.ceilingMs = FIRST_MS;
  }
}
