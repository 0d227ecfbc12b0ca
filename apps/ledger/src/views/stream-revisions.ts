import type { WalletRef } from '@ledger/wallet';
import type { Database, Statement } from 'better-sqlite3';

/** Revisions kept in memory; when there are more, all are let go and read again as they are needed. */
const STREAMS_REMEMBERED_MAX = 100_000;

/** How far each wallet's stream was read. The rows of the wallets hold it; the recent ones are kept in memory too. */
export class StreamRevisions {
  private readonly recent = new Map<string, number>();
  private readonly read: Record<WalletRef['kind'], Statement<[string], number>>;

  constructor(db: Database) {
    this.read = {
      organisation: db.prepare<[string], number>('select revision from organisations where organisation_id = ?').pluck(),
      user: db.prepare<[string], number>('select revision from users where user_id = ?').pluck(),
    };
  }

  /** True when there is no room: rows must be written before `forget`, since they are all that is left then. */
  get full(): boolean {
    return this.recent.size >= STREAMS_REMEMBERED_MAX;
  }

  /** -1 when nothing was read. */
  of(stream: string, { kind, id }: WalletRef): number {
    return this.recent.get(stream) ?? this.read[kind].get(id) ?? -1;
  }

  readTo(stream: string, revision: number): void {
    this.recent.set(stream, revision);
  }

  forget(): void {
    this.recent.clear();
  }
}
