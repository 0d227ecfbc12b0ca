import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run tail -- [--from-beginning] [--json] [--max N] [--wallet user:u1]

Prints what the ledger publishes to Kafka, a line for every event; without --from-beginning only what comes from now on.
The order is right within a wallet. It goes on until Ctrl-C, or until --max events were printed.
Kafka is found as the publisher finds it: KAFKA_BROKERS, KAFKA_SSL..., KAFKA_SASL_..., EVENTS_TOPIC.`;

const MAX_MAX = 1_000_000_000_000;

export interface TailOptions {
  fromBeginning: boolean;
  json: boolean;
  /** How many events to print. */
  max: number;
  /** Only of this wallet, such as `user:u1`. */
  wallet: string | undefined;
  help: boolean;
}

/** A command line that cannot be served. The message is one sentence. */
export class BadTailOption extends Error {}

/** @throws BadTailOption */
export function readTailOptions(args: string[]): TailOptions {
  const values = parse(args);
  const max = values.max === undefined ? MAX_MAX : /^\d{1,12}$/.test(values.max) ? Number(values.max) : 0;
  if (!(max >= 1)) throw new BadTailOption(`--max must be a whole number from 1 on, and is "${values.max}".`);
  const { wallet } = values;
  if (wallet !== undefined && !/^(organisation|user):[A-Za-z0-9._~-]{1,64}$/.test(wallet))
    throw new BadTailOption(`--wallet must be a wallet such as user:u1 or organisation:acme, and is "${wallet}".`);
  return { fromBeginning: values['from-beginning'] ?? false, json: values.json ?? false, max, wallet, help: values.help ?? false };
}

function parse(args: string[]) {
  try {
    const flag = { type: 'boolean' } as const;
    const text = { type: 'string' } as const;
    return parseArgs({ args, strict: true, options: { 'from-beginning': flag, json: flag, max: text, wallet: text, help: flag } }).values;
  } catch (error) {
    throw new BadTailOption(`${(error as Error).message.replace(/\.?$/, '.')}`);
  }
}
