/** Letting go of a broker that is frozen is not waited for. */
const CLOSE_MAX_MS = 1_000;

/** Waits for what may never end, but not long, and does not care how it ends. */
export async function bounded(ending: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, CLOSE_MAX_MS)));
  await Promise.race([ending.catch(() => undefined), late]);
  clearTimeout(timer);
}
