/** Commits of other processes are found by asking SQLite for its version; that costs some microseconds. */
const POLL_MS = 15;

/** Wakes those who wait for new events: at once after a commit of this store, soon after one of another process. */
export class Changes {
  private count = 0;
  private lastVersion: string | undefined;
  private readonly sleepers = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly version: () => string) {}

  /** To be taken before a read; then `after` cannot miss what is written during the read. */
  now(): number {
    return this.count;
  }

  announce(): void {
    this.count++;
    for (const wake of [...this.sleepers]) wake();
  }

  /** Resolves when something may have been written since `seen`, or when the signal is aborted. */
  after(seen: number, signal: AbortSignal): Promise<void> {
    if (seen !== this.count || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.sleepers.delete(wake);
        if (this.sleepers.size === 0) this.stop();
        resolve();
      };
      signal.addEventListener('abort', wake);
      this.sleepers.add(wake);
      // A follower alone does not keep the process alive.
      this.timer ??= setInterval(() => this.poll(), POLL_MS).unref();
    });
  }

  private poll(): void {
    let version: string | undefined;
    try {
      version = this.version();
    } catch {
      // Unknown: let the followers read; they know how to wait for a store that is away.
    }
    if (version !== undefined && version === this.lastVersion) return;
    this.lastVersion = version;
    this.announce();
  }

  private stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
