import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb';
import { NO_POSITION, NO_STREAM, type StoredEvent, type StreamHead, StoreUnavailable } from '../event-store';
import type { Connection } from './connection';
import type { Link } from './link';
import { allEnd, allFrom, eventFrom, streamEnd, streamFrom, WALLET_STREAMS } from './requests';
import type { Slots } from './slots';
import { storedEvent } from './stored-events';
import type { Trouble } from './troubles';

/** A read that brings nothing for so long is given up; one that brings something may go on. */
export const SILENCE_MS = 4_000;
/** A read that has brought all it was asked for may take so long to end. */
const END_MS = 50;
/** A read changes nothing, so it is tried again on another connection when its own was lost, or led to a node that does not lead. */
const TRIES_MAX = 3;

/** A position that is none of this store's log: it was made up, or the store went back to a backup. */
export class PositionUnknown extends Error {
  constructor(position: bigint) {
    super(`${position} is no position of this event store: was it restored from a backup, or is it another store?`);
    this.name = 'PositionUnknown';
  }
}

class Silence extends Error {}

/** Reads that end. All of them ask the leader, since decisions hang on them. */
export class Reading {
  constructor(
    private readonly connection: Connection,
    private readonly slots: Slots,
  ) {}

  /** @throws Error when revisions are missing that every stream of the ledger has */
  async stream(stream: string, fromRevision: number, maxCount: number): Promise<StoredEvent[]> {
    const events = await this.collect(streamFrom(stream, fromRevision, maxCount), maxCount);
    events.forEach(({ revision }, index) => {
      if (revision !== fromRevision + index)
        throw new Error(`${stream} goes on with revision ${revision} where ${fromRevision + index} should be: it was truncated or deleted`);
    });
    return events;
  }

  /**
   * Where a head is known already, the read asks for what came behind it, which is mostly nothing: the last event of an organisation
   * may be an allocation of 100 KiB, and every draw asks for the head of its organisation.
   */
  async headOf(stream: string): Promise<StreamHead> {
    return this.onLink(async (link) => {
      const known = link.heads.get(stream);
      if (known) {
        const { events, missing } = await readOf(link, streamFrom(stream, known.revision + 1, 1), 1);
        if (!missing && events.length === 0) return known;
      }
      const [last] = (await readOf(link, streamEnd(stream), 1)).events;
      if (!last) return { revision: NO_STREAM, position: NO_POSITION };
      const { revision, position } = last;
      link.heads.saw(stream, { revision, position });
      return { revision, position };
    });
  }

  async all(after: bigint, maxCount: number): Promise<StoredEvent[]> {
    // The server begins with the position itself, which may be an event of ours that was read before.
    const count = after === NO_POSITION ? maxCount : maxCount + 1;
    const events = await this.collect(allFrom(after, count), count, after);
    return events.filter(({ position }) => position > after).slice(0, maxCount);
  }

  async headPosition(): Promise<bigint> {
    const [last] = await this.collect(allEnd(), 1);
    return last?.position ?? NO_POSITION;
  }

  /** The server begins with the position itself, and refuses one that is none of its log. */
  async eventAt(position: bigint): Promise<StoredEvent | undefined> {
    try {
      const [found] = await this.collect(eventFrom(position), 1, position);
      const ours = found?.position === position && WALLET_STREAMS.some((prefix) => found.stream.startsWith(prefix));
      return ours ? found : undefined;
    } catch (error) {
      if (error instanceof PositionUnknown) return undefined;
      throw error;
    }
  }

  async mark(): Promise<string | undefined> {
    const [first] = await this.collect(allFrom(NO_POSITION, 1), 1);
    return first?.id;
  }

  private collect(request: ReadReq, count: number, after = NO_POSITION): Promise<StoredEvent[]> {
    return this.onLink(async (link) => (await readOf(link, request, count)).events, after);
  }

  private onLink<Result>(read: (link: Link) => Promise<Result>, after = NO_POSITION): Promise<Result> {
    return this.slots.run(async () => {
      for (let tries = 1; ; tries += 1) {
        const link = await this.connection.current();
        const since = performance.now();
        try {
          const result = await read(link);
          this.connection.answered(link);
          return result;
        } catch (error) {
          if (error instanceof Silence) {
            this.connection.silent(link, since);
            throw new StoreUnavailable(this.connection.sentence(link.node, error.message));
          }
          const trouble = this.connection.failed(link, error);
          const another = trouble.kind === 'lost' || trouble.kind === 'notLeader';
          if (!another || tries === TRIES_MAX) throw errorOf(trouble, this.connection.sentence(link.node, trouble.sentence), after);
        }
      }
    });
  }
}

function errorOf({ kind }: Trouble, sentence: string, position: bigint): Error {
  if (kind === 'badPosition') return new PositionUnknown(position);
  if (kind === 'streamDeleted') return new Error(sentence);
  return new StoreUnavailable(sentence);
}

interface Read {
  events: StoredEvent[];
  /** There is no such stream, or it was deleted. */
  missing: boolean;
}

/**
 * The first `count` events of a read; the call is over when this returns, whatever comes of it. It is left to end by itself where it
 * can: servers take a connection that resets call after call for an attack, and close it.
 */
async function readOf(link: Link, request: ReadReq, count: number): Promise<Read> {
  const call = link.read(request, true);
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  try {
    return await new Promise<Read>((resolve, reject) => {
      const read: Read = { events: [], missing: false };
      const { events } = read;
      const wait = (ms: number, then: () => void): void => {
        clearTimeout(timer);
        timer = setTimeout(then, ms);
      };
      const silence = (): void => reject(new Silence(`it said nothing for ${SILENCE_MS / 1000} s`));
      wait(SILENCE_MS, silence);
      call.on('data', (answer: ReadResp) => {
        link.heardAt = performance.now();
        try {
          const record = answer.getEvent()?.getEvent();
          if (record) events.push(storedEvent(record));
          else if (answer.hasStreamNotFound()) read.missing = true;
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        // A filtered read may look for one event more than it was asked for, however far away that is.
        if (events.length < count) timer?.refresh();
        else wait(END_MS, () => resolve(read));
      });
      call.on('end', () => {
        over = true;
        resolve(read);
      });
      call.on('error', (error) => {
        over = true;
        reject(error);
      });
    });
  } finally {
    clearTimeout(timer);
    link.finished(call, over);
  }
}
