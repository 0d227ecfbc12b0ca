import { median, percentile } from '../../apps/demo/src/percentile';
import { generate, post, type RequestOf, type Run } from './generator';

/** One kind of work that is measured, again in each round. */
export interface Scenario {
  name: 'echo' | 'spread' | 'hot' | 'batch' | 'inProcess' | 'inProcessHot';
  what: string;
  /** What every answer must be. */
  status: 200 | 201;
  /** Usages of one token that one answer stands for. */
  charges: number;
  run(seconds: number): Promise<Run>;
}

export interface Measured {
  name: Scenario['name'];
  what: string;
  /** Medians over the rounds; charges a second, and milliseconds of an answer. */
  perSecond: number;
  p50: number;
  p99: number;
  /** Slowest and fastest round. */
  range: [number, number];
  answers: number;
}

export interface Targets {
  echo: string;
  service: string;
  token: string;
  connections: number;
  members: readonly string[];
  hot: string;
}

/** What is charged, whichever way it comes in. */
export const USAGE = { tokens: 1, service: 'bench', reference: 'a usage of one token' };
const BODY = JSON.stringify(USAGE);
export const BATCH_LINES = 10_000;
/** One batch is read from its connection while the one before is answered. */
const BATCH_CONNECTIONS = 2;

/** The work over HTTP; in-process.ts has the work without it. */
export function httpScenarios({ echo, service, token, connections, members, hot }: Targets): Scenario[] {
  let keys = 0;
  const requestTo = (url: string, memberOf: () => string): RequestOf => {
    const { host } = new URL(url);
    return () => post(host, token, `/v1/users/${memberOf()}/usages`, `bench-${keys++}`, BODY);
  };
  const spread = visiting(members);
  const scenario = (name: Scenario['name'], what: string, url: string, memberOf: () => string): Scenario => ({
    name,
    what,
    status: 201,
    charges: 1,
    run: (seconds) => generate(url, connections, seconds, requestTo(url, memberOf)),
  });
  const batch = (): string => {
    const usages = Array.from({ length: BATCH_LINES }, () => ({ key: `bench-${keys++}`, userId: spread(), ...USAGE }));
    return post(new URL(service).host, token, '/v1/usages/batch', `bench-${keys++}`, JSON.stringify({ usages }));
  };
  return [
    scenario('echo', 'bare Fastify echo', echo, spread),
    scenario('spread', `usage spread over ${members.length} wallets`, service, spread),
    scenario('hot', 'usage of one hot wallet', service, () => hot),
    {
      name: 'batch',
      what: `usages in batches of ${BATCH_LINES}, spread`,
      status: 200,
      charges: BATCH_LINES,
      run: (seconds) => generate(service, BATCH_CONNECTIONS, seconds, batch),
    },
  ];
}

/** Names one member after the other: all of them before it comes back to the first, by a stride that shares no factor with their count. */
export function visiting(members: readonly string[]): () => string {
  const stride = strideOver(members.length);
  let visits = 0;
  return () => members[(visits++ * stride) % members.length]!;
}

function strideOver(count: number): number {
  const divides = (a: number, b: number): number => (b === 0 ? a : divides(b, a % b));
  let stride = Math.max(1, Math.trunc(count * 0.618));
  while (divides(count, stride) !== 1) stride += 1;
  return stride;
}

/** Every answer must have the one status. @throws Error names the others */
export function checkAnswers(name: string, run: Run, expected: Scenario['status'] = 201): void {
  const others = [...run.statuses].filter(([status]) => status !== expected);
  if (others.length > 0)
    throw new Error(`${name}: ${others.map(([status, count]) => `${count} answers ${status}`).join(', ')} instead of ${expected}.`);
}

export function summarise({ name, what, charges }: Scenario, runs: readonly Run[]): Measured {
  const rates = runs.map(({ perSecond }) => perSecond * charges);
  return {
    name,
    what,
    perSecond: median(rates),
    p50: median(runs.map(({ milliseconds }) => percentile(milliseconds, 50))),
    p99: median(runs.map(({ milliseconds }) => percentile(milliseconds, 99))),
    range: [Math.min(...rates), Math.max(...rates)],
    answers: runs.reduce((sum, { requests }) => sum + requests, 0),
  };
}
