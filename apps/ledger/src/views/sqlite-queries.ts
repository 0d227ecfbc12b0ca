import {
  type DefaultLimits,
  isoInstant,
  monthAt,
  streamOf,
  UNLIMITED,
  type WalletRef,
  windowsAt,
  type WindowIds,
  type Windows,
} from '@ledger/wallet';
import { allocationAnswer } from './allocations';
import type {
  AllocationAnswer,
  AllocationDetail,
  BillAnswer,
  MemberAnswer,
  OrganisationAnswer,
  Page,
  PageRequest,
  RelationshipAnswer,
  StorageAnswer,
  UsageAnswer,
  UserAnswer,
} from './answers';
import { billAnswerOf } from './bills';
import { cursorAt, numberAt, pageOf, textAt } from './cursor';
import { limitsAnswer, meterAnswer, usableOf } from './limits-answer';
import { type MemberRow, overrideOfRow } from './members';
import { type BillsFilter, type MembersFilter, Queries } from './queries';
import { type PurchaseAnswer, purchaseAnswer } from './purchases';
import { type Relationship, usedIn } from './relationships';
import type { SqliteReadModel } from './sqlite-read-model';
import { usageAnswer } from './usages';
import type { UserRow } from './users';
import type { Views } from './views';
import { defaultsOf, type OrganisationRow } from './wallet-balances';

/** What the platform configures and answers depend on. */
export interface AllowanceSettings {
  freeTokensPerMonth: number;
  /** IANA zone of the months of free allowances. */
  platformTimeZone: string;
}

/** Sorts before every id. */
const FIRST_ID = '';
/** Lists that give the newest first begin above every revision. */
const NEWEST = Number.MAX_SAFE_INTEGER;
const UTC = 'UTC';

/** The answers, from the rows of the read model and the instant of the question. */
export class SqliteQueries extends Queries {
  constructor(
    private readonly readModel: SqliteReadModel,
    private readonly settings: AllowanceSettings,
  ) {
    super();
  }

  organisation(organisationId: string): OrganisationAnswer | undefined {
    const row = this.views.balances.find(organisationId);
    if (row === undefined) return undefined;
    const { owed, storage_declined: declined } = this.views.bills.of(streamOf({ kind: 'organisation', id: organisationId }));
    return {
      organisationId,
      timeZone: row.time_zone,
      available: row.available,
      inTransit: row.in_transit,
      owed,
      storageDeclined: declined === 1,
      limits: defaultsOf(row),
      members: this.views.members.counts(organisationId),
      revision: row.revision,
    };
  }

  defaultLimits(organisationId: string): DefaultLimits | undefined {
    const row = this.views.balances.find(organisationId);
    return row && defaultsOf(row);
  }

  member(organisationId: string, userId: string, now: number): MemberAnswer | undefined {
    const organisation = this.views.balances.find(organisationId);
    const row = this.views.members.find(organisationId, userId);
    if (organisation === undefined || row === undefined) return undefined;
    return this.memberAnswer(organisation, row, windowsAt(organisation.time_zone, now));
  }

  members(organisationId: string, filter: MembersFilter, now: number): Page<MemberAnswer> {
    const after = textAt('members', filter.cursor, FIRST_ID);
    const organisation = this.views.balances.find(organisationId);
    if (organisation === undefined) return { data: [], nextCursor: null };
    const windows = windowsAt(organisation.time_zone, now);
    const ids: WindowIds = { daily: windows.daily.window, monthly: windows.monthly.window };
    const rows = this.views.members.page(organisationId, filter, defaultsOf(organisation), ids, after, filter.limit + 1);
    return pageOf(
      rows,
      filter.limit,
      'members',
      (row) => row.user_id,
      (row) => this.memberAnswer(organisation, row, windows),
    );
  }

  allocations(organisationId: string, { limit, cursor }: PageRequest): Page<AllocationAnswer> {
    const rows = this.views.allocations.page(organisationId, numberAt('allocations', cursor, NEWEST), limit + 1);
    return pageOf(rows, limit, 'allocations', (row) => row.revision, allocationAnswer);
  }

  allocation(organisationId: string, allocationId: string, { limit, cursor }: PageRequest): AllocationDetail | undefined {
    const from = numberAt('lines', cursor, 0);
    const row = this.views.allocations.find(organisationId, allocationId);
    if (row === undefined) return undefined;
    const to = from + limit;
    const lines = this.views.allocations.lines(allocationId, from, to);
    return { ...allocationAnswer(row), lines, nextCursor: to < row.line_count ? cursorAt('lines', to) : null };
  }

