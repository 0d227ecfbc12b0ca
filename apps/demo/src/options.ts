import { parseArgs } from 'node:util';

export interface Options {
  /** A trace of real conversations; without it they are generated. */
  trace?: string;
  seed: number;
  /** Data folder of the service, the same default as `npm start` has. */
  data: string;
  json: boolean;
}

export class BadOption extends Error {}

const SEED_MAX = 2 ** 31 - 1;

export const USAGE = 'npm run demo [-- --trace FILE] [--seed N] [--data FOLDER] [--json]';

/** @throws BadOption says which option is wrong and how it is written */
export function parseOptions(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): Options {
  let values: { trace?: string; seed?: string; data?: string; json?: boolean };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: { trace: { type: 'string' }, seed: { type: 'string' }, data: { type: 'string' }, json: { type: 'boolean' } },
    }));
  } catch (error) {
    throw new BadOption(`${(error as Error).message}. Usage: ${USAGE}`);
  }
  const seed = values.seed ?? '1';
  if (!/^\d{1,10}$/.test(seed) || Number(seed) > SEED_MAX)
    throw new BadOption(`--seed must be a whole number from 0 to ${SEED_MAX}, not ${seed}.`);
  return {
    ...(values.trace !== undefined && { trace: values.trace }),
    seed: Number(seed),
    data: values.data ?? environment.DATA_DIR ?? './data',
    json: values.json ?? false,
  };
}
