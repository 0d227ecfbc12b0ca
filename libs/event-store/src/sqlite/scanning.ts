import { resolve } from 'node:path';
import Database from 'better-sqlite3';
import type { StoredEvent } from '../event-store';
import { type Line, storedEvent, StreamNames } from './reading';
import { checkSchema } from './schema';

/**
 * An event as a scan meets it. `previous` is the position of the event before it in its stream, 0 at the first: readers of the stream
 * follow it. `data` and `metadata` are null where the scan was not asked for them.
 */
export type Scanned = [
  position: number,
  stream: number,
  revision: number,
  id: string,
  type: string,
  data: string | null,
  metadata: string | null,
  previous: number,
];

/** Where the store says that a stream ends. */
export type ScannedHead = [stream: number, revision: number, position: number];

export interface ScanPart {
  /** This part gets the streams whose number is `part` modulo `parts`, whole. */
  part: number;
  parts: number;
  /** Streams whose name begins so are met by every part, */
  prefix: string;
  /** but with data for these types alone, where another part has the stream. */
  types: readonly string[];
}

/** An event that a part meets; another part has its stream when it is not its own. */
export interface SharedEvent {
  event: StoredEvent;
  own: boolean;
}

/**
 * A part of the store in the order of its positions, by a connection of its own that changes nothing: so several threads can share the
 * reading of one file. Only for reading much: everything else goes through the port.
 */
export class SqliteScan {
  private readonly db: Database.Database;
  private readonly names: StreamNames;

  /** The file must be an event store. */
  constructor(path: string) {
    this.db = new Database(resolve(path), { readonly: true, fileMustExist: true, timeout: BUSY_MS });
    checkSchema(this.db, path);
    this.names = new StreamNames(this.db);
  }

  nameOf(stream: number): string {
    return this.names.of(stream);
  }

  /**
   * Answers a reader of the events from one position (exclusive) to another (inclusive). Read in stretches: while one is being read
   * the log of the file cannot start afresh.
   */
  reader({ part, parts, prefix, types }: ScanPart): (after: number, until: number) => IterableIterator<Scanned> {
    const own = 'stream % @parts = @part';
    const sql = `select position, stream, revision, id, type,
        case when ${own} or type in (${listed(types)}) then data end,
        case when ${own} then metadata end,
        previous
      from events
      where position > @after and position <= @until and (${own} or stream in (select id from streams where substr(name, 1, length(@prefix)) = @prefix))
      order by position`;
    const statement = this.db.prepare<[object], Scanned>(sql).raw();
    return (after, until) => statement.iterate({ part, parts, prefix, after, until });
  }

  /**
   * Answers a reader like that of `reader`, of whole events: those of the streams of a part. The streams that begin with `prefix`, as
   * far as they are known now, all belong to part 0, which is also shown what other parts have of these types.
   */
  share({ part, parts, prefix, types }: ScanPart): (after: number, until: number) => SharedEvent[] {
    // In a table of its own, since to look through all names for each stretch would cost more than to read it.
    this.db.exec('create temp table prefixed (stream integer primary key)');
    this.db.prepare('insert into prefixed select id from streams where name >= ? and name < ?').run(prefix, `${prefix}\u{10ffff}`);
    const prefixed = 'stream in (select stream from prefixed)';
    const wanted =
      part === 0 ? `stream % @parts = 0 or type in (${listed(types)}) or ${prefixed}` : `stream % @parts = @part and not ${prefixed}`;
    const sql = `select position, revision, id, type, data, metadata, stream
      from events where position > @after and position <= @until and (${wanted}) order by position`;
    const statement = this.db.prepare<[object], Line>(sql).raw();
    const shared = (line: Line): SharedEvent => {
      const number = line[6];
      return { event: storedEvent(line, this.names.of(number)), own: number % parts === part || !types.includes(line[3]) };
    };
    return (after, until) => statement.all({ part, parts, after, until }).map(shared);
  }

  /** The ends of the streams of a part, as those who read or write streams find them. */
  heads({ part, parts }: Pick<ScanPart, 'part' | 'parts'>): IterableIterator<ScannedHead> {
    const sql = 'select stream, revision, position from heads where stream % ? = ?';
    return this.db.prepare<[number, number], ScannedHead>(sql).raw().iterate(parts, part);
  }

  close(): void {
    this.db.close();
  }
}

const listed = (types: readonly string[]): string => types.map((type) => `'${type.replaceAll("'", "''")}'`).join();

const BUSY_MS = 5_000;
