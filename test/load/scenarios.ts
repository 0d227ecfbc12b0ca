import { median, percentile } from '../../apps/demo/src/percentile';
import { generate, post, type RequestOf, type Run } from './generator';

/** One kind of work that is measured, again in each round. */
export interface Scenario {
  name: 'echo' | 'spread' | 'hot';
  what: string;
  run(seconds: number): Promise<Run>;
}

export interface Measured {
  name: Scenario['name'];
  what: string;
  /** Medians over the rounds; milliseconds. */
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

const BODY = JSON.stringify({ tokens: 1, service: 'bench', reference: 'a usage of one token' });

/** The work over HTTP. Work without HTTP (handlers called in this process) becomes another list beside this one. */
export function httpScenarios({ echo, service, token, connections, members, hot }: Targets): Scenario[] {
  let keys = 0;
  const requestTo = (url: string, memberOf: (n: number) => string): RequestOf => {
    const { host } = new URL(url);
    return (n) => post(host, token, `/v1/users/${memberOf(n)}/usages`, `bench-${keys++}`, BODY);
  };
  // A stride that shares no factor with the count visits all wallets before it comes back to the first.
  const stride = strideOver(members.length);
  let visits = 0;
  const spread = () => members[(visits++ * stride) % members.length]!;
  const scenario = (name: Scenario['name'], what: string, url: string, memberOf: (n: number) => string): Scenario => ({
    name,
    what,
    run: (seconds) => generate(url, connections, seconds, requestTo(url, memberOf)),
  });
  return [
    scenario('echo', 'bare Fastify echo', echo, spread),
    scenario('spread', `usage spread over ${members.length} wallets`, service, spread),
    scenario('hot', 'usage of one hot wallet', service, () => hot),
  ];
}

function strideOver(count: number): number {
  const divides = (a: number, b: number): number => (b === 0 ? a : divides(b, a % b));
  let stride = Math.max(1, Math.trunc(count * 0.618));
  while (divides(count, stride) !== 1) stride += 1;
  return stride;
}

/** Every answer must be 201. @throws Error names the others */
export function checkAnswers(name: string, run: Run): void {
  const others = [...run.statuses].filter(([status]) => status !== 201);
  if (others.length > 0)
    throw new Error(`${name}: ${others.map(([status, count]) => `${count} answers ${status}`).join(', ')} instead of 201.`);
}

export function summarise({ name, what }: Scenario, runs: readonly Run[]): Measured {
  const rates = runs.map(({ perSecond }) => perSecond);
  const times = runs.map(({ milliseconds }) => [...milliseconds]);
  return {
    name,
    what,
    perSecond: median(rates),
    p50: median(times.map((each) => percentile(each, 50))),
    p99: median(times.map((each) => percentile(each, 99))),
    range: [Math.min(...rates), Math.max(...rates)],
    answers: runs.reduce((sum, { requests }) => sum + requests, 0),
  };
}
