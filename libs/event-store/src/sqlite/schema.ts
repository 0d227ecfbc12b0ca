import type { Database } from '@ledger/sqlite';
import { UnusableStore } from '../event-store';

/** Raise it with every change of the tables: a file of another version is refused, never guessed at. */
export const SCHEMA_VERSION = 1;
/** "tokl": tells our files from other people's SQLite databases. */
const APPLICATION_ID = 0x746f6b6c;
/** Twice SQLite's default: measured, fewer pages are touched for the same events and the checkpoints are shorter. */
const PAGE_BYTES = 8192;

/**
 * An index over all events would halve the rate of appends that are spread over many streams. So the exact revision is kept
 * by `heads` (narrow rows, without the names: many of them share a page that is written again with every commit), each event names its predecessor in the stream, and only every 64th revision is indexed, to enter a long stream
 * in its middle. `reading.ts` walks these links; its SQL repeats the index's condition, else SQLite would not use it.
 */
const SCHEMA = `
  create table streams (
    id integer primary key,
    name text not null unique
  ) strict;

  create table heads (
    stream integer primary key,
    revision integer not null,
    position integer not null
  ) strict;

  create table events (
    position integer primary key,
    stream integer not null,
    revision integer not null,
    previous integer not null,
    id text not null,
    type text not null,
    data text not null,
    metadata text not null
  ) strict;

  create unique index waypoints on events (stream, revision) where revision % 64 = 63;

  create trigger events_are_never_changed before update on events
  begin select raise(abort, 'facts are never changed'); end;

  create trigger events_are_never_deleted before delete on events
  begin select raise(abort, 'facts are never deleted'); end;

  create view ledger as
  select events.position, streams.name as stream, events.revision, events.type, events.data, events.metadata, events.id
  from events join streams on streams.id = events.stream;

  pragma application_id = ${APPLICATION_ID};
  pragma user_version = ${SCHEMA_VERSION};
`;

/** Creates the tables when the file is empty; leaves every other file as it is. */
export function createSchema(db: Database): void {
  if (!isEmpty(db)) return;
  db.pragma(`page_size = ${PAGE_BYTES}`);
  db.pragma('journal_mode = wal');
  // Another process may be creating the same file: whoever comes second finds it made.
  db.transaction(() => (isEmpty(db) ? db.exec(SCHEMA) : undefined)).immediate();
}

/** Refuses a file that is not ours, before anything in it is touched. @throws UnusableStore */
export function checkSchema(db: Database, path: string): void {
  if (numberOf(db, 'application_id') !== APPLICATION_ID) {
    // So is one whose log was lost before anything of it had come into the file.
    if (isEmpty(db))
      throw new UnusableStore(`${path} is empty, and no event store: restore it from a backup, with its -wal file if it has one`);
    throw new UnusableStore(`${path} is not an event store of this program, but another SQLite database: name the file of an event store`);
  }
  const version = numberOf(db, 'user_version');
  if (version !== SCHEMA_VERSION) {
    const said = `${path} is an event store of schema version ${version}; this program reads and writes version ${SCHEMA_VERSION} only`;
    throw new UnusableStore(`${said}: use the program that made it`);
  }
}

const isEmpty = (db: Database): boolean =>
  numberOf(db, 'user_version') === 0 && db.prepare('select count(*) from sqlite_schema').pluck().get() === 0;

const numberOf = (db: Database, pragma: string): number => db.pragma(pragma, { simple: true }) as number;
