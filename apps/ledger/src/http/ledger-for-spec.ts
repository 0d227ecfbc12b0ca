import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { localKey, signToken, type TokenClaims } from '../auth/local-key';
import { createLedger } from '../create-ledger';
import { newLog } from '../operations/log';
import { readSettings } from '../settings';
import { Clock } from '../wallets/clock';

export interface Answer {
  status: number;
  headers: Record<string, string | undefined>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the shape of an answer is what these specs look at
  body: any;
}
export interface Sent {
  body?: unknown;
  /** Sent as it is, instead of `body`. */
  raw?: string | Buffer;
  headers?: Record<string, string>;
  /** Sends a POST without a key. */
  keyless?: boolean;
  /** False sends none. */
  as?: TokenClaims | false;
}

export const PLATFORM: TokenClaims = { sub: 'billing', role: 'platform' };

/** The real service on an embedded store in a folder of its own. */
export class LedgerForSpec {
  private constructor(
    public app: NestFastifyApplication,
    private readonly dataDir: string,
  ) {}

  /**
   * Ends the service and starts it again on the same folder, as of the instant that was set, with other settings where they are given.
   * `meanwhile` may change what is in the folder.
   */
  async restart(env: Record<string, string> = {}, meanwhile: (dataDir: string) => void = () => undefined): Promise<void> {
    await this.app.close();
    meanwhile(this.dataDir);
    this.app = await createLedger(readSettings({ DATA_DIR: this.dataDir, PORT: '0', ...env }), newLog('silent'));
    if (this.instant !== undefined) this.at(this.instant);
  }

  private instant: string | undefined;
  /** Sets the service's one clock, which then stands still. Tokens of callers go by the real one. */
  at(instant: string): void {
    this.instant = instant;
    this.app.get(Clock).now = () => Date.parse(instant);
  }

  static async start(env: Record<string, string> = {}): Promise<LedgerForSpec> {
    const dataDir = mkdtempSync(join(tmpdir(), 'ledger-spec-'));
    const app = await createLedger(readSettings({ DATA_DIR: dataDir, PORT: '0', ...env }), newLog('silent'));
    return new LedgerForSpec(app, dataDir);
  }

  private readonly signed = new Map<string, Promise<string>>();
  token(claims: TokenClaims): Promise<string> {
    const name = JSON.stringify(claims);
    if (!this.signed.has(name))
      this.signed.set(
        name,
        localKey(this.dataDir).then((key) => signToken(key, claims, 1)),
      );
    return this.signed.get(name)!;
  }

  /** A token that ends soon, `days` from now. */
  async shortToken(claims: TokenClaims, days: number): Promise<string> {
    return signToken(await localKey(this.dataDir), claims, days);
  }

  private keys = 0;
  async send(method: string, url: string, { body, raw, headers = {}, keyless = false, as = PLATFORM }: Sent = {}): Promise<Answer> {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await this.app.inject({
      method: method as 'GET',
      url,
      headers: {
        ...(as && { authorization: `Bearer ${await this.token(as)}` }),
        ...(payload !== undefined && { 'content-type': 'application/json' }),
        ...(method === 'POST' && !keyless && { 'idempotency-key': `key-${++this.keys}` }),
        ...headers,
      },
      ...(payload !== undefined && { payload }),
    });
    const json = response.body !== '' && /json/.test(String(response.headers['content-type']));
    return { status: response.statusCode, headers: response.headers as Answer['headers'], body: json ? response.json() : response.body };
  }

  async stop(): Promise<void> {
    await this.app.close();
    rmSync(this.dataDir, { recursive: true });
  }
}
