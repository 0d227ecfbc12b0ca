import type { DefaultLimits } from '@ledger/wallet';
import type { Database, Statement } from 'better-sqlite3';

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

/** What events changed in a row that is not written yet; null keeps what was there. */
interface OrganisationChange {
  organisationId: string;
  revision: number | null;
  timeZone: string | null;
  available: number | null;
  /** Allocated less received, in these events. */
  inTransit: number;
  usageDaily: number | null;
  usageMonthly: number | null;
  allocationDaily: number | null;
  allocationMonthly: number | null;
}

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

  private readonly changes = new Map<string, OrganisationChange>();
  private readonly write: Statement<[OrganisationChange]>;
  private readonly read: Statement<[string], OrganisationRow>;

  constructor(db: Database) {
    this.write = db.prepare(`
      insert into organisations values (@organisationId, coalesce(@revision, -1), coalesce(@timeZone, 'UTC'), coalesce(@available, 0), @inTransit,
        coalesce(@usageDaily, -1), coalesce(@usageMonthly, -1), coalesce(@allocationDaily, -1), coalesce(@allocationMonthly, -1))
      on conflict do update set
        revision = coalesce(@revision, revision), time_zone = coalesce(@timeZone, time_zone), available = coalesce(@available, available),
        in_transit = in_transit + @inTransit,
        usage_daily = coalesce(@usageDaily, usage_daily), usage_monthly = coalesce(@usageMonthly, usage_monthly),
        allocation_daily = coalesce(@allocationDaily, allocation_daily), allocation_monthly = coalesce(@allocationMonthly, allocation_monthly)`);
    this.read = db.prepare('select * from organisations where organisation_id = ?');
  }

  readTo(organisationId: string, revision: number): void {
    this.change(organisationId).revision = revision;
  }

  inZone(organisationId: string, timeZone: string): void {
    this.change(organisationId).timeZone = timeZone;
  }

  holds(organisationId: string, available: number): void {
    this.change(organisationId).available = available;
  }

  /** Tokens that left for members (positive), or that a member received (negative). */
  underWay(organisationId: string, tokens: number): void {
    this.change(organisationId).inTransit += tokens;
  }

  limitedBy(organisationId: string, { usage, allocation }: DefaultLimits): void {
    Object.assign(this.change(organisationId), {
      usageDaily: storedLimit(usage.daily),
      usageMonthly: storedLimit(usage.monthly),
      allocationDaily: storedLimit(allocation.daily),
      allocationMonthly: storedLimit(allocation.monthly),
    });
  }

  find(organisationId: string): OrganisationRow | undefined {
    return this.read.get(organisationId);
  }

  /** Writes each changed row once, however many events touched it. */
  flush(): void {
    for (const change of this.changes.values()) this.write.run(change);
    this.changes.clear();
  }

  /** Drops what a rolled-back transaction would have written. */
  forget(): void {
    this.changes.clear();
  }

  private change(organisationId: string): OrganisationChange {
    let change = this.changes.get(organisationId);
    if (change === undefined) {
      const unlimited = { usageDaily: null, usageMonthly: null, allocationDaily: null, allocationMonthly: null };
      change = { organisationId, revision: null, timeZone: null, available: null, inTransit: 0, ...unlimited };
      this.changes.set(organisationId, change);
    }
    return change;
  }
}

export const defaultsOf = (row: OrganisationRow): DefaultLimits => ({
  usage: { daily: limitOf(row.usage_daily), monthly: limitOf(row.usage_monthly) },
  allocation: { daily: limitOf(row.allocation_daily), monthly: limitOf(row.allocation_monthly) },
});
