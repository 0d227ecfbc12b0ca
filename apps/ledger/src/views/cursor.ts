import { Refusal } from '@ledger/wallet';

/**
 * Cursors of lists: the key of the last row that was given, never an offset, so that writes between two pages neither repeat
 * nor skip a row. They are opaque to callers and name their list, so that one list refuses the cursor of another.
 */

export type ListName = 'members' | 'allocations' | 'lines' | 'usages' | 'bills' | 'entries' | 'purchases';
export type ListKey = string | number;

/** Longer than any key that a list has; a longer text was never given by us. */
const CURSOR_CHARS_MAX = 200;

export const cursorAt = (list: ListName, key: ListKey): string => Buffer.from(JSON.stringify([list, key])).toString('base64url');

/** The text key that a cursor holds, or `first` without a cursor. @throws Refusal VALIDATION_FAILED */
export function textAt(list: ListName, cursor: string | undefined, first: string): string {
  const key = cursor === undefined ? first : keyOf(list, cursor);
  return typeof key === 'string' ? key : refuse(cursor);
}

/** The whole number that a cursor holds, or `first` without a cursor. @throws Refusal VALIDATION_FAILED */
export function numberAt(list: ListName, cursor: string | undefined, first: number): number {
  const key = cursor === undefined ? first : keyOf(list, cursor);
  return Number.isSafeInteger(key) && typeof key === 'number' ? key : refuse(cursor);
}

function keyOf(list: ListName, cursor: string): unknown {
  const parsed = cursor.length <= CURSOR_CHARS_MAX ? parse(cursor) : undefined;
  if (!Array.isArray(parsed) || parsed.length !== 2 || parsed[0] !== list) return refuse(cursor);
  const key: unknown = parsed[1];
  return key;
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function refuse(cursor: string | undefined): never {
  const message = 'must be a nextCursor that this list gave';
  throw new Refusal('VALIDATION_FAILED', `cursor ${message}.`, { errors: [{ field: '/cursor', value: cursor, message }] });
}

/** One page: rows were fetched one more than `limit`, so that the last page knows that it is the last. */
export function pageOf<Row, Answer>(
  rows: Row[],
  limit: number,
  list: ListName,
  keyOfRow: (row: Row) => ListKey,
  answer: (row: Row) => Answer,
) {
  const given = rows.length > limit ? rows.slice(0, limit) : rows;
  const last = rows.length > limit ? given.at(-1) : undefined;
  return { data: given.map(answer), nextCursor: last === undefined ? null : cursorAt(list, keyOfRow(last)) };
}
