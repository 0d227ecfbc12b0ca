import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ofThisTest } from '../../support/children';
import { type Health, Watched } from './watched';

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
const SAID_SHOWN = 3_000;
const SAID_MAX = 200_000;

/** The publisher as a process of its own, as `npm run publisher` runs it. */
export class PublisherUnderTest extends Watched {
  readonly ended: Promise<number | null>;

  private constructor(
    private readonly child: ChildProcess,
    private url = '',
  ) {
    super();
    ofThisTest(child);
    const hear = (text: string): void => void (this.said = (this.said + text).slice(-SAID_MAX));
    child.stdout!.setEncoding('utf8').on('data', hear);
    child.stderr!.setEncoding('utf8').on('data', hear);
    this.ended = new Promise((done) => child.once('exit', done));
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
    await publisher.until(
      () => /http:\/\/[\w.:]+\/health/.test(publisher.said),
      START_MAX_MS,
      () => 'it to say where it answers',
    );
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

  protected mustRun(): void {
    if (!this.running) throw new Error(`the publisher ended (${this.child.exitCode}). ${this.said.slice(-SAID_SHOWN)}`);
  }
}

/** `npm run topics` for a broker of its own; answers what it printed. */
export async function makeTopics(bootstrap: string, options: readonly string[] = ['--replication', '1'], settings: NodeJS.ProcessEnv = {}) {
  const env = { ...process.env, KAFKA_BROKERS: bootstrap, ...settings };
  const { stdout } = await promisify(execFile)(process.execPath, [join(BUILT, 'cli/topics.js'), ...options], { env });
  return stdout;
}
