import type { Database, Statement } from '@ledger/sqlite';

/**
 * Answers: what was on its way from an organisation to its members at any instant. A line is on its way from the instant of its
 * allocation to that of its receipt. A row holds the running total, so that an instant costs one look, however long ago.
 */
export class Transit {
  static readonly tables = `
    create table transit (
      organisation_id text not null,
      at text not null,
      tokens_after integer not null,
      primary key (organisation_id, at)
    ) strict, without rowid;`;

  /** Tokens that left less those that arrived and are not written yet, by organisation and instant. */
  private readonly changes = new Map<string, Map<string, number>>();
  /** Instants of allocations that are being settled; let go with each flush. */
  private readonly allocatedAt = new Map<string, string>();
  private readonly add: Statement<[string, string, string, string]>;
  private readonly raise: Statement<[number, string, string]>;
  private readonly read: Statement<[string, string], number>;
  private readonly readAllocated: Statement<[string, string], string>;

  constructor(db: Database) {
    this.add = db.prepare(`
      insert or ignore into transit values (?, ?, coalesce(
        (select tokens_after from transit where organisation_id = ? and at < ? order by at desc limit 1), 0))`);
    // Members' receipts come in any order within a few ms, so few rows lie behind; another instance's clock may make it more.
    this.raise = db.prepare('update transit set tokens_after = tokens_after + ? where organisation_id = ? and at >= ?');
    this.read = db
      .prepare<[string, string], number>('select tokens_after from transit where organisation_id = ? and at <= ? order by at desc limit 1')
      .pluck();
    this.readAllocated = db
      .prepare<[string, string], string>('select at from allocations where allocation_id = ? and organisation_id = ?')
      .pluck();
  }

  left(organisationId: string, allocationId: string, at: string, tokens: number): void {
    this.allocatedAt.set(keyOf(organisationId, allocationId), at);
    this.change(organisationId, at, tokens);
  }

  /** A member's stream may be on another instance's clock: nothing arrives before it left. */
  arrived(organisationId: string, allocationId: string, at: string, tokens: number): void {
    const key = keyOf(organisationId, allocationId);
    const left = this.allocatedAt.get(key) ?? this.readAllocated.get(allocationId, organisationId) ?? at;
    this.allocatedAt.set(key, left);
    this.change(organisationId, at > left ? at : left, -tokens);
  }

  /** Events of that instant (ISO 8601, milliseconds) included. */
  at(organisationId: string, at: string): number {
    return this.read.get(organisationId, at) ?? 0;
  }

  /** Writes each changed instant once, and one that changed nothing too: rows must not depend on when they were written. */
  flush(): void {
    for (const [organisationId, byInstant] of this.changes) {
      for (const at of [...byInstant.keys()].sort()) {
        this.add.run(organisationId, at, organisationId, at);
        this.raise.run(byInstant.get(at) ?? 0, organisationId, at);
      }
    }
    this.forget();
  }

  /** Drops what a rolled-back transaction would have written. */
  forget(): void {
    this.changes.clear();
    this.allocatedAt.clear();
  }

  private change(organisationId: string, at: string, tokens: number): void {
    let byInstant = this.changes.get(organisationId);
    if (byInstant === undefined) this.changes.set(organisationId, (byInstant = new Map<string, number>()));
    byInstant.set(at, (byInstant.get(at) ?? 0) + tokens);
  }
}

/** No organisation's id holds a slash. */
const keyOf = (organisationId: string, allocationId: string): string => `${organisationId}/${allocationId}`;
