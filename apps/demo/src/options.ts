import { parseArgs } from 'node:util';
import { BadEventStoreUrl, checkedEventStoreUrl } from '@ledger/event-store';

export interface Options {
  /** A trace of real conversations; without it they are generated. */
  trace?: string;
  seed: number;
  /** Data folder of the service, the same default as `npm start` has. */
  data: string;
  /** Connection string of a store to use instead of the embedded one in the folder. */
  eventStore?: string;
  json: boolean;
}

export class BadOption extends Error {}

const SEED_MAX = 2 ** 31 - 1;

export const USAGE = 'npm run demo [-- --trace FILE] [--seed N] [--data FOLDER] [--event-store URL] [--json]';

/** @throws BadOption says which option is wrong and how it is written */
export function parseOptions(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): Options {
  let values: { trace?: string; seed?: string; data?: string; 'event-store'?: string; json?: boolean };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        trace: { type: 'string' },
        seed: { type: 'string' },
        data: { type: 'string' },
        'event-store': { type: 'string' },
        json: { type: 'boolean' },
      },
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
    ...(values['event-store'] !== undefined && { eventStore: eventStoreUrl(values['event-store']) }),
    data: values.data ?? environment.DATA_DIR ?? './data',
    json: values.json ?? false,
  };
}

function eventStoreUrl(text: string): string {
  try {
    return checkedEventStoreUrl(text);
  } catch (error) {
    throw error instanceof BadEventStoreUrl ? new BadOption(`--event-store ${error.message}`) : error;
  }
}
