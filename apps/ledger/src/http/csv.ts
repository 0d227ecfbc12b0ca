/**
 * CSV as RFC 4180 has it: a header row, CRLF after every row, quotes where a cell needs them, in UTF-8 without a mark.
 *
 * A spreadsheet runs a cell that begins like a formula, and callers choose our texts; so such a text gets an apostrophe in
 * front, which spreadsheets show as nothing. So that a program can take it off again, a text that begins with one gets one too.
 */

export const CSV_TYPE = 'text/csv; charset=utf-8; header=present';

/** `=`, `+`, `-` and `@`, also in full width and behind blanks that some spreadsheets skip; control characters; the apostrophe itself. */
const LIKE_A_FORMULA = /^(?:\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|['\t\r\n\0])/;

export type Cell = string | number | undefined;

export const csvOf = (header: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  [header, ...rows].map((row) => `${row.map(cellOf).join(',')}\r\n`).join('');

/** Numbers are ours and stay numbers, negative ones too. */
function cellOf(cell: Cell): string {
  if (cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  const text = LIKE_A_FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const RANGE = /^\s*([\w*+.-]+\/[\w*+.-]+)\s*(?:;.*?q=([\d.]+))?/i;

/** Whether an `Accept` header names CSV and no other form of ours before or above it. */
export function prefersCsv(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  let best = { type: '', q: 0 };
  for (const range of accept.split(',')) {
    const [, type = '', quality = '1'] = RANGE.exec(range) ?? [];
    const q = Number(quality);
    if (['text/csv', 'application/json', 'application/*', '*/*'].includes(type.toLowerCase()) && q > best.q) best = { type, q };
  }
  return best.type.toLowerCase() === 'text/csv';
}
