import { StoreUnavailable } from '../event-store';

interface Waiter {
  go: () => void;
  give: (error: unknown) => void;
  timer: NodeJS.Timeout;
}

/** Bounds the calls that are in flight, and those that wait for their turn. */
export class Slots {
  private free: number;
  private readonly waiting = new Set<Waiter>();

  constructor(
    count: number,
    private readonly waitingMax: number,
    /** Whoever waits longer for a turn is refused. */
    private readonly waitMs: number,
  ) {
    this.free = count;
  }

  /** @throws StoreUnavailable when there is no turn in time: the work has not begun. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.free > 0) this.free -= 1;
    else await this.turn();
    try {
      return await work();
    } finally {
      this.release();
    }
  }

  private turn(): Promise<void> {
    if (this.waiting.size >= this.waitingMax)
      return Promise.reject(new StoreUnavailable(`${this.waiting.size} calls are waiting for the event store already`));
    return new Promise((go, give) => {
      const waiter: Waiter = { go, give, timer: setTimeout(() => this.tooLate(waiter), this.waitMs) };
      this.waiting.add(waiter);
    });
  }

  private tooLate(waiter: Waiter): void {
    this.waiting.delete(waiter);
    waiter.give(new StoreUnavailable(`the event store is too busy: a call had no turn within ${this.waitMs / 1000} s`));
  }

  private release(): void {
    for (const waiter of this.waiting) {
      this.waiting.delete(waiter);
      clearTimeout(waiter.timer);
      waiter.go();
      return;
    }
    this.free += 1;
  }
}
