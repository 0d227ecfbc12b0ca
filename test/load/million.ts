import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../apps/demo/src/table';
import { EVENTS_A_WALLET } from './generate';
import { type Figure, type Phase, PHASES, type Result } from './million-phases';

/**
 * What a long history costs: `npm run bench:million`, or `npm run bench -- --million`. Generates three ledgers (`generate.ts`: spread
 * over 10,000 wallets, one hot wallet, very many wallets), two at a time, then measures each question in a process of its own, so
 * that neither memory nor warmed-up code of one flatters the next.
 */

const EVENTS = 1_000_000;
const WALLETS = 1_000_000;
const ACTIVE = 100_000;
/** Ledgers are made on so many processors together; what is measured runs alone. */
const GENERATORS = 2;
const USAGE = 'npm run bench:million [-- --events N] [--wallets N] [--active N] [--folder KEPT] [--json]';

interface Sizes {
  events: number;
  wallets: number;
  active: number;
}

/** The longest first. */
const generated = ({ events, wallets }: Sizes): [Phase, number][] => [
  ['generate known', wallets * EVENTS_A_WALLET],
  ['generate spread', events],
  ['generate hot', events],
];

/** In the order in which each needs what those before it left in the folder. */
function planned({ events, wallets, active }: Sizes): [Phase, number][] {
  return [
    ['rebuild spread', events],
    ['replay spread', events],
    ['fold spread', events],
    ['rebuild hot', events],
    ['fold hot', events],
    ['first command without a snapshot', events],
    ['first command with a snapshot', events],
    ['keys of long ago', events],
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

async function measureAll(sizes: Sizes, kept: string | undefined, json: boolean): Promise<void> {
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'ledger-million-'));
  const began = performance.now();
  const results: Result[] = [];
  const measure = async (left: [Phase, number][]): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const result = await measured(...next, folder);
      results.push(result);
      // At once, so that a run that is stopped has said what it found.
      const found = result.figures.map(({ name, value }) => `${name} ${value}`).join(', ');
      if (!json) console.error(`${next[0]}: ${found} (after ${Math.round((performance.now() - began) / 1_000)} s)`);
    }
  };
  try {
    const ledgers = generated(sizes);
    await Promise.all(Array.from({ length: GENERATORS }, () => measure(ledgers)));
    await measure(planned(sizes));
  } finally {
    if (kept === undefined) rmSync(folder, { recursive: true, force: true });
  }
  console.log(json ? JSON.stringify({ sizes, results }) : printed(results));
}

function printed(results: readonly Result[]): string {
  const all = results.flatMap(({ phase, figures }) => figures.map((figure) => ({ phase, ...figure })));
  const asked = all.filter((figure): figure is typeof figure & Required<Figure> => figure.goal !== undefined);
  const goals = asked.map(({ phase, name, value, goal }) => [phase, name, value, goal.what, goal.met ? 'yes' : 'no']);
  const others = all.filter(({ goal }) => goal === undefined).map(({ phase, name, value }) => [phase, name, value]);
  return [
    'The four figures:\n',
    table(['what', 'figure', 'measured', 'goal', 'met'], goals),
    '\nBeside them (on a busy machine processor time says more than the clock):\n',
    table(['what', 'figure', 'measured'], others),
  ].join('\n');
}

/** `args` as of the command line. */
export async function million(args: readonly string[]): Promise<void> {
  const text = { type: 'string' } as const;
  const options = { events: text, wallets: text, active: text, folder: text, phase: text, count: text, json: { type: 'boolean' } } as const;
  const { values } = parseArgs({ args: [...args], options, strict: true });
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
  await measureAll(sizes, values.folder, values.json === true);
}

if (require.main === module)
  million(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
