import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ChildService } from '../../apps/demo/src/child-service';
import { HttpClient, type Ask, type Reply } from '../../apps/demo/src/http-client';
import { type StoredRow, storedRows } from './stored-rows';
import type { HeadReader } from './witness';

/** LEDGER_BUILT names the folder of another build, such as one that was broken on purpose to see a test fail. */
export const BUILT = resolve(process.env.LEDGER_BUILT ?? join(__dirname, '../../dist/apps/ledger/src'));
const CONNECTIONS = 64;

/** A body as a test looks into it: expectations check what is there, types cannot. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = Record<string, any>;

/** A command or question as a test writes it: the token is everywhere the platform's. */
export type Asked = Omit<Ask, 'token'>;

/** A store that is not the embedded one, as tests look into it. */
export interface Elsewhere {
  reader(): HeadReader;
  rows(): Promise<StoredRow[]>;
}

/** One process of the ledger and the connections to it. */
export interface Door {
  name: string;
  service: ChildService;
  client: HttpClient;
  port: number;
  /** Sends once. @throws when no answer comes in time or the connection is lost */
  once(ask: Asked, waitMs?: number): Promise<Reply>;
  /** Sends until there is an answer that is not "later". @throws when there is none */
  ask(ask: Asked): Promise<Reply>;
}

/**
 * A ledger in a folder of its own under the folder for temporary files, served by as many processes as a test starts. All of
 * them are killed and the folder is removed at the end, also when jest itself ends early.
 */
export class LedgerUnderTest {
  readonly folder = mkdtempSync(join(tmpdir(), 'ledger-test-'));
  readonly store = join(this.folder, 'events.db');
  private readonly doors = new Set<Door>();
  private token = '';
  private readonly atExit = () => this.removeAtOnce();

  /** `elsewhere` reads a store that is not the embedded one. @throws when the service was not built */
  constructor(
    private readonly settings: NodeJS.ProcessEnv = {},
    private readonly elsewhere?: Elsewhere,
  ) {
    process.once('exit', this.atExit);
    if (!existsSync(join(BUILT, 'main.js')))
      throw new Error(`${BUILT} lacks the service, and these tests run the built one: "npm run build" makes it.`);
  }

  /** Where the witness asks how far the store has come. */
  get reader(): string | HeadReader {
    return this.elsewhere?.reader() ?? this.store;
  }

  /** Everything that is stored, in the order of the store. */
  async rows(): Promise<StoredRow[]> {
    return this.elsewhere ? this.elsewhere.rows() : storedRows(this.store);
  }

  /** Starts a process; the name is its own read model's, the port 0 for any free one. */
  async start(name: string, port = 0): Promise<Door> {
    const settings = {
      PLATFORM_TIME_ZONE: calmZone(),
      ...this.settings,
      PORT: String(port),
      READ_MODEL_PATH: join(this.folder, `read-model-${name}.db`),
    };
    const service = await ChildService.start(this.folder, settings, BUILT);
    this.token ||= await service.token({ role: 'platform' });
    const { token } = this;
    const client = new HttpClient(service.url, CONNECTIONS);
    const door: Door = {
      name,
      service,
      client,
      port: Number(new URL(service.url).port),
      once: (ask, waitMs) => client.once({ ...ask, token }, waitMs),
      ask: (ask) => client.ask({ ...ask, token }),
    };
    this.doors.add(door);
    return door;
  }

  async kill(door: Door): Promise<void> {
    await door.service.kill();
    door.client.close();
    this.doors.delete(door);
  }

  /** Ends every process as an operator would. @throws when one does not end of itself */
  async stop(): Promise<void> {
    for (const door of this.doors) {
      door.client.close();
      await door.service.stop();
      this.doors.delete(door);
    }
  }

  async end(): Promise<void> {
    for (const door of this.doors) await this.kill(door);
    process.off('exit', this.atExit);
    this.removeAtOnce();
  }

  private removeAtOnce(): void {
    for (const { service } of this.doors) void service.kill();
    // For looking at a store in which something does not add up.
    if (process.env.LEDGER_KEEP) process.stdout.write(`kept ${this.folder}\n`);
    else rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A zone in which it is about noon now, so that no day or month ends while a test runs. */
export function calmZone(): string {
  const east = 12 - new Date().getUTCHours();
  // The names count westward: Etc/GMT-3 is three hours ahead of UTC.
  return east === 0 ? 'Etc/GMT' : `Etc/GMT${east > 0 ? '-' : '+'}${Math.abs(east)}`;
}

export const bodyOf = (reply: Reply) => JSON.parse(reply.text) as Json;
export const positionOf = ({ headers }: Reply): string | undefined => headers['ledger-position'] as string | undefined;
export const isReplay = ({ headers }: Reply): boolean => headers['idempotency-replayed'] === 'true';
export const isLater = ({ status }: Reply): boolean => status === 429 || status === 503;

/** Prints the seed, which the environment variable of this name can set. */
export function seedOf(variable: string): number {
  const given = process.env[variable];
  const seed = given === undefined ? Math.trunc(Math.random() * 2 ** 31) : Number(given);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error(`${variable} must be a whole number, not ${given}.`);
  process.stdout.write(`${variable}=${seed}\n`);
  return seed;
}
