import { resolve } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { BadEventStoreUrl, type EventStore, openEventStore } from '@ledger/event-store';

/** What every command of the auditor is given, so that a test can run it in its own process. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  /** A line of the answer. */
  out: (line: string) => void;
  /** A line about the work, or what went wrong. */
  err: (line: string) => void;
}

/** One subcommand. */
export interface Command {
  /** One line for the list of commands. */
  summary: string;
  /** How it is called, without `npm run audit --`. */
  usage: string;
  /** Answers the exit status: CLEAN, FINDINGS or COULD_NOT_RUN. It may also throw CouldNotRun. */
  run(args: string[], surroundings: Surroundings): Promise<number>;
}

export const CLEAN = 0;
export const FINDINGS = 1;
export const COULD_NOT_RUN = 2;

/** The command could not do its work. The message is one sentence; the exit status is 2. */
export class CouldNotRun extends Error {
  override name = 'CouldNotRun';
}

/** By its name: one that a thread has thrown comes without its class. */
export const saysCouldNotRun = (error: unknown): error is CouldNotRun =>
  error instanceof CouldNotRun || (error instanceof Error && error.name === 'CouldNotRun');

/** It was called wrongly: its usage is shown too. */
export class BadArguments extends CouldNotRun {}

/** Reads the flags of a command; what it does not know is refused. @throws BadArguments */
export function flags<const Options extends NonNullable<ParseArgsConfig['options']>>(args: string[], options: Options) {
  try {
    const { values, tokens } = parseArgs({ args, options, strict: true, tokens: true });
    refuseTwice(tokens, options);
    return values;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')) throw new BadArguments((error as Error).message);
    throw error;
  }
}

/** Of two values one would be left out, and nobody would know which. @throws BadArguments */
function refuseTwice(tokens: readonly { kind: string; name?: string }[], options: NonNullable<ParseArgsConfig['options']>): void {
  const seen = new Set<string>();
  for (const { kind, name = '' } of tokens) {
    if (kind !== 'option' || options[name]?.multiple === true) continue;
    if (seen.has(name)) throw new BadArguments(`--${name} was given twice: give it once.`);
    seen.add(name);
  }
}

/** The connection string of the store: `--event-store`, else EVENT_STORE_URL, else the embedded store of DATA_DIR (`./data`). */
export const storeUrl = (flag: string | undefined, env: Surroundings['env']): string =>
  flag ?? env.EVENT_STORE_URL ?? `sqlite:${resolve(env.DATA_DIR ?? 'data', 'events.db')}`;

/** Opens the store for reading; a store that is not there is not made. @throws CouldNotRun */
export async function openStore(url: string): Promise<EventStore> {
  try {
    return await openEventStore(url, { readOnly: true, mustExist: true });
  } catch (error) {
    if (error instanceof BadEventStoreUrl) throw new CouldNotRun(`The event store's address ${error.message}`);
    throw new CouldNotRun(`The event store cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}
