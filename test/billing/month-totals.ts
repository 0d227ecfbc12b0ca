import { Effects, type LedgerEvent, type SkippedEvent } from '@ledger/ledger-consumer';
import { type Database, Sqlite } from '@ledger/sqlite';

/** What was used, by month (UTC, when it happened), organisation whose tokens were drawn (empty: the user's own) and service. */
export interface MonthTotal {
  month: string;
  organisation: string;
  service: string;
  tokens: number;
}

const SCHEMA = `
  create table if not exists revisions (wallet text primary key, revision integer not null) without rowid;
  create table if not exists usages (usage_id text primary key, month text not null, service text not null) without rowid;
  create table if not exists totals (
    month text not null, organisation text not null, service text not null, tokens integer not null,
    primary key (month, organisation, service)
  ) without rowid;
  create table if not exists skipped (wallet text not null, revision integer not null, type text not null, reason text not null);
`;

/** The part of a billing service that listens to the ledger: totals and revisions in one SQLite file, in one transaction. */
export class MonthTotals extends Effects<Database> {
  private readonly database: Database;

  constructor(path: string) {
    super();
    this.database = new Sqlite(path);
    // What the group is told to be read must survive a power cut.
    this.database.pragma('journal_mode = wal');
    this.database.pragma('synchronous = full');
    this.database.exec(SCHEMA);
  }

  /** Immediate: a second process on the file waits here, and then sees the revisions that this one kept. */
  async inTransaction(work: (transaction: Database) => Promise<void>): Promise<void> {
    this.database.exec('begin immediate');
    try {
      await work(this.database);
      this.database.exec('commit');
    } catch (error) {
      this.database.exec('rollback');
      throw error;
    }
  }

  lastRevision(database: Database, wallet: string): number | undefined {
    const row = database.prepare<[string], { revision: number }>('select revision from revisions where wallet = ?').get(wallet);
    return row?.revision;
  }

  keepRevision(database: Database, wallet: string, revision: number): void {
    database.prepare('insert into revisions values (?, ?) on conflict do update set revision = excluded.revision').run(wallet, revision);
  }

  apply(database: Database, event: LedgerEvent): void {
    if (event.type === 'TokensUsed') {
      const { usageId, occurredAt, service = '', charged } = event.data;
      const month = occurredAt.slice(0, 7);
      database.prepare('insert into usages values (?, ?, ?)').run(usageId, month, service);
      for (const { organisationId = '', tokens } of charged) add(database, { month, organisation: organisationId, service, tokens });
    }
    if (event.type === 'UsageReversed') {
      const { usageId, returned, lapsed } = event.data;
      const usage = database.prepare<[string], Pick<MonthTotal, 'month' | 'service'>>(
        'select month, service from usages where usage_id = ?',
      );
      const { month, service } = usage.get(usageId)!;
      // Free tokens of a month that has passed lapse instead of coming back: the user is not billed for them either.
      const back = [...returned, { organisationId: '', tokens: lapsed }];
      for (const { organisationId = '', tokens } of back) add(database, { month, organisation: organisationId, service, tokens: -tokens });
    }
  }

  skipped(database: Database, { wallet, revision, skipped: { type, reason } }: SkippedEvent): void {
    database.prepare('insert into skipped values (?, ?, ?, ?)').run(`${wallet.kind}:${wallet.id}`, revision, type, reason);
  }

  totals(): MonthTotal[] {
    return this.database.prepare<[], MonthTotal>('select * from totals where tokens <> 0 order by month, organisation, service').all();
  }

  revisions(): Map<string, number> {
    const rows = this.database.prepare<[], { wallet: string; revision: number }>('select * from revisions').all();
    return new Map(rows.map(({ wallet, revision }) => [wallet, revision]));
  }

  close(): void {
    this.database.close();
  }
}

function add(database: Database, { month, organisation, service, tokens }: MonthTotal): void {
  database
    .prepare('insert into totals values (?, ?, ?, ?) on conflict do update set tokens = tokens + excluded.tokens')
    .run(month, organisation, service, tokens);
}
