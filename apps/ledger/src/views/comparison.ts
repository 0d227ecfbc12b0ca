import type { Database } from '@ledger/sqlite';

/** Compares the rows of two files of the read model, table by table, in the order of their keys. */

export interface Compared {
  tables: number;
  rows: number;
  /** One sentence each; at most `DIFFERENCES_MAX`. */
  differences: string[];
}

export const DIFFERENCES_MAX = 100;
/** How far the files have read is compared by their caller; the rest is SQLite's own. */
const NOT_COMPARED = new Set(['checkpoint', 'sqlite_sequence', 'sqlite_stat1']);
/** The order in which lines came is counted by each file for itself. */
const OWN_COUNTERS: Record<string, string> = { pending_lines: 'sequence' };

type Row = Record<string, unknown>;

export function compare(live: Database, rebuilt: Database): Compared {
  const compared: Compared = { tables: 0, rows: 0, differences: [] };
  const names = [tablesOf(live), tablesOf(rebuilt)] as const;
  for (const table of new Set([...names[0], ...names[1]])) {
    if (!names[0].includes(table)) compared.differences.push(`The live file lacks the table ${table}.`);
    else if (!names[1].includes(table)) compared.differences.push(`The rebuilt file lacks the table ${table}.`);
    else compareTable(table, live, rebuilt, compared);
    if (compared.differences.length >= DIFFERENCES_MAX) break;
  }
  return compared;
}

function compareTable(table: string, live: Database, rebuilt: Database, compared: Compared): void {
  compared.tables += 1;
  const key = keyOf(rebuilt, table);
  const [left, right] = [live, rebuilt].map((db) => rowsOf(db, table, key));
  let [a, b] = [left!.next(), right!.next()];
  while (!(a.done && b.done) && compared.differences.length < DIFFERENCES_MAX) {
    const order = a.done ? 1 : b.done ? -1 : orderOf(a.value, b.value, key);
    if (order < 0) compared.differences.push(`${table}: only the live file has ${nameOf(a.value as Row, key)}.`);
    else if (order > 0) compared.differences.push(`${table}: only the rebuilt file has ${nameOf(b.value as Row, key)}.`);
    else {
      compared.rows += 1;
      compared.differences.push(...columnsThatDiffer(table, a.value as Row, b.value as Row, key));
    }
    if (order <= 0) a = left!.next();
    if (order >= 0) b = right!.next();
  }
  left!.return?.();
  right!.return?.();
}

function columnsThatDiffer(table: string, live: Row, rebuilt: Row, key: readonly string[]): string[] {
  const columns = [...new Set([...Object.keys(live), ...Object.keys(rebuilt)])].filter((column) => column !== OWN_COUNTERS[table]);
  return columns
    .filter((column) => textOf(live[column]) !== textOf(rebuilt[column]))
    .map((column) => `${table} ${nameOf(rebuilt, key)}: ${column} is ${textOf(live[column])} live and ${textOf(rebuilt[column])} rebuilt.`);
}

const tablesOf = (db: Database): string[] =>
  db
    .prepare<[], string>(`select name from sqlite_schema where type = 'table' order by name`)
    .pluck()
    .all()
    .filter((name) => !NOT_COMPARED.has(name));

/** The columns of the primary key, or of a unique index where there is none, or only a counter. */
function keyOf(db: Database, table: string): string[] {
  const key = db.prepare<[string], string>('select name from pragma_table_info(?) where pk > 0 order by pk').pluck().all(table);
  if (key.length > 0 && OWN_COUNTERS[table] === undefined) return key;
  return db
    .prepare<[string], string>(
      `select columns.name from pragma_index_list(?) indexes join pragma_index_info(indexes.name) columns
       where indexes."unique" = 1 order by indexes.seq, columns.seqno`,
    )
    .pluck()
    .all(table);
}

const rowsOf = (db: Database, table: string, key: readonly string[]): IterableIterator<Row> =>
  db.prepare<[], Row>(`select * from "${table}" order by ${key.map((column) => `"${column}"`).join(', ')}`).iterate();

/** As SQLite orders: numbers as numbers, texts by their bytes. */
function orderOf(a: Row, b: Row, key: readonly string[]): number {
  for (const column of key) {
    const [left, right] = [a[column], b[column]];
    if (left === right) continue;
    if (typeof left === 'number' && typeof right === 'number') return left - right;
    return Buffer.compare(Buffer.from(textOf(left)), Buffer.from(textOf(right)));
  }
  return 0;
}

const nameOf = (row: Row, key: readonly string[]): string => key.map((column) => `${column} ${textOf(row[column])}`).join(', ');

const textOf = (value: unknown): string => (Buffer.isBuffer(value) ? value.toString('hex') : String(value));
