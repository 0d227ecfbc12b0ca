/** The wire-compatible test server as a process of its own: started, made to misbehave, killed and started again by a test. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { FaultSettings } from '../eventstoredb-server/faults';

/** Where the build puts it; the bench runs from dist itself. */
const BESIDE = resolve(__dirname, '../eventstoredb-server/main.js');
const BUILT = existsSync(BESIDE) ? BESIDE : resolve(__dirname, '../../dist/test/eventstoredb-server/main.js');
const START_MAX_MS = 30_000;
const STOP_MAX_MS = 10_000;
const SAID_MAX = 2_000;

export interface ServerSettings {
  /** Folder of the log; without it one that goes with `stop`. */
  data?: string;
  tls?: boolean;
  /** `name:password` each. */
  users?: string[];
  /** How many ports play the nodes of a cluster. */
  nodes?: number;
  maxAppendBytes?: number;
  /** A system event after so many appends; 0 is never. */
  systemEventEvery?: number;
  /** Whether an append is on the disk before it is answered, as on a real server. Default: in the file is enough. */
  durable?: boolean;
}

export interface ServerState {
  faults: FaultSettings;
  /** How often a fault happened since the start. */
  faultsHit: number;
  /** Index of the port that plays the leader. */
  leader: number;
  addresses: { host: string; port: number }[];
  /** Events in $all, system events included. */
  events: number;
  /** Of the last event in $all, or -1. */
  headPosition: number;
  /** Open subscriptions. */
  subscriptions: number;
  /** Open calls of streams: subscriptions, reads, batch appends. */
  openCalls: number;
}

interface Started {
  child: ChildProcess;
  ended: Promise<void>;
  ports: number[];
  control: string;
  caPath?: string;
}

export class ServerUnderTest {
  private constructor(
    private readonly settings: ServerSettings,
    /** Its log is `events.log` in here; `readLog` of the server's `log-file.ts` reads it. */
    readonly data: string,
    private running: Started,
  ) {}

  /** Resolves when it takes calls. */
  static async start(settings: ServerSettings = {}): Promise<ServerUnderTest> {
    const data = settings.data ?? mkdtempSync(join(tmpdir(), 'eventstoredb-'));
    const anyPort = new Array<number>(settings.nodes ?? 1).fill(0);
    return new ServerUnderTest(settings, data, await launch(settings, data, anyPort, 0));
  }

  /** `host:port` of every node. */
  get addresses(): string[] {
    return this.running.ports.map((port) => `127.0.0.1:${port}`);
  }

  /** Connection string: one node is a direct connection, several are asked by gossip. `user` is `name:password`, percent-encoded. */
  url({ user, query = {}, nodes = this.addresses }: { user?: string; query?: Record<string, string>; nodes?: string[] } = {}): string {
    const { caPath } = this.running;
    const tls: Record<string, string> = caPath === undefined ? { tls: 'false' } : { tls: 'true', tlsCAFile: caPath };
    const options = new URLSearchParams({ ...tls, ...query });
    return `esdb://${user === undefined ? '' : `${user}@`}${nodes.join(',')}?${decodeURIComponent(options.toString())}`;
  }

  /** The certificate authority of a server with TLS. */
  get caPath(): string | undefined {
    return this.running.caPath;
  }

  get pid(): number {
    return this.running.child.pid!;
  }

  async state(): Promise<ServerState> {
    return (await this.control('GET', '/state')) as ServerState;
  }

  /** Adds to the faults that are on; `null` switches one off. */
  async faults(changes: { [Name in keyof FaultSettings]: FaultSettings[Name] | null }): Promise<void> {
    await this.control('POST', '/faults', changes);
  }

  async clearFaults(): Promise<void> {
    await this.control('DELETE', '/faults');
  }

  /** An event of somebody else in $all: a system event, or of the named stream. @returns its position */
  async foreignEvent(event: { stream?: string; type?: string; data?: unknown } = {}): Promise<bigint> {
    const { position } = (await this.control('POST', '/foreign-event', event)) as { position: number };
    return BigInt(position);
  }

