import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HowFar } from './how-far';
import type { FromKeeping, KeepingOptions, ToKeeping } from './keeping';
import { progressOf } from './progress';

type Seen = Extract<FromKeeping, { position: bigint }>;

/** A thread would else take as much for young objects as the one that answers, which has many more. */
const YOUNG_MIB = 24;

/** The thread could not go on. Nothing that it did not commit was ever seen. */
export class KeeperFailed extends Error {
  constructor(
    reason: string,
    /** True when the file can only be thrown away. */
    readonly useless: boolean,
  ) {
    super(reason);
    this.name = 'KeeperFailed';
  }
}

/** The compiled thread; undefined where the source runs as it is, as in tests: then the thread that answers keeps the views too. */
export function keeperScript(): string | undefined {
  const script = join(__dirname, 'keeping-worker.js');
  return existsSync(script) ? script : undefined;
}

/**
 * Keeps a read model beside the thread that answers: folding an event and writing its rows costs about what deciding and storing it
 * does, and a commit of many rows would hold up every request.
 */
export class Keeper {
  private readonly done: Promise<void>;
  private readonly worker: Worker;
  private hurried = false;
  private stopped = false;
  /** True once the thread has opened the very file of the store that bears its name now; another may be put in its place later. */
  isOpen = false;

  /** `before` is called when more can be seen, before anybody is told. */
  constructor(
    script: string,
    options: KeepingOptions,
    private readonly far: HowFar,
    private readonly before: () => void,
  ) {
    this.worker = new Worker(script, { workerData: options, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB } });
    this.done = new Promise((resolve, reject) => {
      let failure: Error | undefined;
      this.worker.on('message', (news: FromKeeping) => {
        if (news === 'open') this.opened();
        else if ('failed' in news) failure = new KeeperFailed(news.failed, news.useless);
        else if ('reading' in news) far.building(progressOf(news.reading, far.headAtStart));
        else this.goOn(news);
      });
      this.worker.once('error', (error) => (failure = error));
      // Not before: until then it has the file open.
      this.worker.once('exit', () => (failure === undefined ? resolve() : reject(failure)));
    });
  }

  /** While somebody waits for a position, what is read is committed at once. */
  hurry(waiting: boolean): void {
    if (waiting) this.say('hurry');
    else if (this.hurried) this.say('calm');
    this.hurried = waiting;
  }

  /** Resolves when it was told to stop and has ended. @throws KeeperFailed, or the error of the thread itself */
  async until(signal: AbortSignal): Promise<void> {
    const stop = () => {
      this.stopped = true;
      this.say('stop');
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    try {
      await this.done;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  private opened(): void {
    this.isOpen = true;
    // Whoever waits until all is ready.
    this.far.tell();
  }

  private goOn({ position, mark, progressed }: Seen): void {
    if (this.stopped || position < this.far.position) return;
    this.before();
    this.far.mark ??= mark;
    this.far.goOnTo(position, progressed);
    this.hurry(this.far.isAwaited);
  }

  private say(told: ToKeeping): void {
    this.worker.postMessage(told);
  }
}
