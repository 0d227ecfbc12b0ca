import { resolve } from 'node:path';
import { type Database, Sqlite, type Statement } from '@ledger/sqlite';
import type { StoredEvent } from '../event-store';
import { checkFile, DamagedRow, unusable } from './fault';
import { type Line, storedEvent, StreamNames } from './reading';
import { packedRow, ScannedPage } from './scanned-page';
import { checkSchema } from './schema';

/** What an event says, and where it stands; its metadata are not read. */
export interface ScannedFact {
  position: number;
  stream: number;
  revision: number;
  type: string;
  data: string;
}

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
  private readonly path: string;
  private readonly db: Database;
  private readonly names: StreamNames;
  private readonly next: Statement<[number], number | null>;

  /** @throws UnusableStore when the file is no event store or is damaged, as everything that reads does */
  constructor(path: string) {
    this.path = resolve(path);
    checkFile(this.path);
    this.db = this.asked(() => new Sqlite(this.path, { readonly: true, fileMustExist: true, timeout: BUSY_MS }));
    try {
      this.asked(() => checkSchema(this.db, this.path));
      this.asked(() => this.db.pragma(`cache_size = -${CACHE_KIB}`));
      this.names = this.asked(() => new StreamNames(this.db));
      const next = 'select min(position) from events where position > ?';
      this.next = this.asked(() => this.db.prepare<[number], number | null>(next).pluck());
    } catch (error) {
      this.db.close();
      throw error;
    }
  }

  nameOf(stream: number): string {
    return this.asked(() => this.names.of(stream));
  }

  /**
   * Answers a reader of the events that are there now, from one position (exclusive) to another (inclusive), in the order of positions;
   * a scan has one. Read in stretches: while one is being read the log of the file cannot start afresh. Behind the rows of a page are
   * `room` bytes.
   */
  pages({ part, parts, prefix, types }: ScanPart, room = 0): (after: number, until: number) => ScannedPage {
    const own = 'stream % @parts = @part';
    const data = `case when ${own} or type in (${listed(types)}) then data else '' end`;
    const metadata = `case when ${own} then metadata else '' end`;
    const rows = this.prepared<Buffer>(
      `select cast(coalesce(group_concat(${packedRow(data, metadata)}, ''), '') || zeroblob(@room) as blob) from (
        select * from events where position > @after and position <= @until and (${own} or ${DAMAGED} or ${this.beginningWith(prefix)}) order by position
      )`,
    ).pluck();
    return (after, until) =>
      new ScannedPage(
        this.asked(() => rows.get({ part, parts, after, until, room })!),
        room,
        this.path,
      );
  }

  /**
   * Answers a reader like that of `pages`, of whole events: those of the streams of a part. The streams that begin with `prefix`, as
   * far as they are known now, all belong to part 0, which is also shown what other parts have of these types.
   */
  share({ part, parts, prefix, types }: ScanPart): (after: number, until: number) => SharedEvent[] {
    const prefixed = this.beginningWith(prefix);
    const wanted =
      part === 0
        ? `stream % @parts = 0 or ${DAMAGED} or type in (${listed(types)}) or ${prefixed}`
        : `${DAMAGED} or stream % @parts = @part and not ${prefixed}`;
    const sql = `select position, revision, id, type, data, metadata, stream
      from events where position > @after and position <= @until and (${wanted}) order by position`;
    const statement = this.prepared<Line>(sql).raw();
    const shared = (line: Line): SharedEvent => {
      const number = line[6];
      return { event: storedEvent(line, this.names.of(number)), own: number % parts === part || !types.includes(line[3]) };
    };
    return (after, until) => this.asked(() => statement.all({ part, parts, after, until }).map(shared));
  }

  /**
   * Answers a reader like that of `pages`, of facts alone, which costs a tenth less: those of the streams of a part, and of other streams
   * those of these types. A type with a line break in it, as no ledger has one, loses what stands behind it.
   */
  facts({ part, parts, types }: Omit<ScanPart, 'prefix'>): (after: number, until: number) => ScannedFact[] {
    const rows = this.prepared<string>(
      `select position || ' ' || stream || ' ' || revision || ' ' || type || '\n' || data
        from events where position > @after and position <= @until and (stream % @parts = @part or ${DAMAGED} or type in (${listed(types)})) order by position`,
    ).pluck();
    return (after, until) => this.asked(() => rows.all({ part, parts, after, until }).map(scannedFact));
  }

  private prepared<Row>(sql: string): Statement<[object], Row> {
    return this.asked(() => this.db.prepare<[object], Row>(sql));
  }

  /** What is wrong with the file is told in words. */
  private asked<T>(ask: () => T): T {
    try {
      return ask();
    } catch (error) {
      throw this.told(error);
    }
  }

  private told(error: unknown): unknown {
    return unusable(this.path, error) ?? error;
  }

  /** A condition: the stream's name begins so. Found once, for to look through all names for each stretch would cost more than to read it. */
  private beginningWith(prefix: string): string {
    this.asked(() => {
      // Not in the file, which is only read.
      this.db.pragma('temp_store = memory');
      this.db.exec('create temp table prefixed (stream integer primary key)');
      this.db.prepare('insert into prefixed select id from streams where name >= ? and name < ?').run(prefix, `${prefix}\u{10ffff}`);
    });
    return 'stream in prefixed';
  }

  /**
   * The last position, `until` at most, up to which no event stands behind `after`: where a stretch held nothing the next one begins
   * there. Somebody may have written an event at a position to which nobody could step.
   */
  emptyUntil(after: number, until: number): number {
    const next = this.asked(() => this.next.get(after) ?? undefined);
    if (next === undefined || next > until) return until;
    if (next <= after) throw this.told(new DamagedRow(`behind position ${after} comes ${next}`));
    return next - 1;
  }

  /** How many events stand up to a position (inclusive): each is counted, none is read. */
  countUpTo(position: number): number {
    const count = this.prepared<number>('select count(*) from events where position <= @position').pluck();
    return this.asked(() => count.get({ position })!);
  }

  /** Names that several streams have: who asks by name is led to one of them. */
  repeatedNames(): string[] {
    const names = this.prepared<string>('select name from streams group by name having count(*) > 1').pluck();
    return this.asked(() => names.all({}));
  }

  /** Whether the event of a stream stands where a head says. */
  hasEnd([stream, revision, position]: ScannedHead): boolean {
    const sql = 'select 1 from events where position = @position and stream = @stream and revision = @revision';
    const found = this.prepared<number>(sql).pluck();
    return this.asked(() => found.get({ stream, revision, position }) !== undefined);
  }

  /** The ends of the streams of a part, as those who read or write streams find them. */
  *heads({ part, parts }: Pick<ScanPart, 'part' | 'parts'>): Generator<ScannedHead, void, undefined> {
    try {
      const sql = 'select stream, revision, position from heads where stream % ? = ?';
      yield* this.db.prepare<[number, number], ScannedHead>(sql).raw().iterate(parts, part);
    } catch (error) {
      throw this.told(error);
    }
  }

  close(): void {
    this.db.close();
  }
}

