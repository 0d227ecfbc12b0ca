/** Requests that wait until the views hold a position, or until an allocation is settled. Woken by batches, never polling. */

/** More than any server serves at once; whoever comes later is told at once that the position is not there. */
const WAITERS_MAX = 10_000;

interface Waiter {
  position: bigint;
  allocationId: string | undefined;
  answer: (reached: boolean) => void;
}

export class Waiting {
  private readonly waiters = new Set<Waiter>();

  /** Whether somebody waits for a position that is not there yet; who waits for a settlement only, waits for others. */
  beyond(position: bigint): boolean {
    for (const waiter of this.waiters) if (waiter.position > position) return true;
    return false;
  }

  /** Resolves true when woken for it, false after `timeoutMs`. */
  wait(position: bigint, allocationId: string | undefined, timeoutMs: number): Promise<boolean> {
    if (this.waiters.size >= WAITERS_MAX) return Promise.resolve(false);
    return new Promise((resolve) => {
      const answer = (reached: boolean) => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
        resolve(reached);
      };
      const waiter: Waiter = { position, allocationId, answer };
      const timer = setTimeout(answer, timeoutMs, false);
      this.waiters.add(waiter);
    });
  }

  /** `from` and `position` are what the views held before and after a batch, `progressed` the allocations that got on in it. */
  wake(from: bigint, position: bigint, progressed: ReadonlySet<string>, isOpen: (allocationId: string) => boolean): void {
    for (const { position: wanted, allocationId, answer } of this.waiters) {
      if (wanted > position) continue;
      // An allocation is looked at when its position comes, and then only when one of its lines was received.
      if (allocationId !== undefined && wanted <= from && !progressed.has(allocationId)) continue;
      if (allocationId === undefined || !isOpen(allocationId)) answer(true);
    }
  }

  /** Answers everybody that it was not reached. */
  end(): void {
    for (const { answer } of this.waiters) answer(false);
  }
}
