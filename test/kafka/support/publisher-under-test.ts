import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

/** PUBLISHER_BUILT names the folder of another build, such as one that was broken on purpose to see a test fail. */
const BUILT = resolve(
  process.env.PUBLISHER_BUILT ??
    // From the sources, as jest runs this file, or from dist, as the benchmark does.
    ['../../../dist', '../../..']
      .map((dist) => join(__dirname, dist, 'apps/publisher/src'))
      .find((folder) => existsSync(join(folder, 'main.js'))) ??
    'dist/apps/publisher/src',
);
const START_MAX_MS = 30_000;
const READY_MAX_MS = 60_000;
const POLL_MS = 25;
const SAID_MAX = 200_000;

export interface Health {
  status: string;
  state: string;
  reason?: string;
  halt?: string;
  position?: string;
  head?: string;
  lagSeconds?: number;
  /** Of the HTTP answer. */
  code: number;
}

/** All children of this test; none outlives it. */
const alive = new Set<ChildProcess>();
process.once('exit', () => alive.forEach((child) => child.kill('SIGKILL')));

/** The publisher as a process of its own, as `npm run publisher` runs it. */
export class PublisherUnderTest {
  /** What it wrote so far, the last part of it. */
  said = '';
  readonly ended: Promise<number | null>;

  private constructor(
    private readonly child: ChildProcess,
    private url = '',
  ) {
    alive.add(child);
    const hear = (text: string): void => void (this.said = (this.said + text).slice(-SAID_MAX));
    child.stdout!.setEncoding('utf8').on('data', hear);
    child.stderr!.setEncoding('utf8').on('data', hear);
    this.ended = new Promise((done) =>
      child.once('exit', (code) => {
        alive.delete(child);
        done(code);
      }),
    );
  }

  /** Starts it and does not wait: for a test that kills at any moment, the first included. */
  static spawn(settings: NodeJS.ProcessEnv): PublisherUnderTest {
    if (!existsSync(join(BUILT, 'main.js')))
      throw new Error(`${BUILT} lacks the publisher, and these tests run the built one: "npx nest build publisher" makes it.`);
    const env = { ...process.env, LOG_LEVEL: 'debug', PUBLISHER_PORT: '0', ...settings, NODE_ENV: 'development' };
    return new PublisherUnderTest(spawn(process.execPath, [join(BUILT, 'main.js')], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** Starts it and resolves once it answers over HTTP; it may not be ready then. */
  static async start(settings: NodeJS.ProcessEnv): Promise<PublisherUnderTest> {
    const publisher = PublisherUnderTest.spawn(settings);
    await publisher.until(() => /http:\/\/[\w.:]+\/health/.test(publisher.said), START_MAX_MS, 'to say where it answers');
    publisher.url = /(http:\/\/[\w.:]+)\/health/.exec(publisher.said)![1]!;
    return publisher;
  }

  get pid(): number {
    return this.child.pid!;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async health(): Promise<Health> {
    const answer = await fetch(`${this.url}/health/ready`);
    return { ...((await answer.json()) as Omit<Health, 'code'>), code: answer.status };
  }

  /** A figure of /metrics, undefined when it is not there. */
  async metric(name: string): Promise<number | undefined> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const line = text.split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length));
  }

  /** Resolves with the first health that fits. @throws with what the process said when none does in time */
  async healthy(fits: (health: Health) => boolean, maxMs = READY_MAX_MS): Promise<Health> {
    let last: Health | undefined;
    await this.until(
      async () => fits((last = await this.health())),
      maxMs,
      () => `another health than ${JSON.stringify(last)}`,
    );
    return last!;
  }

  /** Resolves when everything that is in the store is committed to Kafka. */
  async caughtUp(maxMs = READY_MAX_MS): Promise<Health> {
    return this.healthy(({ status, lagSeconds }) => status === 'ready' && lagSeconds === 0, maxMs);
  }

  /** Resolves when it has written a line that matches. */
  async says(pattern: RegExp, maxMs = READY_MAX_MS): Promise<void> {
    await this.until(() => pattern.test(this.said), maxMs, `to say ${pattern}`);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(name);
  }

  /** SIGTERM. @returns its status */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.ended;
  }

  private async until(fits: () => boolean | Promise<boolean>, maxMs: number, meant: string | (() => string)): Promise<void> {
    for (const end = Date.now() + maxMs; ; await pause(POLL_MS)) {
      if (!this.running) throw new Error(`the publisher ended (${this.child.exitCode}). ${this.said.slice(-3_000)}`);
      if (await fits()) return;
      if (Date.now() > end)
        throw new Error(`waited ${maxMs} ms for ${typeof meant === 'string' ? meant : meant()}. ${this.said.slice(-3_000)}`);
    }
  }
}

/** `npm run topics` for a broker of its own; answers what it printed. */
export async function makeTopics(bootstrap: string, options: readonly string[] = ['--replication', '1'], settings: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, KAFKA_BROKERS: bootstrap, ...settings };
  const { stdout } = await promisify(execFile)(process.execPath, [join(BUILT, 'cli/topics.js'), ...options], { env });
  return stdout;
}
