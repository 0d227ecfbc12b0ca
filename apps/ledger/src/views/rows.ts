/**
 * Rows of one table as they are after all events so far. They stay in memory, so that a busy row is read once and written once for
 * many events; who asks for one finds it there, written or not.
 */
export class Rows<Row extends object> {
  private readonly kept = new Map<string, Kept<Row>>();
  private changed: Kept<Row>[] = [];

  /** `max` rows are kept; when there are more, all are written and let go. */
  constructor(
    private readonly max: number,
    private readonly read: (key: string) => Row | undefined,
    private readonly write: (row: Row) => void,
  ) {}

  /** The row as it is, not to be changed; undefined when there is none. */
  find(key: string): Row | undefined {
    return this.kept.get(key)?.row ?? this.read(key);
  }

  /** The row, or a new one, to be changed until the next is asked for. */
  change(key: string, made: (key: string) => Row): Row {
    let kept = this.kept.get(key);
    if (kept === undefined) {
      if (this.kept.size >= this.max) this.letGo();
      kept = { key, row: this.read(key) ?? made(key), changed: false };
      this.kept.set(key, kept);
    }
    if (!kept.changed) this.changed.push(kept);
    kept.changed = true;
    return kept.row;
  }

  /** Writes each changed row once, in the order of the table: then rows of one page come one after the other. */
  flush(): void {
    for (const kept of this.changed.sort(byKey)) {
      this.write(kept.row);
      kept.changed = false;
    }
    this.changed = [];
  }

  /** Drops everything that a rolled-back transaction would have written. */
  forget(): void {
    this.changed = [];
    this.kept.clear();
  }

  private letGo(): void {
    this.flush();
    this.kept.clear();
  }
}

interface Kept<Row> {
  key: string;
  row: Row;
  /** True until it is written. */
  changed: boolean;
}

const byKey = ({ key: a }: Kept<unknown>, { key: b }: Kept<unknown>): number => (a < b ? -1 : a > b ? 1 : 0);
