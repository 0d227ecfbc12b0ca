import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { audit } from '../../apps/auditor/src/main';

/** The auditor as its users call it: a process of its own, the built one. */

const MAIN = join(__dirname, '../../dist/apps/auditor/src/main.js');
const SETTINGS = ['EVENT_STORE_URL', 'DATA_DIR', 'PLATFORM_TIME_ZONE', 'FREE_TOKENS_PER_MONTH', 'PRICE_TABLE_PATH'];
const OUTPUT_MAX = 256 * 1024 * 1024;
/** A program that never ends fails its test instead of stopping it. */
const RUN_MS_MAX = 60_000;

export interface Ran {
  status: number;
  out: string;
  err: string;
}

export async function auditor(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there, and these tests run the built auditor: "npx nest build auditor" makes it.`);
  return run(process.execPath, [MAIN, ...args], env);
}

/** The same in the process of the test, for what does not need a process of its own. */
export async function auditorHere(args: string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const said = { out: '', err: '' };
  const status = await audit(args, {
    env,
    out: (line) => void (said.out += `${line}\n`),
    err: (line) => void (said.err += `${line}\n`),
  });
  return { status, ...said };
}

/** Runs a program to its end, whatever its status. */
export async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  // The settings of whoever runs the tests are not the tests' own.
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !SETTINGS.includes(name)));
  return new Promise((done, failed) => {
    execFile(
      program,
      args,
      { env: { ...own, ...env }, maxBuffer: OUTPUT_MAX, timeout: RUN_MS_MAX, killSignal: 'SIGKILL' },
      (error, out, err) => {
        if (error && typeof error.code !== 'number') failed(new Error(`${program} did not run to its end`, { cause: error }));
        else done({ status: error ? Number(error.code) : 0, out, err });
      },
    );
  });
}

/** Whether a program answers; tests of what it says are skipped without it, with one line that says so, and fail where CI requires it. */
export async function present(program: string, args: readonly string[], how: string): Promise<boolean> {
  const ran = await run(program, args).catch(() => undefined);
  if (ran?.status === 0) return true;
  if (process.env.CI_REQUIRED === '1') throw new Error(`${program} is required and missing: ${how}`);
  process.stdout.write(`skipped: ${program} is missing (${how})\n`);
  return false;
}
