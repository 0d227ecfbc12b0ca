import { resolve } from 'node:path';
import type { EventStore } from './event-store';
import { SqliteEventStore } from './sqlite/sqlite-event-store';

export interface OpeningOptions {
  /** Refuse a file that does not exist instead of creating it. */
  mustExist?: boolean;
}

/** A connection string that no adapter can serve. The message is one sentence, which repeats no part of it: it may hold a password. */
export class BadEventStoreUrl extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'BadEventStoreUrl';
  }
}

/**
 * Opens the store that a connection string names: `sqlite:<path of a file>`.
 * @throws BadEventStoreUrl
 */
export async function openEventStore(url: string, options: OpeningOptions = {}): Promise<EventStore> {
  return SqliteEventStore.open(sqlitePath(url), options);
}

/** The absolute path that `sqlite:<path>` names. @throws BadEventStoreUrl */
export function sqlitePath(url: string): string {
  if (/^esdb(\+discover)?:/.test(url))
    throw new BadEventStoreUrl('names an EventStoreDB, whose adapter is not in this build yet: use sqlite:<path of a file>.');
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : '';
  if (path === '') throw new BadEventStoreUrl('must be sqlite:<path of a file>.');
  return resolve(path);
}
