import { MaximumAppendSizeExceeded, WrongExpectedVersion } from '@eventstore/db-client/generated/shared_pb';
import type { Status } from '@eventstore/db-client/generated/status_pb';
import type { BatchAppendResp } from '@eventstore/db-client/generated/streams_pb';
import {
  type Appended,
  AppendTooLarge,
  bytesOf,
  type NewEvent,
  NO_STREAM,
  OutcomeUnknown,
  StoreUnavailable,
  WrongExpectedRevision,
} from '../event-store';
import type { Connection } from './connection';
import type { Reading } from './reading';
import type { Slots } from './slots';
import { positionOf } from './stored-events';

/** A server gives an append two seconds by itself; one that says nothing for longer is not waited for. */
export const ANSWER_MS = 4_000;

interface Asked {
  stream: string;
  expectedRevision: number;
  events: readonly NewEvent[];
  bytes: number;
}

/** Writes appends and says truthfully what became of each. */
export class Appending {
  constructor(
    private readonly connection: Connection,
    private readonly slots: Slots,
    private readonly reading: Reading,
    private maxBytes: number,
  ) {}

  /** What was configured, or less when the server turned out to take less. */
  get maxAppendBytes(): number {
    return this.maxBytes;
  }

  /** @throws as the port says */
  async append(stream: string, expectedRevision: number, events: readonly NewEvent[]): Promise<Appended> {
    const bytes = events.reduce((sum, event) => sum + bytesOf(event), 0);
    if (bytes > this.maxBytes) throw new AppendTooLarge(bytes, this.maxBytes);
    const asked = { stream, expectedRevision, events, bytes };
    return this.slots.run(() => this.send(asked));
  }

  private async send(asked: Asked): Promise<Appended> {
    // What fails up to here was never sent.
    const link = await this.connection.current();
    const since = performance.now();
    let answer: BatchAppendResp;
    try {
      answer = await link.appends.send(asked.stream, asked.expectedRevision, asked.events, ANSWER_MS);
    } catch (error) {
      if (error instanceof OutcomeUnknown) this.connection.silent(link, since);
      throw error;
    }
    const refused = answer.getError();
    if (refused) throw this.refusal(refused, asked, (reason) => this.connection.sentence(link.node, reason));
    this.connection.answered(link);
    const appended = await this.written(answer, asked);
    link.heads.saw(asked.stream, appended);
    return appended;
  }

  private async written(answer: BatchAppendResp, { stream, expectedRevision, events }: Asked): Promise<Appended> {
    const success = answer.getSuccess();
    const revision = expectedRevision + events.length;
    if (Number(success?.getCurrentRevision()) !== revision)
      throw new Error(
        `an append to ${stream} went to revision ${success?.getCurrentRevision()} instead of ${revision}: was the stream deleted?`,
      );
    const position = positionOf(success?.getPosition()?.getCommitPosition() ?? '') ?? (await this.positionAt(stream, revision));
    return { revision, position };
  }

  /** A server may answer a repeat before it can say where the first one stands. */
  private async positionAt(stream: string, revision: number): Promise<bigint> {
    const [stored] = await this.reading.stream(stream, revision, 1).catch(() => []);
    if (!stored) throw new OutcomeUnknown(`the event store did not say where it wrote to ${stream}`);
    return stored.position;
  }

  private refusal(status: Status, { stream, expectedRevision, bytes }: Asked, sentence: (reason: string) => string): Error {
    const details = status.getDetails();
    const name = details?.getTypeName() ?? '';
    switch (name.replace('event_store.client.', '')) {
      case 'WrongExpectedVersion': {
        const wrong = details?.unpack((bytes) => WrongExpectedVersion.deserializeBinary(bytes), name);
        return new WrongExpectedRevision(stream, expectedRevision, wrong?.hasCurrentStreamRevision() ? revisionOf(wrong) : NO_STREAM);
      }
      case 'MaximumAppendSizeExceeded': {
        const limit = details?.unpack((bytes) => MaximumAppendSizeExceeded.deserializeBinary(bytes), name)?.getMaxappendsize() ?? 0;
        // The next append is made to fit; this one held commands that fit each by themselves.
        if (limit > 0 && limit < this.maxBytes) this.maxBytes = limit;
        return new StoreUnavailable(sentence(`it takes ${limit} bytes in an append, and not ${bytes}: set EVENT_STORE_MAX_APPEND_BYTES`));
      }
      case 'AccessDenied':
        return new StoreUnavailable(sentence(`its user may not write to ${stream}`));
      case 'StreamDeleted':
        return new Error(`${stream} was deleted for good in the event store, which no stream of the ledger may be`);
      default:
        // These were never taken on; all else may have been written.
        return /Not Ready|Busy|leader info/i.test(status.getMessage())
          ? new StoreUnavailable(sentence('it is not ready or too busy'))
          : new OutcomeUnknown(sentence(`it answers ${name || 'an error'} ${status.getMessage()}`.trim()));
    }
  }
}

/** "No stream" is sometimes written as the largest number there is. */
function revisionOf(wrong: WrongExpectedVersion): number {
  const revision = Number(wrong.getCurrentStreamRevision());
  return Number.isSafeInteger(revision) && revision >= 0 ? revision : NO_STREAM;
}
