const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 30_000;

/** Doubles with every failure in a row, jittered so that instances do not try in step. Ends at once when aborted. */
export async function pause(failures: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** failures);
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, longest * (0.5 + Math.random() / 2));
    signal.addEventListener('abort', done);
  });
}
