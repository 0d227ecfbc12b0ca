import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EventStoreDBClient } from '@eventstore/db-client';
import { openEventStore } from '@ledger/event-store';
import { ChildService } from '../../apps/demo/src/child-service';
import { median } from '../../apps/demo/src/percentile';
import { table } from '../../apps/demo/src/table';
import { ServerUnderTest } from '../eventstoredb/server-under-test';
import { adapterAppends, clientAppends, hotWallet, IN_FLIGHT, measure, type Work } from './eventstoredb-appends';
import { FundedWallets } from './funded-wallets';
import { checkAnswers, httpScenarios, summarise, type Measured } from './scenarios';

/**
 * Figures of the EventStoreDB adapter, all in one run on the test server, which is a process of its own. What they say about a real
 * server is what the client's side costs: that server is faster than the test server, and farther away.
 */

const USAGE = 'npm run bench:eventstoredb [-- --seconds N] [--rounds N] [--wallets N] [--json]';
const WARM_UP_SECONDS = 5;
const CONNECTIONS = 64;
const ADAPTER_GOAL = 0.9;
const HOT_GOAL = 10;

interface Options {
  seconds: number;
  rounds: number;
  wallets: number;
  json: boolean;
}

interface Report {
  options: Options;
  /** Medians of the rounds, pieces per second. */
  appends: { what: string; perSecond: number; range: [number, number] }[];
  /** Medians of the ratios within each round. */
  adapterToClient: number;
  adapterToClientAlone: number;
  hotToAlone: number;
  hotToSpread: number;
  service: Measured[];
}

async function bench(options: Options): Promise<Report> {
  const server = await ServerUnderTest.start({ durable: true });
  try {
    const rates = await appendRates(server, options);
    const ratio = (over: Work['name'], under: Work['name']) =>
      median(rates.map((round) => round.get(over)!.perSecond / round.get(under)!.perSecond));
    const names = [...rates[0]!.keys()];
    return {
      options,
      appends: names.map((name) => {
        const each = rates.map((round) => round.get(name)!.perSecond);
        return { what: rates[0]!.get(name)!.what, perSecond: median(each), range: [Math.min(...each), Math.max(...each)] };
      }),
      adapterToClient: ratio('adapter', 'client'),
      adapterToClientAlone: ratio('adapter alone', 'client alone'),
      hotToAlone: ratio('hot wallet', 'client alone'),
      hotToSpread: ratio('hot wallet', 'client'),
      service: await serviceRates(options),
    };
  } finally {
    await server.stop();
  }
}

type Rates = Map<Work['name'], { what: string; perSecond: number }>;

/** All works in each round, one after the other; a first round only warms up. */
async function appendRates(server: ServerUnderTest, { rounds, seconds }: Options): Promise<Rates[]> {
  const client = EventStoreDBClient.connectionString(server.url());
  const store = await openEventStore(server.url());
  try {
    const works = [
      clientAppends(client, IN_FLIGHT),
      adapterAppends(store, IN_FLIGHT),
      clientAppends(client, 1),
      adapterAppends(store, 1),
      await hotWallet(store),
    ];
    const rates: Rates[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const measured: Rates = new Map();
      // Every other round in the opposite order, so that nobody always comes after the same one.
      for (const work of round % 2 === 0 ? works : works.toReversed())
        measured.set(work.name, { what: work.what, perSecond: await measure(work, round === 0 ? WARM_UP_SECONDS : seconds) });
      if (round > 0) rates.push(new Map(works.map(({ name }) => [name, measured.get(name)!])));
    }
    return rates;
  } finally {
    await store.close();
    await client.dispose();
  }
}

/** Commands per second through the whole service. */
async function serviceRates({ rounds, seconds, wallets }: Options): Promise<Measured[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-bench-'));
  // A server of its own: what was appended before came from no ledger.
  const own = await ServerUnderTest.start({ durable: true });
  const service = await ChildService.start(folder, { EVENT_STORE_URL: own.url() });
  try {
    const token = await service.token({ role: 'platform' });
    const funded = new FundedWallets(service.url, token, wallets);
    await funded.fund();
    const targets = { echo: service.url, service: service.url, token, connections: CONNECTIONS };
    const scenarios = httpScenarios({ ...targets, members: funded.members, hot: funded.hot }).filter(({ name }) => name !== 'echo');
    const measured: Measured[] = [];
    for (const scenario of scenarios) {
      const runs = [];
      for (let round = 0; round < rounds; round += 1) {
        const run = await scenario.run(seconds);
        checkAnswers(scenario.what, run, scenario.status);
        runs.push(run);
      }
      measured.push(summarise(scenario, runs));
    }
    funded.close();
    return measured;
  } finally {
    await service.stop();
    await own.stop();
    rmSync(folder, { recursive: true });
  }
}

function printedReport({ options, appends, service, ...ratios }: Report): string {
  const whole = (rate: number): string => Math.round(rate).toLocaleString('en');
  const rows = [...appends, ...service].map(({ what, perSecond, range }) => [what, whole(perSecond), range.map(whole).join(' - ')]);
  const reportRatio = (ratio: number): string => ratio.toFixed(2);
  return [
    `Medians of ${options.rounds} rounds of ${options.seconds} s on the test server with durable appends, one event of some 450 bytes each, exact revisions:\n`,
    table(['work', 'per second', 'rounds'], rows),
    `\nadapter / bare client ${reportRatio(ratios.adapterToClient)} (goal ${ADAPTER_GOAL}), one after the other ${reportRatio(ratios.adapterToClientAlone)};`,
    `hot wallet / bare appends to one stream ${reportRatio(ratios.hotToAlone)} (goal ${HOT_GOAL}), / ${IN_FLIGHT} in flight to as many streams ${reportRatio(ratios.hotToSpread)}.`,
  ].join('\n');
}

function parsedOptions(args: string[]): Options {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({ args, options: { seconds: option, rounds: option, wallets: option, json: { type: 'boolean' } } });
  const whole = (name: 'seconds' | 'rounds' | 'wallets', fallback: number, max: number): number => {
    const number = Number(values[name] ?? fallback);
    if (!Number.isInteger(number) || number < 1 || number > max)
      throw new RangeError(`--${name} must be a whole number from 1 to ${max}. Usage: ${USAGE}`);
    return number;
  };
  return {
    seconds: whole('seconds', 2, 60),
    rounds: whole('rounds', 3, 20),
    wallets: whole('wallets', 1_000, 10_000),
    json: values.json === true,
  };
}

/** `args` as of the command line. */
export async function eventStoreDb(args: readonly string[]): Promise<void> {
  const options = parsedOptions([...args]);
  const report = await bench(options);
  console.log(options.json ? JSON.stringify(report, null, 2) : printedReport(report));
}

if (require.main === module)
  eventStoreDb(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
