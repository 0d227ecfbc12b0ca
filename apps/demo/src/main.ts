import { setTimeout as pause } from 'node:timers/promises';
import { shownEventStoreUrl, StoreUnavailable } from '@ledger/event-store';
import { THE_DAY } from './acts/the-day';
import { IN_FLIGHT } from './acts/converse';
import { addUp } from './adding-up';
import { ChildService } from './child-service';
import { generateConversations } from './conversations';
import { NotOurData, prepareDataFolder } from './data-folder';
import type { Day } from './day';
import { refuseUsedStore } from './empty-store';
import { HttpClient } from './http-client';
import { LedgerApi, Unexpected } from './ledger-api';
import { BadOption, parseOptions, type Options } from './options';
import { readBack } from './read-back';
import { recompute, recomputeAsTheyCome } from './recompute';
import { jsonReport, printedReport, verdict, type Outcome } from './report';
import { castSchool } from './school';
import { storedFacts, storedFactsOf } from './stored-facts';
import { Tally } from './tally';
import { BadTrace, readTrace } from './trace';

const bold = (text: string) => (process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text);

async function demo(options: Options): Promise<Outcome> {
  const began = performance.now();
  const conversations = options.trace === undefined ? generateConversations(options.seed) : readTrace(options.trace);
  const school = castSchool(options.seed, conversations);
  await leaveMonthEnd();
  if (options.eventStore !== undefined) await refuseUsedStore(options.eventStore);
  const { replaced } = prepareDataFolder(options.data, { at: new Date().toISOString(), seed: options.seed });
  const tell = (sentence: string) => {
    story.push(sentence);
    if (!options.json) console.log(`- ${sentence}`);
  };
  const store = replaced ? "an empty store, in place of an earlier demo's" : 'an empty store';
  if (options.eventStore === undefined) tell(`The service starts on ${store} in ${options.data}.`);
  else tell(`The service starts on an empty store at ${shownEventStoreUrl(options.eventStore)}, with its read model in ${options.data}.`);

  const service = await ChildService.start(options.data, {
    PLATFORM_TIME_ZONE: 'UTC',
    FREE_TOKENS_PER_MONTH: '0',
    ...(options.eventStore !== undefined && { EVENT_STORE_URL: options.eventStore }),
  });
  const client = new HttpClient(service.url, IN_FLIGHT);
  try {
    const day = await begin(service, client, school, tell);
    for (const act of THE_DAY) await act(day);
    const reads = await readBack(day);
    client.close();
    await service.stop();
    const { eventStore } = options;
    const events = eventStore === undefined ? recompute(storedFacts(options.data)) : await recomputeAsTheyCome(storedFactsOf(eventStore));
    const result = addUp(day.tally.books, reads, events);
    return { day, reads, events, result, seconds: (performance.now() - began) / 1000, retries: client.retries };
  } finally {
    client.close();
    await service.stop();
  }
}

async function begin(service: ChildService, client: HttpClient, school: Day['school'], tell: Day['tell']): Promise<Day> {
  const member = school.byRank[60]!;
  const [platform, memberToken, ...adminTokens] = await Promise.all([
    service.token({ role: 'platform' }),
    service.token({ role: 'member', user: member }),
    ...school.organisations.map(({ id }) => service.token({ role: 'admin', organisation: id })),
  ]);
  return {
    school,
    platform: new LedgerApi(client, platform),
    admins: new Map(school.organisations.map(({ id }, index) => [id, new LedgerApi(client, adminTokens[index]!)])),
    member: { userId: member, api: new LedgerApi(client, memberToken) },
    tally: new Tally(),
    tell,
    rates: { usages: 0, usagesPerSecond: 0, p50: 0, p99: 0 },
    accepted: [],
    bills: [],
  };
}

/** A month that ends during the demo would let free tokens lapse, and the answers could not say so: such a day begins later. */
async function leaveMonthEnd(): Promise<void> {
  const now = new Date();
  const left = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1) - now.getTime();
  if (left > DAY_MAX_MS) return;
  console.error(`The month ends in ${Math.ceil(left / 1000)} s, and the demo's day must not cross it: waiting.`);
  await pause(left + 100);
}

const DAY_MAX_MS = 60_000;
const story: string[] = [];

async function run(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  const outcome = await demo(options);
  console.log(options.json ? jsonReport(outcome, story) : printedReport(outcome, bold));
  if (outcome.result.faults.length === 0) return 0;
  if (options.json) console.error(verdict(outcome));
  return 1;
}

const EXPECTED = [BadOption, BadTrace, NotOurData, StoreUnavailable, Unexpected];

void run().then(
  (status) => (process.exitCode = status),
  (error: unknown) => {
    // What a person can act on is one sentence; anything else is a mistake of ours and shows where it happened.
    const known = EXPECTED.some((kind) => error instanceof kind);
    console.error(known ? (error as Error).message : error);
    process.exitCode = 1;
  },
);