  user(userId: string, now: number): UserAnswer {
    const row = this.views.users.find(userId);
    const free = this.free(row, now);
    const purchased = row?.purchased ?? 0;
    const allocated = this.views.relationships.of(userId).map((relationship) => this.relationship(relationship, now));
    const balance = allocated.reduce((sum, { tokens }) => sum + tokens, free.tokens + purchased);
    const { owed, storage_declined: declined } = this.views.bills.of(streamOf({ kind: 'user', id: userId }));
    return { userId, balance, free, purchased, allocated, owed, storageDeclined: declined === 1, revision: row?.revision ?? -1 };
  }

  usage(userId: string, usageId: string): UsageAnswer | undefined {
    const row = this.views.usages.find(userId, usageId);
    return row && usageAnswer(row);
  }

  usagesByReference(userId: string, reference: string, { limit, cursor }: PageRequest): Page<UsageAnswer> {
    const rows = this.views.usages.byReference(userId, reference, numberAt('usages', cursor, NEWEST), limit + 1);
    return pageOf(rows, limit, 'usages', (row) => row.revision, usageAnswer);
  }

  bills(wallet: WalletRef, { limit, cursor, kind }: BillsFilter): Page<BillAnswer> {
    const rows = this.views.bills.page(streamOf(wallet), kind, numberAt('bills', cursor, NEWEST), limit + 1);
    return pageOf(rows, limit, 'bills', (row) => row.revision, billAnswerOf);
  }

  storage(wallet: WalletRef): StorageAnswer {
    return this.views.bills.storage(streamOf(wallet));
  }

  purchases(wallet: WalletRef, { limit, cursor }: PageRequest): Page<PurchaseAnswer> {
    const rows = this.views.history.purchases.page(wallet, numberAt('purchases', cursor, NEWEST), limit + 1);
    return pageOf(rows, limit, 'purchases', (row) => row.revision, purchaseAnswer);
  }

  private get views(): Views {
    return this.readModel.views;
  }

  private memberAnswer(organisation: OrganisationRow, row: MemberRow, windows: Windows): MemberAnswer {
    const { organisation_id: organisationId } = organisation;
    const { user_id: userId, status } = row;
    const relationship = this.views.relationships.find(userId, organisationId);
    const limits = limitsAnswer(defaultsOf(organisation), overrideOfRow(row), windows, usedIn(relationship));
    return { organisationId, userId, status, allocated: relationship?.tokens ?? 0, limits };
  }

  private relationship(relationship: Relationship, now: number): RelationshipAnswer {
    const { userId, organisationId, tokens } = relationship;
    const { balances, members } = this.views;
    const organisation = balances.find(organisationId);
    const member = members.find(organisationId, userId);
    const windows = windowsAt(organisation?.time_zone ?? UTC, now);
    const defaults = organisation ? defaultsOf(organisation) : UNLIMITED;
    const usage = meterAnswer('usage', defaults, member && overrideOfRow(member), windows, usedIn(relationship));
    const usable = usableOf(tokens, member?.frozen === 1, usage);
    return { organisationId, tokens, usable, status: member?.status ?? 'removed', limits: { usage } };
  }

  /**
   * The right figure even before the event of a new month exists: the unused rest has lapsed and the allowance is there. A
   * wallet's month never goes back, so one that is later than now's stays.
   */
  private free(row: UserRow | undefined, now: number): UserAnswer['free'] {
    const { platformTimeZone } = this.settings;
    const tokensPerMonth = row?.tokens_per_month ?? this.settings.freeTokensPerMonth;
    const current = monthAt(platformTimeZone, now);
    if (row?.free_month == null || row.free === null || row.free_month < current.window) {
      return { tokens: tokensPerMonth, tokensPerMonth, month: current.window, resetsAt: isoInstant(current.resetsAt) };
    }
    // Clocks of two instances differ by seconds, so a later month is the next one.
    const month = row.free_month === current.window ? current : monthAt(platformTimeZone, current.resetsAt);
    return { tokens: row.free, tokensPerMonth, month: row.free_month, resetsAt: isoInstant(month.resetsAt) };
  }
}
