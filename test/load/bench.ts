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
  const folder = mkdtempSync(join(tmpdir(), 'ledger-bench-'));
  const echo = await startEcho();
  const service = await ChildService.start(folder);
  try {
    const token = await service.token({ role: 'platform' });
    const wallets = new FundedWallets(service.url, token, options.wallets);
    const funding = await wallets.fund();
    const before = await wallets.held(await wallets.mark('before'));
    const targets = { echo: echo.url, service: service.url, token, connections: options.connections };
    const scenarios = httpScenarios({ ...targets, members: wallets.members, hot: wallets.hot });
    const { runs, charged } = await runRounds(scenarios, options);
    await verifyTotals(wallets, before, charged);
    wallets.close();
    const ratios = (over: Scenario['name'], under: Scenario['name']) =>
      median(runs.get(over)!.map(({ perSecond }, round) => perSecond / runs.get(under)![round]!.perSecond));
    return {
      options,
      funding,
      measured: scenarios.map((scenario) => summarise(scenario, runs.get(scenario.name)!)),
      spreadToEcho: ratios('spread', 'echo'),
      hotToSpread: ratios('hot', 'spread'),
      charged: charged.spread + charged.hot,
    };
  } finally {
    echo.stop();
    await service.stop();
    rmSync(folder, { recursive: true });
  }
}

/** All scenarios in each round, one after the other; a first round only warms up, and its charges count in the totals. */
async function runRounds(scenarios: Scenario[], { rounds, seconds }: BenchOptions): Promise<{ runs: Runs; charged: Charged }> {
  const runs: Runs = new Map(scenarios.map(({ name }) => [name, []]));
  const charged: Charged = { echo: 0, spread: 0, hot: 0 };
  for (let round = 0; round <= rounds; round++) {
    for (const scenario of scenarios) {
      const run = await scenario.run(round === 0 ? WARM_UP_SECONDS : seconds);
      checkAnswers(scenario.what, run);
      charged[scenario.name] += run.requests;
      if (round > 0) runs.get(scenario.name)!.push(run);
    }
  }
  return { runs, charged };
}

type Charged = Record<Scenario['name'], number>;

/** Each answer charged one token: as many must be missing, in all and from the hot wallet. @throws Error names the difference */
async function verifyTotals(wallets: FundedWallets, before: { total: number; hot: number }, charged: Charged): Promise<void> {
  const after = await wallets.held(await wallets.mark('after'));
  const marks = 1;
  const expected = { total: before.total - charged.spread - charged.hot - marks, hot: before.hot - charged.hot - marks };
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
  const { lines, decided, settled } = funding.allocation;
  return [
    `Medians of ${options.rounds} interleaved rounds of ${options.seconds} s, ${options.connections} connections, one usage per request, durable commits, funds and limits checked:\n`,
    table(['work over HTTP', 'requests/s', 'p50 ms', 'p99 ms', 'rounds, requests/s'], rows),
    `\nspread / echo ${spreadToEcho.toFixed(2)} (goal 0.50), hot / spread ${hotToSpread.toFixed(2)} (goal 0.90); medians of the rounds' ratios.`,
    `Allocation of ${lines} lines: decided in ${decided.toFixed(0)} ms, settled in ${settled.toFixed(0)} ms.`,
    `Every answer was 201, and ${charged.toLocaleString('en')} tokens were charged, as many as are missing from the wallets.`,
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
