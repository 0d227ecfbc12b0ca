import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';

/** The class path is relative to the folder of the distribution, so that the archive of classes fits wherever that folder is. */
export const JVM = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Djava.awt.headless=true', '-cp', 'libs/*'];
const READY_MAX_MS = 60_000;
const READY_POLL_MS = 50;
const STOP_MAX_MS = 30_000;
/** The end of what the broker said, for the sentence that says why it did not start. */
const SAID_MAX = 2_000;

export interface NodeOptions {
  id: number;
  /** The folder of the distribution. */
  home: string;
  /** The node's own folder: its properties, its log and its data. */
  folder: string;
  properties: string;
  options?: readonly string[];
}

/** One Java process of a cluster. */
export class KafkaNode {
  private child: ChildProcess | undefined;
  private ended: Promise<void> = Promise.resolve();

  constructor(private readonly node: NodeOptions) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get running(): boolean {
    return this.child !== undefined;
  }

  /** Starts the process and does not wait for it. */
  start(): void {
    if (this.child) throw new Error(`broker ${this.node.id} runs already`);
    const { home, folder, properties, options = [] } = this.node;
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'server.properties');
    writeFileSync(file, properties);
    const archive = existsSync(join(home, 'kafka.jsa'))
      ? ['-XX:SharedArchiveFile=kafka.jsa', '-Xlog:cds=off', '-Xlog:cds+dynamic=off']
      : [];
    const log = openSync(this.log, 'a');
    const child = spawn('java', [...archive, ...options, ...JVM, 'kafka.Kafka', file], { cwd: home, stdio: ['ignore', log, log] });
    closeSync(log);
    this.child = child;
    this.ended = new Promise((done) => {
      const over = (): void => {
        if (this.child === child) this.child = undefined;
        done();
      };
      child.once('exit', over).once('error', over);
    });
  }

  /** Resolves when the broker at the address takes part in its cluster. @throws with what it said when it ends or takes too long */
  async answers(address: string): Promise<void> {
    for (const end = Date.now() + READY_MAX_MS; Date.now() < end; await pause(READY_POLL_MS)) {
      if (!this.child) throw new Error(`broker ${this.node.id} ended instead of starting. ${this.said()}`);
      if ((await nodesAt(address)).includes(this.node.id)) return;
    }
    throw new Error(`broker ${this.node.id} did not answer within ${READY_MAX_MS / 1000} s. ${this.said()}`);
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.ended;
  }

  /** For an exit handler, which cannot wait. */
  killAtOnce(): void {
    this.child?.kill('SIGKILL');
  }

  /** SIGTERM; one that does not end in time is killed. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.child?.kill('SIGKILL'), STOP_MAX_MS);
    this.child?.kill('SIGTERM');
    await this.ended;
    clearTimeout(timer);
  }

  /** Freezes the process as it is, and lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.child?.kill(name);
  }

  private get log(): string {
    return join(this.node.folder, 'broker.log');
  }

  private said(): string {
    return existsSync(this.log) ? readFileSync(this.log, 'utf8').slice(-SAID_MAX) : '';
  }
}

/** The ids of the brokers that take part in the cluster, as the one at the address knows it; none when it does not answer. */
async function nodesAt(address: string): Promise<number[]> {
  const retry = { retries: 0 };
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, connectionTimeout: 1_000, requestTimeout: 2_000, retry });
  const admin = kafka.admin({ retry });
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.map(({ nodeId }) => nodeId);
  } catch {
    return [];
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
