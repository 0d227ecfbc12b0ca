import type { StoredEvent } from '@ledger/event-store';
import { eventOf, type EventOf, type Metadata, type OrganisationEvent, type UserBalance, type UserEvent, walletOf } from '@ledger/wallet';
import type { Database } from '@ledger/sqlite';
import { Allocations } from './allocations';
import { Bills } from './bills';
import { History } from './history';
import { Members } from './members';
import { PendingLines } from './pending-lines';
import type { UniqueEntry, UniqueKind } from './read-model';
import { Relationships } from './relationships';
import { UniqueEntries } from './unique-entries';
import { RevisionMissing, StreamRevisions } from './stream-revisions';
import { Usages } from './usages';
import { Users } from './users';
import { WalletBalances } from './wallet-balances';

/** All views of one file, and the map of which event touches which view. Callers hold the transaction. */
export class Views {
  static readonly tables = [
    WalletBalances.tables,
    Members.tables,
    Users.tables,
    Relationships.tables,
    Allocations.tables,
    PendingLines.tables,
    Usages.tables,
    Bills.tables,
    History.tables,
    UniqueEntries.tables,
  ].join('\n');
  /** Brings the rows of the streams in the file `other` into this one. */
  static readonly joined = [Users, Relationships, Usages, Bills, History, UniqueEntries].map(({ joined }) => joined).join('\n');
  /** Only answers need these, so a file that is filled from nothing gets them at its end. */
  static readonly indexes = [Allocations.indexes, Usages.indexes, Bills.indexes].join('\n');

  readonly balances: WalletBalances;
  readonly members: Members;
  readonly users: Users;
  readonly relationships: Relationships;
  readonly allocations: Allocations;
  readonly pending: PendingLines;
  readonly usages: Usages;
  readonly bills: Bills;
  readonly history: History;
  /** Those that keep changed rows in memory. */
  private readonly holding: readonly { flush(): void; forget(): void }[];
  private readonly revisions: StreamRevisions;
  /** True when a row was changed in memory and is not written yet. */
  private changed = false;
  /** Allocations of which a line was received since it was asked last. */
  private readonly progressed = new Set<string>();

  constructor(
    db: Database,
    private readonly unique = new UniqueEntries(db),
  ) {
    this.balances = new WalletBalances(db);
    this.members = new Members(db);
    this.users = new Users(db);
    this.relationships = new Relationships(db);
    this.allocations = new Allocations(db);
    this.pending = new PendingLines(db);
    this.usages = new Usages(db);
    this.bills = new Bills(db);
    this.history = new History(db, this);
    this.holding = [this.balances, this.users, this.relationships, this.allocations, this.pending, this.history];
    this.revisions = new StreamRevisions(({ kind, id }) => (kind === 'user' ? this.users : this.balances).find(id)?.revision);
  }

  /** Folds one event in. One that was folded before changes nothing. @throws RevisionMissing */
  apply(stored: StoredEvent): void {
    const { stream, revision } = stored;
    const wallet = this.revisions.of(stream);
    if (wallet === undefined || revision <= wallet.revision) return;
    if (revision > wallet.revision + 1) throw new RevisionMissing(stream, wallet.revision, revision);
    wallet.revision = revision;
    this.changed = true;
    const event = eventOf(stored);
    if (wallet.kind === 'user') this.user(wallet.id, revision, event as UserEvent);
    else this.organisation(wallet.id, revision, event as OrganisationEvent, stored);
    this.bills.note(event, stored);
    this.history.note(wallet, event, stored);
    this.unique.note(event, stored);
  }

  /** Of an AllocationReceived only what it says of the organisation: another thread folds the user's stream. */
  arrived(stored: StoredEvent): void {
    const wallet = walletOf(stored.stream);
    const event = eventOf(stored);
    if (wallet === undefined || event.type !== 'AllocationReceived') return;
    this.changed = true;
    this.receipt(wallet.id, event.data);
    this.history.arrived(event);
  }

  /** Writes the rows that `apply` changed in memory only; before every read, and before a commit. When it throws, `forget` must follow. */
  flush(): this {
    if (!this.changed) return this;
    for (const view of this.holding) view.flush();
    this.changed = false;
    return this;
  }

  /** Writes all that `apply` holds in memory, also what answers are found in without it; before a commit. As for `flush`. */
  complete(): void {
    this.flush();
    this.unique.flush();
  }

  /** Allocations of which a member has received a line since this was asked last. */
  takeProgressed(): ReadonlySet<string> {
    if (this.progressed.size === 0) return this.progressed;
    const progressed = new Set(this.progressed);
    this.progressed.clear();
    return progressed;
  }

  /** Drops everything that a rolled-back transaction would have written. */
  forget(): void {
    this.changed = false;
    for (const view of this.holding) view.forget();
    this.unique.forget();
    this.progressed.clear();
    this.revisions.forget();
  }

