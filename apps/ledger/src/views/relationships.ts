import { isBefore, type Meter, oldestWindows, type WindowId } from '@ledger/wallet';
import type { Database, Statement } from '@ledger/sqlite';

/** Answers: what a user holds of an organisation, and how much of both its meters was used in which window. */

/** What was used, by window. A window is known by its id alone, whatever zone named it. */
type Used = Record<WindowId, number>;

export interface Relationship {
  userId: string;
  organisationId: string;
  tokens: number;
  /** Of the first AllocationReceived; null until then. */
  firstRevision: number | null;
  usage: Used;
  allocation: Used;
}

interface RelationshipRow {
  organisation_id: string;
  tokens: number;
  first_revision: number | null;
  usage: string;
  allocation: string;
}

/** Rows kept in memory, so that a busy one is not read and parsed for each event; when there are more, all are written. */
const ROWS_REMEMBERED_MAX = 50_000;

export class Relationships {
  /** One row holds it all, and a user's rows lie together: an event then touches one page of the file. */
  static readonly tables = `
    create table relationships (
      user_id text not null,
      organisation_id text not null,
      tokens integer not null,
      first_revision integer,
      usage text not null,
      allocation text not null,
      primary key (user_id, organisation_id)
    ) strict, without rowid;`;
  /** What the organisation's stream says of the relationship is in this file already. */
  static readonly joined = `
    insert into relationships select * from other.relationships where true
    on conflict do update set tokens = excluded.tokens, first_revision = excluded.first_revision, usage = excluded.usage;`;

  private readonly rows = new Map<string, Relationship>();
  /** By user, so that those of one user can be written alone. */
  private readonly changed = new Map<string, Set<Relationship>>();
  /** An event says several things of one relationship, one after the other. */
  private last: Relationship | undefined;
  private readonly write: Statement<[string, string, number, number | null, string, string]>;
  private readonly read: Statement<[string, string], RelationshipRow>;
  private readonly readReceived: Statement<[string], RelationshipRow>;

  constructor(db: Database) {
    this.write = db.prepare('insert or replace into relationships values (?, ?, ?, ?, ?, ?)');
    this.read = db.prepare('select * from relationships where user_id = ? and organisation_id = ?');
    // All of them: the bound of members.ts is no lock, and whoever passed it in one moment with others holds tokens all the same.
    this.readReceived = db.prepare('select * from relationships where user_id = ? and first_revision is not null order by first_revision');
  }

  /** What the user holds after the event of this revision. */
  holds(userId: string, organisationId: string, tokens: number, revision: number): void {
    const row = this.change(userId, organisationId);
    row.tokens = tokens;
    row.firstRevision ??= revision;
  }

  /** The event says what is used after it. */
  used(userId: string, organisationId: string, window: WindowId, used: number, at: string): void {
    count(this.change(userId, organisationId).usage, window, used, at);
  }

  /** The event says only what it moved; the revision of its stream keeps it from counting twice. */
  allocated(userId: string, organisationId: string, window: WindowId, tokens: number, at: string): void {
    const { allocation } = this.change(userId, organisationId);
    count(allocation, window, (allocation[window] ?? 0) + tokens, at);
  }

  find(userId: string, organisationId: string): Relationship | undefined {
    const row = this.rows.get(keyOf(userId, organisationId)) ?? this.read.get(userId, organisationId);
    return row && 'first_revision' in row ? relationshipOf(userId, row) : row;
  }

  /** Those that the user has received of, in the order of the first AllocationReceived, which is the order of drawing. */
  of(userId: string): Relationship[] {
    this.flushOf(userId);
    return this.readReceived.all(userId).map((row) => relationshipOf(userId, row));
  }

  /** Writes each changed row once, however many events touched it, in the order of the table. */
  flush(): void {
    for (const userId of [...this.changed.keys()].sort()) this.flushOf(userId);
  }

  /** Drops everything that a rolled-back transaction would have written. */
  forget(): void {
    this.changed.clear();
    this.rows.clear();
    this.last = undefined;
  }

  private flushOf(user: string): void {
    for (const { userId, organisationId, tokens, firstRevision, usage, allocation } of this.changed.get(user) ?? []) {
      this.write.run(userId, organisationId, tokens, firstRevision, JSON.stringify(usage), JSON.stringify(allocation));
    }
    this.changed.delete(user);
    this.last = undefined;
  }

  private letGo(): void {
    this.flush();
    this.rows.clear();
  }

  private change(userId: string, organisationId: string): Relationship {
    const { last } = this;
    if (last?.userId === userId && last.organisationId === organisationId) return last;
    const key = keyOf(userId, organisationId);
    let row = this.rows.get(key);
    if (row === undefined) {
      if (this.rows.size >= ROWS_REMEMBERED_MAX) this.letGo();
      const stored = this.read.get(userId, organisationId);
      row = stored ? relationshipOf(userId, stored) : { userId, organisationId, tokens: 0, firstRevision: null, usage: {}, allocation: {} };
      this.rows.set(key, row);
    }
    const changed = this.changed.get(userId);
    if (changed === undefined) this.changed.set(userId, new Set([row]));
    else changed.add(row);
    this.last = row;
    return row;
  }
}

export const usedIn =
  (relationship: Relationship | undefined) =>
  (meter: Meter, window: WindowId): number =>
    relationship?.[meter][window] ?? 0;

/** Neither id can hold a slash. */
const keyOf = (userId: string, organisationId: string): string => `${userId}/${organisationId}`;

/** With a new window, those go that no zone could name any more at `at`: nothing asks for them, and rows stay small. */
function count(used: Used, window: WindowId, tokens: number, at: string): void {
  const known = used[window] !== undefined;
  used[window] = tokens;
  if (known) return;
  const oldest = oldestWindows(Date.parse(at));
  for (const id of Object.keys(used)) if (isBefore(id, oldest)) delete used[id];
}

const relationshipOf = (userId: string, row: RelationshipRow): Relationship => ({
  userId,
  organisationId: row.organisation_id,
  tokens: row.tokens,
  firstRevision: row.first_revision,
  usage: JSON.parse(row.usage) as Used,
  allocation: JSON.parse(row.allocation) as Used,
});
