/** Sending to one client: with its back-pressure, and until it is gone. */
import type { Refusal } from './refusals';

/** What it needs of a call that streams answers. */
interface StreamingCall<Resp> {
  readonly cancelled: boolean;
  write(message: Resp): boolean;
  end(): unknown;
  on(event: 'cancelled' | 'close' | 'error', told: () => void): unknown;
  once(event: 'drain', told: () => void): unknown;
  emit(event: 'error', refusal: Refusal): boolean;
}

/** For one sender at a time: each `await` of it ends when there is room, or when the client is gone. */
export class Answer<Resp> {
  private ended = false;
  private wake: () => void = () => undefined;

  constructor(private readonly call: StreamingCall<Resp>) {
    const gone = () => {
      this.ended = true;
      this.wake();
    };
    call.on('cancelled', gone);
    call.on('close', gone);
    // A client that is killed resets its streams; that is no error of the server.
    call.on('error', gone);
  }

  get gone(): boolean {
    return this.ended || this.call.cancelled;
  }

  /** Without waiting for room: for answers that a client's own appends in flight bound. */
  post(message: Resp): void {
    if (!this.gone) this.call.write(message);
  }

  async send(message: Resp): Promise<void> {
    if (this.gone || this.call.write(message)) return;
    await this.pause((wake) => this.call.once('drain', wake));
  }

  /** Waits for whatever `start` hands its argument to. */
  pause(start: (wake: () => void) => void): Promise<void> {
    if (this.gone) return Promise.resolve();
    return new Promise((resolve) => {
      this.wake = resolve;
      start(resolve);
    });
  }

  end(): void {
    if (!this.gone) this.call.end();
    this.ended = true;
    this.wake();
  }

  fail(refusal: Refusal): void {
    if (this.ended) return;
    this.call.emit('error', refusal);
    this.ended = true;
    this.wake();
  }
}
