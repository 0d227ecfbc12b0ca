/**
 * The client library used as its documentation shows, one scenario per process: some of them end with rejections that nobody can
 * catch or with calls that nobody can end, and neither may spoil the specs that show the same with the adapter.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { EventStoreDBClient } from '@eventstore/db-client';
import { appendScenarios } from './appends';
import { readScenarios } from './reads';
import type { NaiveName, NaiveReport, NaiveSettings } from './scenario';
import { subscriptionScenarios } from './subscriptions';

export interface Naive {
  settings: NaiveSettings;
  report: NaiveReport;
  /** A client of the server; another call makes another client. */
  connect: (url?: string) => EventStoreDBClient;
  /** Tells the spec how far the scenario is, which then does its part. */
  tell: (what: string) => void;
  /** Resolves when the spec has done its part and says so. */
  told: () => Promise<void>;
  /** `false` when it has not settled in the time that the scenario gives it. */
  settles: (promise: Promise<unknown>, ms: number) => Promise<boolean>;
}

export type Scenario = (naive: Naive) => Promise<void>;

/** Rejections that are nobody's come a turn after the promise; this is long enough for them to be counted. */
const AFTERMATH_MS = 200;

async function run(name: NaiveName, settings: NaiveSettings): Promise<void> {
  const report: NaiveReport = { unhandled: [], outcomes: [], handled: [] };
  process.on('unhandledRejection', (reason) =>
    report.unhandled.push(reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason)),
  );
  const scenarios: Record<NaiveName, Scenario> = { ...appendScenarios, ...readScenarios, ...subscriptionScenarios };
  await scenarios[name]({
    settings,
    report,
    connect: (url = settings.url) => EventStoreDBClient.connectionString(url),
    tell: (what) => console.log(JSON.stringify({ told: what })),
    told: lines(),
    settles: (promise, ms) =>
      Promise.race([
        promise.then(
          () => true,
          () => true,
        ),
        pause(ms, false),
      ]),
  });
  await pause(AFTERMATH_MS);
  console.log(JSON.stringify(report));
  // Hanging calls would keep the process for ever.
  process.exit(0);
}

/** Each call resolves for one line on standard input. */
function lines(): () => Promise<void> {
  let unread = 0;
  let wake: () => void = () => undefined;
  process.stdin.on('data', (chunk) => {
    unread += String(chunk).split('\n').length - 1;
    wake();
  });
  // The spec that started it is gone, maybe killed.
  process.stdin.on('end', () => process.exit(1));
  return async () => {
    while (unread === 0) await new Promise<void>((resolve) => (wake = resolve));
    unread -= 1;
  };
}

const [name, settings] = process.argv.slice(2);
void run(name as NaiveName, JSON.parse(settings!) as NaiveSettings);
