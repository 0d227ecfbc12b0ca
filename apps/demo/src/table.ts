export type Cell = string | number;

const shown = (cell: Cell): string => (typeof cell === 'number' ? cell.toLocaleString('en') : cell);

/** A plain monospace table: numbers to the right, texts to the left. The indent sets it off from the sentences. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[], indent = '  '): string {
  const width = head.map((title, column) => Math.max(title.length, ...rows.map((row) => shown(row[column] ?? '').length)));
  const right = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number' || row[column] === ''));
  const line = (cells: readonly string[]) =>
    (
      indent + cells.map((cell, column) => (right[column] ? cell.padStart(width[column]!) : cell.padEnd(width[column]!))).join('  ')
    ).trimEnd();
  return [
    line(head),
    line(width.map((w) => '-'.repeat(w))),
    ...rows.map((row) => line(head.map((_, column) => shown(row[column] ?? '')))),
  ].join('\n');
}