  /** Ends every open subscription with the status. @returns how many there were */
  async dropSubscriptions(code: 'UNAVAILABLE' | 'CANCELLED' | 'UNKNOWN' = 'UNAVAILABLE'): Promise<number> {
    const { dropped } = (await this.control('POST', '/drop-subscriptions', { code })) as { dropped: number };
    return dropped;
  }

  /** Cuts every connection; the server goes on. */
  async dropConnections(): Promise<void> {
    await this.control('POST', '/drop-connections');
  }

  /** Another node of the cluster is the leader from now on. */
  async moveLeader(index: number): Promise<void> {
    await this.control('POST', '/leader', { index });
  }

  /** Frozen by the operating system: the kernel accepts connections, nothing answers. `thaw` lets it go on. */
  freeze(): void {
    this.running.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.running.child.kill('SIGCONT');
  }

  /** Stands still for so long and then goes on by itself. */
  async freezeFor(ms: number): Promise<void> {
    await this.control('POST', '/freeze', { ms });
  }

  /** SIGKILL, in the middle of whatever it does. */
  async kill(): Promise<void> {
    this.running.child.kill('SIGKILL');
    await this.running.ended;
  }

  /** SIGTERM: open calls are answered CANCELLED. */
  async terminate(): Promise<void> {
    const { child, ended } = this.running;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await ended;
    clearTimeout(timer);
  }

  /** Starts it again on the same ports and the same log, killing it first when it runs. Faults are off then. */
  async restart(): Promise<void> {
    await this.kill();
    const { ports, control } = this.running;
    this.running = await launch(this.settings, this.data, ports, Number(new URL(control).port));
  }

  /** Ends it for good and removes a folder that was its own. */
  async stop(): Promise<void> {
    await this.kill();
    if (this.settings.data === undefined) rmSync(this.data, { recursive: true, force: true });
  }

  private async control(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.running.control}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path} was refused: ${JSON.stringify(answer)}`);
    return answer;
  }
}

async function launch(settings: ServerSettings, data: string, ports: number[], controlPort: number): Promise<Started> {
  if (!existsSync(BUILT)) throw new Error('The test server is not built: run `npx nest build eventstoredb-server` first.');
  const args = ['--data', data, '--port', ports.join(','), '--control', String(controlPort), '--until-stdin-ends'];
  if (settings.tls) args.push('--tls');
  for (const user of settings.users ?? []) args.push('--user', user);
  if (settings.maxAppendBytes !== undefined) args.push('--max-append-bytes', String(settings.maxAppendBytes));
  if (settings.durable) args.push('--fsync');
  if (settings.systemEventEvery !== undefined) args.push('--system-event-every', String(settings.systemEventEvery));
  const child = spawn(process.execPath, ['--enable-source-maps', BUILT, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  return { child, ended, ...(await said(child)) };
}

/** What it prints when it is ready. Both pipes are read to the end, or a full pipe would stop it. */
function said(child: ChildProcess): Promise<Omit<Started, 'child' | 'ended'>> {
  let printed = '';
  let complained = '';
  return new Promise((ready, refuse) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      refuse(new Error(`The test server did not start within ${START_MAX_MS / 1000} s. ${complained}`));
    }, START_MAX_MS);
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (complained = (complained + text).slice(-SAID_MAX)));
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      printed = (printed + text).slice(-SAID_MAX);
      const addresses = /^listening on (.*)\n/m.exec(printed)?.[1];
      if (addresses === undefined) return;
      clearTimeout(timer);
      const caPath = /^certificate authority (.*)$/m.exec(printed)?.[1];
      ready({
        ports: addresses.split(',').map((address) => Number(address.split(':').at(-1))),
        control: /^control (.*)$/m.exec(printed)?.[1] ?? '',
        ...(caPath !== undefined && { caPath }),
      });
    });
    child.once('error', refuse);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      refuse(new Error(`The test server ended (${signal ?? `status ${code}`}) instead of listening. ${complained}`.trim()));
    });
  });
}
