/** Time that passes only when a test lets it: a second costs nothing, and the same seed gives the same order of everything. */
export class VirtualTime {
  private at = 0;
  private readonly due: { at: number; run: () => void }[] = [];

  now(): number {
    return this.at;
  }

  after(ms: number, run: () => void): void {
    const at = this.at + ms;
    let index = this.due.length;
    // What is due at the same time runs in the order in which it was asked for.
    while (index > 0 && this.due[index - 1]!.at > at) index -= 1;
    this.due.splice(index, 0, { at, run });
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets everything happen that is due within `ms`, with all that follows from it. */
  async pass(ms = Infinity): Promise<void> {
    const until = this.at + ms;
    for (;;) {
      await turn();
      const next = this.due[0];
      if (next === undefined || next.at > until) break;
      this.due.shift();
      this.at = next.at;
      next.run();
    }
    if (until !== Infinity) this.at = until;
  }

  /** Lets time pass until nothing is due any more, and gives what became of the promise; a promise that hangs fails. */
  async outcomeOf<T>(promise: Promise<T>): Promise<T> {
    const hanging = Symbol('hanging');
    const watched = promise.catch(() => undefined);
    await this.pass();
    if (
      (await Promise.race([
        watched,
        Promise.resolve()
          .then(() => turn())
          .then(() => hanging),
      ])) === hanging
    ) {
      throw new Error('nothing is due any more, and the promise still hangs');
    }
    return promise;
  }
}

/** The end of a turn of the event loop comes after every promise that can go on by itself. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
