import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

/** Where `nest build` puts the service: this file is dist/apps/demo/src/child-service.js when it runs. */
const LEDGER = resolve(__dirname, '../../ledger/src');
const START_MAX_MS = 30_000;
const STOP_MAX_MS = 20_000;
/** The end of what the service said, for the sentence that says why it did not start, and for tests that read its log. */
const SAID_MAX = 64 * 1024;
const SHOWN_MAX = 2_000;

export interface TokenRequest {
  role: 'platform' | 'admin' | 'member' | 'auditor';
  organisation?: string;
  user?: string;
}

/** The ledger as a process of its own on an embedded store, as `npm start` runs it. */
export class ChildService {
  /** Resolves when the process is gone, however it went. */
  readonly ended: Promise<void>;

  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly environment: NodeJS.ProcessEnv,
    private readonly built: string,
    private readonly output: Output,
  ) {
    this.ended = new Promise((done) => {
      if (child.exitCode !== null || child.signalCode !== null) done();
      else child.once('exit', () => done());
    });
  }

  /**
   * Starts it on the folder's store and resolves once it says where it listens. `built` is the folder of the compiled service,
   * for callers that do not run from dist themselves.
   */
  static async start(folder: string, settings: NodeJS.ProcessEnv = {}, built = LEDGER): Promise<ChildService> {
    const dataDir = resolve(folder);
    const environment = {
      ...process.env,
      NODE_ENV: 'development',
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: dataDir,
      EVENT_STORE_URL: `sqlite:${dataDir}/events.db`,
      READ_MODEL_PATH: `${dataDir}/read-model.db`,
      AUTH: 'local',
      ...settings,
    };
    const child = spawn(process.execPath, ['--max-semi-space-size=32', '--enable-source-maps', `${built}/main.js`], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { printed: '', said: '' };
    return new ChildService(await listening(child, output), child, environment, built, output);
  }

  /** A bearer token of the local key, made by the same command line that a person would use. */
  async token(request: TokenRequest): Promise<string> {
    const options = Object.entries(request).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const { stdout } = await promisify(execFile)(process.execPath, [`${this.built}/cli/token.js`, ...options], {
      env: this.environment,
    });
    return stdout.trim();
  }

  /** The end of its log. */
  get log(): string {
    return this.output.printed;
  }

  /** Peak memory and CPU are the operating system's to tell; the id names the process there. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** For tests: SIGSTOP freezes it where it is, with every lock it holds, and SIGCONT lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(name);
  }

  /** Ends it at once, in the middle of whatever it does, also when it is frozen. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Asks it to end and waits for that; one that does not end in time is killed, and that is an error. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    let killed = false;
    const timer = setTimeout(() => {
      killed = true;
      this.child.kill('SIGKILL');
    }, STOP_MAX_MS);
    this.child.kill('SIGTERM');
    await this.ended;
    clearTimeout(timer);
    if (killed) throw new Error(`The service did not end within ${STOP_MAX_MS / 1000} s of SIGTERM and was killed.`);
  }
}

interface Output {
  printed: string;
  said: string;
}

/** The address that the start's line names. Both pipes are read to the end, or a full pipe would stop the service. */
function listening(child: ChildProcess, output: Output): Promise<string> {
  const complaint = () => (output.said || output.printed).slice(-SHOWN_MAX);
  return new Promise((resolveUrl, refuse) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      refuse(new Error(`The service did not say where it listens within ${START_MAX_MS / 1000} s. ${complaint()}`));
    }, START_MAX_MS);
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (output.said = (output.said + text).slice(-SAID_MAX)));
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      output.printed = (output.printed + text).slice(-SAID_MAX);
      const url = /listens on (https?:\/\/[\w.[\]:-]+:\d+)/.exec(output.printed)?.[1];
      if (!url) return;
      clearTimeout(timer);
      resolveUrl(url);
    });
    child.once('error', refuse);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      refuse(new Error(`The service ended (${signal ?? `status ${code}`}) instead of listening. ${complaint()}`.trim()));
    });
  });
}
