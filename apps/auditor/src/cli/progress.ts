import { Presets, SingleBar } from 'cli-progress';

/** How far a long reading has come: a bar on a terminal, a line now and then elsewhere, nothing for machines. */
export interface Progress {
  at(events: number): void;
  stop(): void;
}

/** Lines about progress are at least so far apart. */
const LINE_EVERY_MS = 10_000;

/** `total` is a good guess: positions of a store may have gaps. */
export function progressOf(total: number, kind: 'terminal' | 'lines' | 'none', err: (line: string) => void): Progress {
  if (kind === 'none') return { at: () => undefined, stop: () => undefined };
  const began = performance.now();
  if (kind === 'lines') {
    let last = began;
    return {
      at(events) {
        const now = performance.now();
        if (now - last < LINE_EVERY_MS) return;
        last = now;
        err(`${events.toLocaleString('en')} events read, ${Math.round((events / (now - began)) * 1_000).toLocaleString('en')}/s.`);
      },
      stop: () => undefined,
    };
  }
  const bar = new SingleBar({ format: '{bar} {percentage} % | {value} of {total} events | {eta_formatted} left', stream: process.stderr, clearOnComplete: true }, Presets.shades_classic); // prettier-ignore
  bar.start(Math.max(1, total), 0);
  return { at: (events) => bar.update(Math.min(events, total)), stop: () => bar.stop() };
}
