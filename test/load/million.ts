import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../apps/demo/src/table';
import { type Phase, PHASES, type Result } from './million-phases';

/**
 * What a long history costs: `npm run bench:million`. Generates three ledgers (spread, one hot wallet, many wallets) and measures
 * each question in a process of its own, so that neither memory nor warmed-up code of one flatters the next.
 */

const EVENTS = 1_000_000;
const WALLETS = 1_000_000;
const ACTIVE = 100_000;
/** Of a wallet that was only opened, granted and given something. */
const EVENTS_A_WALLET = 3;
const USAGE = 'npm run bench:million [-- --events N] [--wallets N] [--active N] [--folder KEPT] [--json]';

interface Sizes {
  events: number;
  wallets: number;
  active: number;
}

/** In the order in which each needs what those before it left in the folder. */
function planned({ events, wallets, active }: Sizes): [Phase, number][] {
  return [
    ['generate spread', events],
    ['rebuild spread', events],
    ['fold spread', events],
    ['generate hot', events],
    ['rebuild hot', events],
    ['fold hot', events],
    ['first command without a snapshot', events],
    ['first command with a snapshot', events],
    ['keys of long ago', events],
    ['generate known', wallets * EVENTS_A_WALLET],
    ['rebuild known', wallets * EVENTS_A_WALLET],
    ['active wallets', active],
  ];
}

/** Runs one phase in a process of its own. @throws when it fails */
function measured(phase: Phase, count: number, folder: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    let result: Result | undefined;
    const child = fork(__filename, ['--phase', phase, '--count', String(count), '--folder', folder], { execArgv: process.execArgv });
    child.on('message', (message) => (result = message as Result));
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 && result ? resolve(result) : reject(new Error(`"${phase}" ended with ${code}`))));
  });
}

async function million(sizes: Sizes, kept: string | undefined, json: boolean): Promise<void> {
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'ledger-million-'));
  const results: Result[] = [];
  try {
    for (const [phase, count] of planned(sizes)) {
      results.push(await measured(phase, count, folder));
      if (!json) console.error(`${phase}: done`);
    }
  } finally {
    if (kept === undefined) rmSync(folder, { recursive: true, force: true });
  }
  if (json) return console.log(JSON.stringify({ sizes, results }));
  const rows = results.flatMap(({ phase, figures }) => figures.map(({ name, value, goal }) => [phase, name, value, goal ?? '']));
  console.log(table(['what', 'figure', 'measured', 'goal'], rows));
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const options = { events: text, wallets: text, active: text, folder: text, phase: text, count: text, json: { type: 'boolean' } } as const;
  const { values } = parseArgs({ options, strict: true });
  const whole = (name: 'events' | 'wallets' | 'active' | 'count', fallback: number): number => {
    const value = values[name] ?? String(fallback);
    if (!/^[1-9]\d{0,7}$/.test(value)) throw new Error(`--${name} must be a whole number from 1 to 99999999. Usage: ${USAGE}`);
    return Number(value);
  };
  if (values.phase !== undefined) {
    const result = await PHASES[values.phase as Phase](whole('count', EVENTS), values.folder ?? '.');
    process.send?.({ phase: values.phase, figures: result });
    return;
  }
  const sizes = { events: whole('events', EVENTS), wallets: whole('wallets', WALLETS), active: whole('active', ACTIVE) };
  await million(sizes, values.folder, values.json === true);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
