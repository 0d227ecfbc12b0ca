import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteEventStore, type StoredEvent } from '@ledger/event-store';
import { type ChainHead, chainStart, type Envelope, seal, streamOf, type WalletEvent, type WalletRef } from '@ledger/wallet';
import { hashing } from '../../wallets/hashing';
import { SqliteQueries } from '../sqlite-queries';
import { SqliteReadModel } from '../sqlite-read-model';

/** A real store in a folder of its own, events written into it as the ledger writes them, and read models that follow it. */

export const organisation = (id: string): WalletRef => ({ kind: 'organisation', id });
export const user = (id: string): WalletRef => ({ kind: 'user', id });

const ENVELOPE: Envelope = { actor: 'ann', role: 'admin', requestId: 'request-1', correlationId: 'correlation-1' };

export class TestLedger {
  private readonly heads = new Map<string, ChainHead>();
  private readonly running: SqliteReadModel[] = [];
  position = -1n;

  private constructor(
    readonly folder: string,
    readonly store: SqliteEventStore,
  ) {}

  static async open(): Promise<TestLedger> {
    const folder = mkdtempSync(join(tmpdir(), 'ledger-views-'));
    return new TestLedger(folder, await SqliteEventStore.open(join(folder, 'events.db')));
  }

  get path(): string {
    return join(this.folder, 'read-model.db');
  }

  async write(wallet: WalletRef, events: WalletEvent[], envelope: Partial<Envelope> = {}): Promise<void> {
    const stream = streamOf(wallet);
    const head = this.heads.get(stream) ?? chainStart(stream, hashing);
    const { revision } = head;
    const sealed = events.map((event) => seal(event, { ...ENVELOPE, ...envelope }, head, hashing));
    this.heads.set(stream, head);
    ({ position: this.position } = await this.store.append(stream, revision, sealed));
  }

  /** A read model that has read everything written so far. */
  async read(path = this.path): Promise<SqliteReadModel> {
    const readModel = new SqliteReadModel(this.store, path);
    await readModel.start();
    this.running.push(readModel);
    if (!(await readModel.reached(this.position, 5_000))) throw new Error('the read model did not get to the last event in 5 s');
    return readModel;
  }

  async queries(settings = { freeTokensPerMonth: 25, platformTimeZone: 'UTC' }): Promise<SqliteQueries> {
    return new SqliteQueries(await this.read(), settings);
  }

  all(): Promise<StoredEvent[]> {
    return this.store.readAll(-1n, 10_000);
  }

  /** The file can then be opened again. */
  async stopReading(): Promise<void> {
    for (const readModel of this.running.splice(0)) await readModel.stop();
  }

  async close(): Promise<void> {
    await this.stopReading();
    await this.store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
