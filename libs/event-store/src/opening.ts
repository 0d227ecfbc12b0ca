import { resolve } from 'node:path';
import { BadEventStoreUrl } from './bad-event-store-url';
import type { EventStore } from './event-store';
import { readAddress } from './eventstoredb/address';
import { SqliteEventStore } from './sqlite/sqlite-event-store';

export { BadEventStoreUrl };

export interface OpeningOptions {
  /** Refuse a file that does not exist instead of creating it. Of a server it says nothing: one that is away is waited for. */
  mustExist?: boolean;
  /** Change nothing in a file and beside it; it must exist. Of a server it says nothing: whoever only reads writes nothing there. */
  readOnly?: boolean;
  /** What an EventStoreDB takes for a whole append; the file has a limit of its own. Default 1 MiB. */
  maxAppendBytes?: number;
  /** Hears when an EventStoreDB is away and when it is back, for a log. */
  tell?: (level: 'info' | 'warn', sentence: string) => void;
}

/**
 * Opens the store that a connection string names: `sqlite:<path of a file>`, or an EventStoreDB by `esdb://` or `esdb+discover://`,
 * which is connected to when it is first used.
 * @throws BadEventStoreUrl
 */
export async function openEventStore(url: string, options: OpeningOptions = {}): Promise<EventStore> {
  if (isEventStoreDb(url)) return eventStoreDb().open(url, options);
  return SqliteEventStore.open(sqlitePath(url), options);
}

/** Whether the string names a server; `checkedEventStoreUrl` says whether it is a good one. */
export const isEventStoreDb = (url: string): boolean => /^\s*esdb(\+discover)?:/i.test(url);

/** The connection string as it is to be kept: paths absolute, an EventStoreDB's as it was written. @throws BadEventStoreUrl */
export function checkedEventStoreUrl(url: string): string {
  if (!isEventStoreDb(url)) return `sqlite:${sqlitePath(url)}`;
  readAddress(url);
  return url.trim();
}

/** The connection string as a person may read it: without user and password, and without its options. */
export const shownEventStoreUrl = (url: string): string =>
  isEventStoreDb(url)
    ? url
        .trim()
        .replace(/\?.*$/s, '')
        .replace(/\/\/.*@/s, '//')
    : url;

/** The absolute path that `sqlite:<path>` names. @throws BadEventStoreUrl */
export function sqlitePath(url: string): string {
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : '';
  if (path === '') throw new BadEventStoreUrl('must be sqlite:<path of a file>, or esdb://<host> of an EventStoreDB.');
  return resolve(path);
}

type EventStoreDb = (typeof import('./eventstoredb/event-store-db-event-store'))['EventStoreDbEventStore'];

/** Loaded when it is needed: gRPC takes 200 ms of a start and 16 MiB of memory that the embedded store has no use for. */
function eventStoreDb(): EventStoreDb {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import at the top is never late
  const module = require('./eventstoredb/event-store-db-event-store') as typeof import('./eventstoredb/event-store-db-event-store');
  return module.EventStoreDbEventStore;
}
