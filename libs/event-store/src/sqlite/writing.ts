import type { Database, Statement } from '@ledger/sqlite';
import { LRUCache } from 'lru-cache';
import {
  NO_POSITION,
  NO_STREAM,
  OutcomeUnknown,
  WrongExpectedRevision,
  type Appended,
  type NewEvent,
  type StreamHead,
} from '../event-store';
import { isBusy, reasonOf, sqliteCode } from './patience';
import type { Head, Reading } from './reading';

export interface Append {
  stream: string;
  expectedRevision: number;
  events: readonly NewEvent[];
}

export type Outcome = Appended | WrongExpectedRevision;

/** Predecessor of the first event of a stream. */
const NOWHERE = 0;
const HEADS_KEPT_MAX = 100_000;

/** Writes appends, several of them in one transaction. */
export class Writing {
  private readonly begin: Statement<[]>;
  private readonly commit: Statement<[]>;
  private readonly rollback: Statement<[]>;
  private readonly createStream: Statement<[string]>;
  private readonly createHead: Statement<[number, number, number]>;
  private readonly moveHead: Statement<[number, number, number, number]>;
  private readonly insert: Statement<[number, number, number, number, string, string, string, string]>;
  /**
   * Heads as this connection last wrote or read them. One that another process has moved meanwhile is harmless to an append: the
   * update that moves it names the revision it must find. What a transaction put in is forgotten when it fails.
   */
  private readonly heads = new LRUCache<string, Head>({ max: HEADS_KEPT_MAX });
  /** Of the file, when `heads` were last known to be where they are said to be. */
  private version = -1;

  constructor(
    private readonly db: Database,
    private readonly reading: Reading,
  ) {
    // Immediate: the write lock is taken before the heads are read, so positions are in the order of the commits.
    this.begin = db.prepare('begin immediate');
    this.commit = db.prepare('commit');
    this.rollback = db.prepare('rollback');
    this.createStream = db.prepare('insert into streams (name) values (?)');
    this.createHead = db.prepare('insert into heads (stream, revision, position) values (?, ?, ?)');
    this.moveHead = db.prepare('update heads set revision = ?, position = ? where stream = ? and revision = ?');
    this.insert = db.prepare(
      'insert into events (position, stream, revision, previous, id, type, data, metadata) values (?, ?, ?, ?, ?, ?, ?, ?)',
    );
  }

  /**
   * One transaction for all: each append is written or refused by itself, and the outcomes hold once this returns.
   * @throws OutcomeUnknown the commit failed in a way that may leave it in the log
   * @throws errors of SQLite: nothing was written
   */
  writeTogether(appends: readonly Append[]): Outcome[] {
    this.begin.run();
    try {
      let last = this.reading.lastPosition();
      const outcomes = appends.map((append) => {
        const revision = append.expectedRevision + append.events.length;
        const head = this.advance(append, revision, last + append.events.length);
        if (head === undefined) return this.repeated(append);
        this.write(append, head, last);
        last += append.events.length;
        return { revision, position: BigInt(last) };
      });
      this.finish();
      return outcomes;
    } catch (error) {
      this.heads.clear();
      this.undo();
      throw error;
    }
  }

  /**
   * The head of a stream as it is now. `version` is the file's, asked just before: while nobody else has committed, every head is
   * where this connection left or found it.
   */
  headOf(stream: string, version: number): StreamHead {
    if (version !== this.version) this.heads.clear();
    this.version = version;
    let head = this.heads.get(stream);
    if (head === undefined) {
      head = this.reading.rowOf(stream);
      if (head === undefined) return { revision: NO_STREAM, position: NO_POSITION };
      this.heads.set(stream, head);
    }
    return { revision: head.revision, position: BigInt(head.position) };
  }

  /** Moves the head when it is exactly where the append expects it, and returns where it was; undefined when it is elsewhere. */
  private advance({ stream, expectedRevision }: Append, revision: number, position: number): Head | undefined {
    const kept = this.heads.get(stream);
    const head = kept?.revision === expectedRevision ? kept : this.headNow(stream);
    if (head.revision !== expectedRevision) return undefined;
    if (expectedRevision === NO_STREAM) {
      head.stream = Number(this.createStream.run(stream).lastInsertRowid);
      this.createHead.run(head.stream, revision, position);
    } else if (this.moveHead.run(revision, position, head.stream, expectedRevision).changes === 0) {
      return undefined;
    }
    this.heads.set(stream, { stream: head.stream, revision, position });
    return head;
  }

  private headNow(stream: string): Head {
    return this.reading.rowOf(stream) ?? { stream: NOWHERE, revision: NO_STREAM, position: NOWHERE };
  }

  private write({ expectedRevision, events }: Append, head: Head, last: number): void {
    let previous = head.position;
    let position = last;
    let revision = expectedRevision;
    for (const { id, type, data, metadata } of events) {
      this.insert.run(++position, head.stream, ++revision, previous, id, type, data, metadata);
      previous = position;
    }
  }

  /** The first answer again, when exactly these events stand at exactly this place; else the revision that was in the way. */
  private repeated({ stream, expectedRevision, events }: Append): Outcome {
    const actual = this.headNow(stream).revision;
    const wrong = new WrongExpectedRevision(stream, expectedRevision, actual);
    if (actual < expectedRevision + events.length) return wrong;
    const stored = this.reading.stream(stream, expectedRevision + 1, events.length);
    if (!stored.every(({ id }, index) => id === events[index]?.id)) return wrong;
    const { revision, position } = stored[stored.length - 1]!;
    return { revision, position };
  }

  private finish(): void {
    try {
      this.commit.run();
    } catch (error) {
      // A lock or a full disk stops SQLite before the mark that ends a transaction is in the log. After any other error that
      // mark may be there, and a crash of all processes before the next commit would bring the transaction back.
      if (isBusy(error) || sqliteCode(error) === 'SQLITE_FULL') throw error;
      throw new OutcomeUnknown(`the commit failed: ${reasonOf(error)}`, { cause: error });
    }
  }

  private undo(): void {
    if (!this.db.inTransaction) return;
    try {
      this.rollback.run();
    } catch {
      // The connection stays in the transaction; `Connection` sees that and replaces it, which rolls back as well.
    }
  }
}
