import type { StoredEvent } from '@ledger/event-store';
import { csvOf } from '../../../ledger/src/http/csv';
import { COLUMNS, rowOf } from './event-row';

/** Events as text: JSON Lines, and CSV as the service's statements write it. */

/** Writes pages of events one after another. */
export interface EventLines {
  /** Before the first event. */
  head: string;
  of(page: readonly StoredEvent[]): string;
}

export const jsonLines: EventLines = { head: '', of: (page) => page.map((event) => `${jsonLineOf(event)}\n`).join('') };

/**
 * The stored texts stand in the line as they are, so that a reader can make the hashes again. A text that cannot stand in a line of
 * JSON (somebody has changed it) is told as a string, in `dataText` or `metadataText`.
 */
export function jsonLineOf({ position, stream, revision, id, type, data, metadata }: StoredEvent): string {
  const facts = `"position":"${position}","stream":${JSON.stringify(stream)},"revision":${revision},"id":${JSON.stringify(id)}`;
  return `{${facts},"type":${JSON.stringify(type)},${field('data', data)},${field('metadata', metadata)}}`;
}

const field = (name: string, text: string): string => (isOneLine(text) ? `"${name}":${text}` : `"${name}Text":${JSON.stringify(text)}`);

function isOneLine(text: string): boolean {
  if (text.includes('\n') || text.includes('\r')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const CSV_HEAD = csvOf(COLUMNS, []);

export const csvLines: EventLines = {
  head: CSV_HEAD,
  of: (page) => {
    const rows = page.map((event) => {
      const row = rowOf(event);
      return COLUMNS.map((column) => (column === 'position' ? Number(row.position) : row[column]));
    });
    return csvOf(COLUMNS, rows).slice(CSV_HEAD.length);
  },
};
