/** How far a read model has read, on its way to the head that the store had when it began. */
export interface Progress {
  position: bigint;
  head: bigint;
  /** Rounded down, so that 100 is said of nothing that is not done. */
  percent: number;
}

/** Positions begin at 0 or 1, and -1 is before the first: an empty store is read whole from the start. */
export function progressOf(position: bigint, head: bigint): Progress {
  if (position >= head) return { position, head, percent: 100 };
  const percent = position < 0n ? 0 : Number((position * 100n) / head);
  return { position, head, percent: Math.min(99, percent) };
}

/** A service that catches up says so often how far it is. */
export const PROGRESS_LOG_MS = 5_000;

/** Says how far it is, once in a while; nobody needs to hear of what takes less than that. */
export class ProgressLog {
  private toldAt: number | undefined;

  constructor(
    private readonly say: (sentence: string) => void,
    private readonly everyMs: number,
  ) {}

  tell(progress: Progress): void {
    const now = performance.now();
    this.toldAt ??= now;
    if (now - this.toldAt < this.everyMs) return;
    this.toldAt = now;
    this.say(sentenceOf(progress));
  }
}

const sentenceOf = ({ position, head, percent }: Progress): string => `${percent} %: position ${position} of ${head}`;