/** What SQLite makes of a page that was overwritten; met by every part, which then tells of it, where it would be left out. */
const DAMAGED = "typeof(stream) <> 'integer'";

const listed = (types: readonly string[]): string => types.map((type) => `'${type.replaceAll("'", "''")}'`).join();

const BUSY_MS = 5_000;
/** Every page is read once, so few are kept: those stay in the caches of the processor. */
const CACHE_KIB = 2_048;

function scannedFact(text: string | null): ScannedFact {
  // One part of it is missing.
  if (text === null) throw new DamagedRow('where an event should be stands none');
  const behindPosition = text.indexOf(' ');
  const behindStream = text.indexOf(' ', behindPosition + 1);
  const behindRevision = text.indexOf(' ', behindStream + 1);
  const behindType = text.indexOf(BREAK, behindRevision + 1);
  return {
    position: wholeNumber(text, 0, behindPosition),
    stream: wholeNumber(text, behindPosition + 1, behindStream),
    revision: wholeNumber(text, behindStream + 1, behindRevision),
    type: text.slice(behindRevision + 1, behindType),
    data: text.slice(behindType + 1),
  };
}

function wholeNumber(text: string, from: number, to: number): number {
  let value = 0;
  for (let place = from; place < to; place += 1) {
    const digit = text.charCodeAt(place) - ZERO;
    // A sign: numbers of a file that somebody has tampered with may be below zero.
    if (digit < 0) return Number(text.slice(from, to));
    value = value * 10 + digit;
  }
  return value;
}

const ZERO = 48;
const BREAK = '\n';
