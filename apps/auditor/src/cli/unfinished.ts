import { rmSync } from 'node:fs';

/** Files under way: they are gone when somebody ends the process, which then ends as it would have without us. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const files = new Set<string>();

export function begun(file: string): void {
  if (files.size === 0) for (const signal of SIGNALS) process.on(signal, removeAll);
  files.add(file);
}

export function ended(file: string): void {
  files.delete(file);
  if (files.size === 0) stopListening();
}

function stopListening(): void {
  for (const signal of SIGNALS) process.off(signal, removeAll);
}

function removeAll(signal: NodeJS.Signals): void {
  for (const file of files) rmSync(file, { force: true });
  stopListening();
  // Nobody listens any more, so it ends the process, and whoever started it learns of the signal.
  process.kill(process.pid, signal);
}
