import { saysUnavailable } from '@ledger/event-store';
import { BadArguments, CLEAN, type Command, COULD_NOT_RUN, saysCouldNotRun, type Surroundings } from './cli/command';
import { checkProof } from './cli/check-proof';
import { keygen } from './cli/keygen';
import { prove } from './cli/prove';
import { oneLine } from './cli/shown';
import { verify } from './cli/verify';
import { diffCommand } from './diff/diff-command';
import { explainCommand } from './explain/explain-command';
import { exportCommand } from './export/export-command';
import { replayCommand } from './replay/replay-command';

/** The auditor: `npm run audit -- <command>`. It reads a store and never writes to it. */

/** By name. A command imports what is heavy to load when it runs, not above its code. */
const COMMANDS: Readonly<Record<string, Command>> = {
  verify,
  keygen,
  prove,
  'check-proof': checkProof,
  replay: replayCommand,
  explain: explainCommand,
  diff: diffCommand,
  export: exportCommand,
};

function help(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(14)}${summary}`);
  return ['Usage: npm run audit -- <command> [options]', '', ...lines, '', 'npm run audit -- <command> --help says more.'].join('\n');
}

/** Runs one command. Answers the exit status: 0 clean, 1 findings, 2 could not run. */
export async function audit([name, ...args]: string[], surroundings: Surroundings): Promise<number> {
  const { out, err } = surroundings;
  if (name === undefined || name === '--help' || name === 'help') {
    out(help());
    return name === undefined ? COULD_NOT_RUN : CLEAN;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    err(`There is no command "${name}".\n${help()}`);
    return COULD_NOT_RUN;
  }
  const usage = `Usage: npm run audit -- ${command.usage}`;
  if (args.includes('--help')) {
    out(`${command.summary}\n${usage}`);
    return CLEAN;
  }
  try {
    return await command.run(args, surroundings);
  } catch (error) {
    // Of a store that is away or damaged also in the middle of the work, and in any thread.
    if (saysUnavailable(error)) err(`The event store cannot be read: ${error.message}.`);
    else if (saysCouldNotRun(error)) err(oneLine(error.message));
    else throw error;
    if (error instanceof BadArguments) err(usage);
    return COULD_NOT_RUN;
  }
}

if (require.main === module) {
  // A reader that has gone, such as `head`, has had enough; an answer that found no room is none.
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') return;
    console.error(`Standard output cannot be written (${code}).`);
    process.exit(COULD_NOT_RUN);
  });
  void audit(process.argv.slice(2), { env: process.env, out: console.log, err: console.error }).then(
    (status) => (process.exitCode = status),
    (error: unknown) => {
      console.error(error);
      process.exitCode = COULD_NOT_RUN;
    },
  );
}
