/**
 * kafkajs asks for timers of negative length, which mean at once. From version 24 on Node warns of each; the warning is noise, all
 * others stay.
 */
export function quietTimers(): void {
  const emit = process.emitWarning.bind(process) as (...args: unknown[]) => void;
  process.emitWarning = (...args: unknown[]): void => {
    if (args[1] !== 'TimeoutNegativeWarning') emit(...args);
  };
}
