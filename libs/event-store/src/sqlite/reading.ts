import type { Database, Statement } from '@ledger/sqlite';
import { NO_POSITION, type StoredEvent } from '../event-store';
import { DamagedRow } from './fault';

/** A row of `heads`. Inside the adapter positions are plain numbers: SQLite counts them from 1. */
export interface Head {
  stream: number;
  revision: number;
  position: number;
}

type Row = [position: number, revision: number, id: string, type: string, data: string, metadata: string];
export type Line = [...Row, stream: number];
type Link = [...Row, previous: number];

/** Names of streams kept in memory; when there are more, all are let go and read again as they are needed. */
const NAMES_KEPT_MAX = 100_000;

/** The queries of the store, prepared once. Rows come as arrays: that is twice as fast as objects with names. */
export class Reading {
  private readonly head: Statement<[string], [number, number, number]>;
  private readonly waypoint: Statement<[number, number], number>;
  private readonly walk: Statement<[number, number, number], Link>;
  private readonly page: Statement<[bigint, number], Line>;
  private readonly top: Statement<[], number | null>;
  private readonly first: Statement<[], string>;
  private readonly id: Statement<[bigint], string>;
  private readonly names: StreamNames;

  constructor(db: Database) {
    this.head = db
      .prepare<[string], [number, number, number]>(
        'select stream, revision, position from streams cross join heads on heads.stream = streams.id where name = ?',
      )
      .raw();
    this.waypoint = db
      .prepare<[number, number], number>(
        'select position from events where stream = ? and revision % 64 = 63 and revision >= ? order by revision limit 1',
      )
      .pluck();
    this.walk = db
      .prepare<[number, number, number], Link>(
        `with recursive walk (position, previous, revision) as (
           select position, previous, revision from events where position = ?
           union all
           select events.position, events.previous, events.revision
           from walk cross join events on events.position = walk.previous where walk.revision > ? and walk.previous < walk.position
         )
         select events.position, events.revision, events.id, events.type, events.data, events.metadata, events.previous
         from walk cross join events on events.position = walk.position
         where walk.revision <= ? or walk.previous >= walk.position`,
      )
      .raw();
    this.page = db
      .prepare<[bigint, number], Line>(
        'select position, revision, id, type, data, metadata, stream from events where position > ? order by position limit ?',
      )
      .raw();
    this.top = db.prepare<[], number | null>('select max(position) from events').pluck();
    this.first = db.prepare<[], string>('select id from events order by position limit 1').pluck();
    this.id = db.prepare<[bigint], string>('select id from events where position = ?').pluck();
    this.names = new StreamNames(db);
  }

  /** The head of a stream, undefined when it has no events. */
  rowOf(name: string): Head | undefined {
    const row = this.head.get(name);
    return row && { stream: row[0], revision: row[1], position: row[2] };
  }

  /** Position of the last event of all, 0 when there is none. */
  lastPosition(): number {
    const last = this.top.get() ?? undefined;
    if (last === undefined) return 0;
    if (!isCount(last) || last === 0) throw new DamagedRow(`its last event is said to stand at position ${last}`);
    return last;
  }

  headPosition(): bigint {
    const last = this.lastPosition();
    return last === 0 ? NO_POSITION : BigInt(last);
  }

  mark(): string | undefined {
    return this.first.get();
  }

  idAt(position: bigint): string | undefined {
    return this.id.get(position);
  }

  eventAt(position: bigint): StoredEvent | undefined {
    const [event] = this.all(position - 1n, 1);
    return event?.position === position ? event : undefined;
  }

  /**
   * Walks back from the head, or from the first waypoint behind the last event wanted, and turns the result round. The links
   * are facts, so it does not matter whether another process appends between the statements. One that leads to no earlier event is
   * not followed, for it could lead round for ever.
   */
  stream(name: string, fromRevision: number, maxCount: number): StoredEvent[] {
    const head = this.rowOf(name);
    if (!head || fromRevision > head.revision) return [];
    const last = Math.min(head.revision, fromRevision + maxCount - 1);
    const start = last === head.revision ? undefined : this.waypoint.get(head.stream, last);
    const links = this.walk.all(start ?? head.position, fromRevision, last);
    return links.reverse().map((link) => {
      const [position, , , , , , previous] = link;
      if (previous >= position) throw new DamagedRow(`the event at position ${position} says that ${previous} comes before it`);
      return storedEvent(link, name);
    });
  }

  all(after: bigint, maxCount: number): StoredEvent[] {
    let before = Number(after);
    return this.page.all(after, maxCount).map((line) => {
      // Whoever goes on behind the last one would read it for ever.
      if (line[0] <= before) throw new DamagedRow(`it has position ${line[0]} behind ${before}`);
      before = line[0];
      return storedEvent(line, this.names.of(line[6]));
    });
  }
}

/** By number: a stream keeps both for ever. A join would look for the name, and make a text of it, once per event. */
export class StreamNames {
  private readonly name: Statement<[number], string>;
  private readonly names = new Map<number, string>();

  constructor(db: Database) {
    this.name = db.prepare<[number], string>('select name from streams where id = ?').pluck();
  }

  of(stream: number): string {
    let name = this.names.get(stream);
    if (name === undefined) {
      name = this.name.get(stream) ?? '';
      if (this.names.size >= NAMES_KEPT_MAX) this.names.clear();
      this.names.set(stream, name);
    }
    return name;
  }
}

/** @throws DamagedRow */
export function storedEvent([position, revision, id, type, data, metadata]: Row | Line | Link, stream: string): StoredEvent {
  const texts = typeof id === 'string' && typeof type === 'string' && typeof data === 'string' && typeof metadata === 'string';
  if (!texts || !isCount(position) || !isCount(revision)) throw new DamagedRow(`at position ${position} stands no event`);
  return { stream, revision, position: BigInt(position), id, type, data, metadata };
}

const isCount = (number: number): boolean => Number.isSafeInteger(number) && number >= 0;
