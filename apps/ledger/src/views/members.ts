import type { DefaultLimits, LimitOverride, MemberStatus, WindowIds } from '@ledger/wallet';
import type { Database, Statement } from '@ledger/sqlite';
import type { MembersFilter } from './queries';
import { limitOf, storedLimit } from './wallet-balances';

/** Answers: who may receive from an organisation, under which limits of their own, and who is blocked. */

export interface MemberRow {
  user_id: string;
  status: MemberStatus;
  /** 1 when suspended, also when removed after having been suspended: then what was allocated cannot be drawn. */
  frozen: number;
  /** Null inherits the default. */
  usage_daily: number | null;
  usage_monthly: number | null;
  allocation_daily: number | null;
  allocation_monthly: number | null;
}

type OverrideColumns = [number | null, number | null, number | null, number | null];

interface PageParameters {
  organisationId: string;
  after: string;
  count: number;
  status: MemberStatus | null;
  day: string;
  month: string;
  daily: number;
  monthly: number;
}

export class Members {
  /** Without a status the row is only an override; nobody has seen a member there. */
  static readonly tables = `
    create table members (
      organisation_id text not null,
      user_id text not null,
      status text,
      frozen integer not null,
      usage_daily integer,
      usage_monthly integer,
      allocation_daily integer,
      allocation_monthly integer,
      primary key (organisation_id, user_id)
    ) strict, without rowid;
    create index members_by_status on members (organisation_id, status);
    create index members_of_user on members (user_id);`;

  private readonly countOfUser: Statement<[string], number>;
  private readonly writeStatus: Statement<[string, string, MemberStatus, number]>;
  private readonly writeRemoved: Statement<[string, string]>;
  private readonly writeOverride: Statement<[string, string, ...OverrideColumns]>;
  private readonly read: Statement<[string, string], MemberRow>;
  private readonly readCounts: Statement<[string], { status: MemberStatus; count: number }>;
  private readonly readPage: Statement<[PageParameters], MemberRow>;
  private readonly readStatus: Statement<[PageParameters], MemberRow>;
  private readonly readBlocked: Statement<[PageParameters], MemberRow>;

  constructor(db: Database) {
    this.writeStatus = db.prepare(`
      insert into members (organisation_id, user_id, status, frozen) values (?, ?, ?, ?)
      on conflict do update set status = excluded.status, frozen = excluded.frozen`);
    this.writeRemoved = db.prepare(`
      insert into members (organisation_id, user_id, status, frozen) values (?, ?, 'removed', 0) on conflict do update set status = 'removed'`);
    this.writeOverride = db.prepare(`
      insert into members values (?, ?, null, 0, ?, ?, ?, ?)
      on conflict do update set usage_daily = excluded.usage_daily, usage_monthly = excluded.usage_monthly,
        allocation_daily = excluded.allocation_daily, allocation_monthly = excluded.allocation_monthly`);
    this.read = db.prepare('select * from members where organisation_id = ? and user_id = ? and status is not null');
    this.countOfUser = db.prepare<[string], number>('select count(*) from members where user_id = ? and status is not null').pluck();
    this.readCounts = db.prepare(
      'select status, count(*) count from members where organisation_id = ? and status is not null group by status',
    );
    const wanted = `m.organisation_id = @organisationId and m.user_id > @after
      and (m.status = @status or (@status is null and m.status <> 'removed'))`;
    this.readPage = db.prepare(`select m.* from members m where ${wanted} order by m.user_id limit @count`);
    // By its index: the few suspended members of a large organisation are not looked for among all.
    this.readStatus = db.prepare(`
      select m.* from members m indexed by members_by_status
      where m.organisation_id = @organisationId and m.status = @status and m.user_id > @after
      order by m.user_id limit @count`);
    // A limit of -1 is unlimited, and never lies between 0 and what is used.
    const left = (own: string, standard: string, window: string) =>
      `coalesce(${own}, ${standard}) between 0 and coalesce(r.usage ->> ${window}, 0)`;
    this.readBlocked = db.prepare(`
      select m.* from members m left join relationships r on r.user_id = m.user_id and r.organisation_id = m.organisation_id
      where ${wanted}
        and (m.frozen = 1 or ${left('m.usage_daily', '@daily', '@day')} or ${left('m.usage_monthly', '@monthly', '@month')})
      order by m.user_id limit @count`);
  }

  permitted(organisationId: string, userId: string): void {
    this.writeStatus.run(organisationId, userId, 'permitted', 0);
  }

  suspended(organisationId: string, userId: string): void {
    this.writeStatus.run(organisationId, userId, 'suspended', 1);
  }

  /** What was allocated stays as it was: frozen if the member was suspended. */
  removed(organisationId: string, userId: string): void {
    this.writeRemoved.run(organisationId, userId);
  }

  /** Replaces the override whole; an empty one inherits everything. It outlives removal. */
  limited(organisationId: string, userId: string, { usage, allocation }: LimitOverride): void {
    const columns = [usage?.daily, usage?.monthly, allocation?.daily, allocation?.monthly].map((limit) =>
      limit === undefined ? null : storedLimit(limit),
    );
    this.writeOverride.run(organisationId, userId, ...(columns as OverrideColumns));
  }

  find(organisationId: string, userId: string): MemberRow | undefined {
    return this.read.get(organisationId, userId);
  }

  organisationsOf(userId: string): number {
    return this.countOfUser.get(userId) ?? 0;
  }

  counts(organisationId: string): Record<MemberStatus, number> {
    const counts = { permitted: 0, suspended: 0, removed: 0 };
    for (const { status, count } of this.readCounts.all(organisationId)) counts[status] = count;
    return counts;
  }

  /** In the order of user ids, those after `after`. Blocked members are found by the limits and windows in force now. */
  page(
    organisationId: string,
    { status, blocked }: Pick<MembersFilter, 'status' | 'blocked'>,
    defaults: DefaultLimits,
    windows: WindowIds,
    after: string,
    count: number,
  ): MemberRow[] {
    const statement = blocked ? this.readBlocked : status === undefined ? this.readPage : this.readStatus;
    const usage = { daily: storedLimit(defaults.usage.daily), monthly: storedLimit(defaults.usage.monthly) };
    return statement.all({ organisationId, after, count, status: status ?? null, day: windows.daily, month: windows.monthly, ...usage });
  }
}

/** The override as it was set; a field that inherits is left out. */
export function overrideOfRow(row: MemberRow): LimitOverride {
  const override = { usage: {} as Record<string, number | null>, allocation: {} as Record<string, number | null> };
  if (row.usage_daily !== null) override.usage.daily = limitOf(row.usage_daily);
  if (row.usage_monthly !== null) override.usage.monthly = limitOf(row.usage_monthly);
  if (row.allocation_daily !== null) override.allocation.daily = limitOf(row.allocation_daily);
  if (row.allocation_monthly !== null) override.allocation.monthly = limitOf(row.allocation_monthly);
  return override;
}