  lookUp(stream: string, kind: UniqueKind, entry: string): { revision: number; found?: UniqueEntry } {
    const wallet = this.revisions.of(stream);
    if (wallet === undefined) return { revision: -1 };
    const { id, revision } = wallet;
    const usage = wallet.kind === 'user' && kind === 'usage' ? this.usages.entry(id, entry) : undefined;
    const found = kind === 'usage' ? usage : this.unique.find(stream, kind, entry);
    return found === undefined ? { revision } : { revision, found };
  }

  /** Sets the buckets that an event names to what they are after it. */
  private hold(id: string, revision: number, after: UserBalance): void {
    this.users.hold(id, after);
    for (const { organisationId, tokens } of after.allocated ?? []) this.relationships.holds(id, organisationId, tokens, revision);
  }

  private receipt(userId: string, { organisationId, allocationId, number, tokens }: EventOf<'AllocationReceived'>['data']): void {
    this.balances.underWay(organisationId, -tokens);
    this.allocations.received(organisationId, allocationId);
    this.pending.received(userId, organisationId, number);
    this.progressed.add(allocationId);
  }

  private organisation(id: string, revision: number, event: OrganisationEvent, stored: StoredEvent): void {
    this.balances.readTo(id, revision);
    switch (event.type) {
      case 'OrganisationWalletOpened':
      case 'TimeZoneSet':
        this.balances.inZone(id, event.data.timeZone);
        return;
      case 'TokensPurchased':
      case 'BillCharged':
      case 'BillDeclined':
      case 'StorageAccrued':
        this.balances.holds(id, event.data.balanceAfter.available);
        return;
      case 'MemberPermitted':
      case 'MemberResumed':
        for (const userId of event.data.userIds) this.members.permitted(id, userId);
        return;
      case 'MemberSuspended':
        for (const userId of event.data.userIds) this.members.suspended(id, userId);
        return;
      case 'MemberRemoved':
        for (const userId of event.data.userIds) this.members.removed(id, userId);
        return;
      case 'LimitSet':
        if (event.data.default) this.balances.limitedBy(id, event.data.default);
        for (const { userId, limits } of event.data.overrides ?? []) this.members.limited(id, userId, limits);
        return;
      case 'LimitCleared':
        for (const userId of event.data.userIds) this.members.limited(id, userId, {});
        return;
      case 'TokensAllocated': {
        const { allocationId, windows, lines, tokens, at, balanceAfter } = event.data;
        const { actor = '', $correlationId = '' } = JSON.parse(stored.metadata) as Metadata;
        this.balances.holds(id, balanceAfter.available);
        this.balances.underWay(id, tokens);
        this.allocations.made(id, revision, event.data, actor);
        for (const line of lines) {
          this.relationships.allocated(line[0], id, windows.daily, line[1], at);
          this.relationships.allocated(line[0], id, windows.monthly, line[1], at);
          this.pending.add(id, allocationId, line, stored.id, $correlationId);
        }
        return;
      }
      default:
        // A type of a newer version is none of ours; that version's own schema builds the views again.
        event satisfies never;
    }
  }

  private user(id: string, revision: number, event: UserEvent): void {
    this.users.readTo(id, revision);
    switch (event.type) {
      case 'UserWalletOpened':
        this.users.allowed(id, event.data.freeTokensPerMonth);
        this.hold(id, revision, event.data.balanceAfter);
        return;
      case 'FreeAllowanceSet':
        this.users.allowed(id, event.data.tokensPerMonth);
        this.hold(id, revision, event.data.balanceAfter);
        return;
      case 'FreeAllowanceGranted':
      case 'TokensPurchased':
      case 'BillCharged':
      case 'BillDeclined':
      case 'StorageAccrued':
        this.hold(id, revision, event.data.balanceAfter);
        return;
      case 'AllocationReceived':
        this.hold(id, revision, event.data.balanceAfter);
        this.receipt(id, event.data);
        return;
      case 'TokensUsed':
        this.hold(id, revision, event.data.balanceAfter);
        for (const { organisationId, tokens, windows } of event.data.considered) {
          if (tokens === 0) continue;
          this.relationships.used(id, organisationId, windows.daily.window, windows.daily.used, event.data.at);
          this.relationships.used(id, organisationId, windows.monthly.window, windows.monthly.used, event.data.at);
        }
        this.usages.charged(id, revision, event.data);
        return;
      case 'UsageReversed':
        this.hold(id, revision, event.data.balanceAfter);
        for (const { organisationId, window, used } of event.data.windows)
          this.relationships.used(id, organisationId, window, used, event.data.at);
        this.usages.reversed(id, revision, event.data.usageId, event.data.at);
        return;
      case 'LimitReached':
        return;
      default:
        // A type of a newer version is none of ours; that version's own schema builds the views again.
        event satisfies never;
    }
  }
}
