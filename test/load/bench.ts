import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildService } from '../../apps/demo/src/child-service';
import { median } from '../../apps/demo/src/percentile';
import { table } from '../../apps/demo/src/table';
import { startEcho } from './echo-child';
import { eventStoreDb } from './eventstoredb';
import { FundedWallets, type Funding } from './funded-wallets';
import type { Run } from './generator';
import { LedgerInProcess } from './in-process';
import { kafka } from './kafka';
import { million } from './million';
import { BadOption, parseOptions, type BenchOptions } from './options';
import { checkAnswers, httpScenarios, summarise, type Measured, type Scenario } from './scenarios';

const WARM_UP_SECONDS = 1;

interface Report {
  options: BenchOptions;
  funding: Funding;
  measured: Measured[];
  /** Medians of the ratios within each round, so that a machine that drifts drifts out of them. */
  spreadToEcho: number;
  hotToSpread: number;
  charged: number;
}

type Runs = Map<Scenario['name'], Run[]>;

async function bench(options: BenchOptions): Promise<Report> {
  const http = await overHttp(options);
  const direct = await inProcess(options);
  const ratios = (over: Scenario['name'], under: Scenario['name']) =>
    median(http.runs.get(over)!.map(({ perSecond }, round) => perSecond / http.runs.get(under)![round]!.perSecond));
  return {
    options,
    funding: http.funding,
    measured: [...http.measured, ...direct.measured],
    spreadToEcho: ratios('spread', 'echo'),
    hotToSpread: ratios('hot', 'spread'),
    charged: http.charged + direct.charged,
  };
}

interface Part {
  funding: Funding;
  measured: Measured[];
  runs: Runs;
  charged: number;
}

/** The service is a process of its own, and so is the echo. */
async function overHttp(options: BenchOptions): Promise<Part> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-bench-'));
  const echo = await startEcho();
  const service = await ChildService.start(folder);
  try {
    const token = await service.token({ role: 'platform' });
    const wallets = new FundedWallets(service.url, token, options.wallets);
    const targets = { echo: echo.url, service: service.url, token, connections: options.connections };
    return await measured(wallets, httpScenarios({ ...targets, members: wallets.members, hot: wallets.hot }), options);
  } finally {
    echo.stop();
    await service.stop();
    rmSync(folder, { recursive: true });
  }
}

async function inProcess(options: BenchOptions): Promise<Part> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-bench-'));
  const ledger = await LedgerInProcess.start(folder);
  try {
    const wallets = new FundedWallets(ledger.url, ledger.token, options.wallets);
    return await measured(wallets, ledger.scenarios(options.connections, wallets.members, wallets.hot), options);
  } finally {
    await ledger.stop();
    rmSync(folder, { recursive: true });
  }
}

async function measured(wallets: FundedWallets, scenarios: Scenario[], options: BenchOptions): Promise<Part> {
  const funding = await wallets.fund();
  const before = await wallets.held(await wallets.mark('before'));
  const { runs, charged, chargedHot } = await runRounds(scenarios, options);
  await verifyTotals(wallets, before, charged, chargedHot);
  wallets.close();
  return { funding, measured: scenarios.map((scenario) => summarise(scenario, runs.get(scenario.name)!)), runs, charged };
}

/** All scenarios in each round, one after the other; a first round only warms up, and its charges count in the totals. */
async function runRounds(scenarios: Scenario[], { rounds, seconds }: BenchOptions) {
  const runs: Runs = new Map(scenarios.map(({ name }) => [name, []]));
  let charged = 0;
  let chargedHot = 0;
  for (let round = 0; round <= rounds; round++) {
    for (const scenario of scenarios) {
      const { name, what, status, charges } = scenario;
      const done = await scenario.run(round === 0 ? WARM_UP_SECONDS : seconds);
      checkAnswers(what, done, status);
      if (name !== 'echo') charged += done.requests * charges;
      if (name === 'hot' || name === 'inProcessHot') chargedHot += done.requests * charges;
      if (round > 0) runs.get(name)!.push(done);
    }
  }
  return { runs, charged, chargedHot };
}

/** Each charge took one token: as many must be missing, in all and from the hot wallet. @throws Error names the difference */
async function verifyTotals(
  wallets: FundedWallets,
  before: { total: number; hot: number },
  charged: number,
  chargedHot: number,
): Promise<void> {
  const after = await wallets.held(await wallets.mark('after'));
  const marks = 1;
  const expected = { total: before.total - charged - marks, hot: before.hot - chargedHot - marks };
  if (after.total !== expected.total || after.hot !== expected.hot)
    throw new Error(
      `The wallets should hold ${expected.total} tokens, the hot one ${expected.hot}; they hold ${after.total}, the hot one ${after.hot}.`,
    );
}

function printed({ options, funding, measured, spreadToEcho, hotToSpread, charged }: Report): string {
  const rows = measured.map(({ what, perSecond, p50, p99, range }) => [
    what,
    Math.round(perSecond),
    p50.toFixed(2),
    p99.toFixed(2),
    range.map((rate) => Math.round(rate).toLocaleString('en')).join(' - '),
  ]);
  const times = (of: 'decided' | 'settled') => funding.allocations.map((each) => each[of].toFixed(0)).join(', ');
  return [
    `Medians of ${options.rounds} interleaved rounds of ${options.seconds} s, ${options.connections} in flight, durable commits, funds and limits checked:\n`,
    table(['work', 'charges/s', 'p50 ms', 'p99 ms', 'rounds, charges/s'], rows),
    `\nspread / echo ${spreadToEcho.toFixed(2)} (goal 0.50), hot / spread ${hotToSpread.toFixed(2)} (goal 0.90); medians of the rounds' ratios.`,
    `Allocations of ${funding.lines} lines, one after the other: decided in ${times('decided')} ms, settled in ${times('settled')} ms.`,
    `Every answer was a yes, and ${charged.toLocaleString('en')} tokens were charged, as many as are missing from the wallets.`,
    'Of a long history, the EventStoreDB adapter and Kafka: npm run bench -- --million, --eventstoredb, --kafka.',
  ].join('\n');
}

/** A long history and the servers beside the service are runs of their own, with options of their own. */
const ANOTHER_BENCH: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  '--million': million,
  '--eventstoredb': eventStoreDb,
  '--kafka': kafka,
};

async function run(): Promise<void> {
  const [first, ...others] = process.argv.slice(2);
  const another = ANOTHER_BENCH[first ?? ''];
  if (another) return another(others);
  const options = parseOptions(process.argv.slice(2));
  const report = await bench(options);
  console.log(options.json ? JSON.stringify(report, null, 2) : printed(report));
}

run().catch((error: unknown) => {
  console.error(error instanceof BadOption ? error.message : error);
  process.exitCode = 1;
});
