import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** How long each scenario runs in each round. */
  seconds: number;
  rounds: number;
  wallets: number;
  connections: number;
  json: boolean;
}

export class BadOption extends Error {}

const USAGE =
  'npm run bench [-- --seconds N] [--rounds N] [--wallets N] [--connections N] [--json], or npm run bench -- --million, --eventstoredb or --kafka [its options]';

/** @throws BadOption says which option is wrong and how it is written */
export function parseOptions(args: readonly string[]): BenchOptions {
  let values: { [name: string]: string | boolean | undefined };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        seconds: { type: 'string' },
        rounds: { type: 'string' },
        wallets: { type: 'string' },
        connections: { type: 'string' },
        json: { type: 'boolean' },
      },
    }));
  } catch (error) {
    throw new BadOption(`${(error as Error).message}. Usage: ${USAGE}`);
  }
  const whole = (name: string, fallback: number, max: number) => {
    const value = values[name] ?? String(fallback);
    if (typeof value !== 'string' || !/^[1-9]\d{0,5}$/.test(value) || Number(value) > max)
      throw new BadOption(`--${name} must be a whole number from 1 to ${max}. Usage: ${USAGE}`);
    return Number(value);
  };
  return {
    seconds: whole('seconds', 2, 600),
    rounds: whole('rounds', 5, 100),
    wallets: whole('wallets', 10_000, 100_000),
    connections: whole('connections', 64, 1_000),
    json: values.json === true,
  };
}
