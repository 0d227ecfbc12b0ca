import { LRUCache } from 'lru-cache';
import { type Answer, type Ask, type Behaviour, type MailboxOptions, type Waiting } from './ask';
import { type EventStore, StoreClosed } from './event-store';
import { Mailbox } from './mailbox';

export interface MailboxesOptions extends MailboxOptions {
  /** Sum of the sizes (Behaviour.sizeOf) of the folded states kept in memory; the least recently used go first and are loaded again. */
  sizeMax: number;
}

/** The mailboxes of all wallets of one kind: those with work to do, and the folded states. */
export class Mailboxes<State extends object, Attempt> {
  private readonly busy = new Map<string, Mailbox<State, Attempt>>();
  /** Each in a holder of its own: that is how the cache notices that a state has grown. */
  private readonly resting: LRUCache<string, { state: State }>;
  private closed = false;
  private readonly waitingForDrain: (() => void)[] = [];

  constructor(
    private readonly store: EventStore,
    private readonly behaviour: Behaviour<State, Attempt>,
    private readonly options: MailboxesOptions,
  ) {
    this.resting = new LRUCache({ maxSize: options.sizeMax, sizeCalculation: ({ state }) => behaviour.sizeOf(state) });
  }

  /**
   * Decides on the wallet's state and appends what comes of it.
   * @throws the ask's refusal; Overloaded, Contention; StoreUnavailable, OutcomeUnknown, AppendTooLarge, StoreClosed
   */
  ask<Result>(stream: string, ask: Ask<State, Attempt, Result>): Promise<Answer<Result>> {
    return new Promise((resolve, reject) => {
      if (this.closed) throw new StoreClosed();
      const waiting: Waiting<State, Attempt> = { ask, resolve: resolve as (answer: Answer<unknown>) => void, reject };
      this.mailboxOf(stream).post(waiting);
    });
  }

  /** Takes nothing new, and resolves when everything that waits was answered. */
  async drain(): Promise<void> {
    this.closed = true;
    if (this.busy.size > 0) await new Promise<void>((resolve) => this.waitingForDrain.push(resolve));
  }

  private mailboxOf(stream: string): Mailbox<State, Attempt> {
    const busy = this.busy.get(stream);
    if (busy) return busy;
    // The mailbox owns its state while it works on it: nobody else gets at what is not durable, for busy ones are found first.
    const state = this.resting.get(stream)?.state;
    const mailbox = new Mailbox(stream, this.store, this.behaviour, this.options, state, (left) => this.rest(stream, left));
    this.busy.set(stream, mailbox);
    return mailbox;
  }

  private rest(stream: string, state: State | undefined): void {
    this.busy.delete(stream);
    if (state === undefined) this.resting.delete(stream);
    else this.resting.set(stream, { state });
    if (this.busy.size === 0) for (const drained of this.waitingForDrain.splice(0)) drained();
  }
}
