import type { DefaultLimits } from '@ledger/wallet';
import type { Database } from '@ledger/sqlite';
import { Rows } from './rows';

/** Answers: what an organisation's wallet holds, its zone and default limits, and what is on its way to members. */

/** Limits are stored as numbers: -1 is unlimited, null is "not set here". */
export const UNLIMITED_STORED = -1;
export const storedLimit = (limit: number | null): number => limit ?? UNLIMITED_STORED;
export const limitOf = (stored: number | null): number | null => (stored === null || stored === UNLIMITED_STORED ? null : stored);

export interface OrganisationRow {
  organisation_id: string;
  revision: number;
  time_zone: string;
  available: number;
  in_transit: number;
  usage_daily: number;
  usage_monthly: number;
  allocation_daily: number;
  allocation_monthly: number;
}

/** About 200 bytes each. */
const ROWS_KEPT_MAX = 50_000;

export class WalletBalances {
  static readonly tables = `
    create table organisations (
      organisation_id text primary key,
      revision integer not null,
      time_zone text not null,
      available integer not null,
      in_transit integer not null,
      usage_daily integer not null,
      usage_monthly integer not null,
      allocation_daily integer not null,
      allocation_monthly integer not null
    ) strict, without rowid;`;

  private readonly rows: Rows<OrganisationRow>;

  constructor(db: Database) {
    const write = db.prepare<[OrganisationRow]>(`
      insert or replace into organisations values (@organisation_id, @revision, @time_zone, @available, @in_transit,
        @usage_daily, @usage_monthly, @allocation_daily, @allocation_monthly)`);
    const read = db.prepare<[string], OrganisationRow>('select * from organisations where organisation_id = ?');
    this.rows = new Rows(
      ROWS_KEPT_MAX,
      (organisationId) => read.get(organisationId),
      (row) => write.run(row),
    );
  }

  readTo(organisationId: string, revision: number): void {
    this.change(organisationId).revision = revision;
  }

  inZone(organisationId: string, timeZone: string): void {
    this.change(organisationId).time_zone = timeZone;
  }

  holds(organisationId: string, available: number): void {
    this.change(organisationId).available = available;
  }

  /** Tokens that left for members (positive), or that a member received (negative). */
  underWay(organisationId: string, tokens: number): void {
    this.change(organisationId).in_transit += tokens;
  }

  limitedBy(organisationId: string, { usage, allocation }: DefaultLimits): void {
    const row = this.change(organisationId);
    row.usage_daily = storedLimit(usage.daily);
    row.usage_monthly = storedLimit(usage.monthly);
    row.allocation_daily = storedLimit(allocation.daily);
    row.allocation_monthly = storedLimit(allocation.monthly);
  }

  find(organisationId: string): Readonly<OrganisationRow> | undefined {
    return this.rows.find(organisationId);
  }

  flush(): void {
    this.rows.flush();
  }

  forget(): void {
    this.rows.forget();
  }

  private change(organisationId: string): OrganisationRow {
    return this.rows.change(organisationId, emptyRow);
  }
}

const emptyRow = (organisationId: string): OrganisationRow => ({
  organisation_id: organisationId,
  revision: -1,
  time_zone: 'UTC',
  available: 0,
  in_transit: 0,
  usage_daily: UNLIMITED_STORED,
  usage_monthly: UNLIMITED_STORED,
  allocation_daily: UNLIMITED_STORED,
  allocation_monthly: UNLIMITED_STORED,
});

export const defaultsOf = (row: OrganisationRow): DefaultLimits => ({
  usage: { daily: limitOf(row.usage_daily), monthly: limitOf(row.usage_monthly) },
  allocation: { daily: limitOf(row.allocation_daily), monthly: limitOf(row.allocation_monthly) },
});
