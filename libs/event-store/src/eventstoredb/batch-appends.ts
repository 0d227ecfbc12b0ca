import type { ClientDuplexStream } from '@grpc/grpc-js';
import { parseUUID } from '@eventstore/db-client/dist/utils/grpcUUID';
import { Empty, StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb';
import { BatchAppendReq, type BatchAppendResp } from '@eventstore/db-client/generated/streams_pb';
import { Timestamp } from 'google-protobuf/google/protobuf/timestamp_pb';
import { bytesOf, type NewEvent, NO_STREAM, OutcomeUnknown } from '../event-store';

/** An append is sent in messages of at most about so many bytes; the server writes them as one. */
const MESSAGE_BYTES = 3 * 1024 * 1024;
/**
 * The server takes the deadline as an instant of its own clock. It is far away, so that clocks which differ refuse nothing: an
 * append that it gets late is still good, since its revision is exact. The server's own time limit of two seconds stays.
 */
const DEADLINE_MS = 3_600_000;

type Call = ClientDuplexStream<BatchAppendReq, BatchAppendResp>;

interface Pending {
  resolve: (answer: BatchAppendResp) => void;
  reject: (error: Error) => void;
}

/** The appends of one link: all in one call, each found again by the number that it was sent with. */
export class BatchAppends {
  private call: Call | undefined;
  private readonly pending = new Map<string, Pending>();
  private sent = 0;
  private ended: string | undefined;

  constructor(
    private readonly open: () => Call,
    private readonly heard: () => void,
    /** Told of the error that ended the call; gives the error that the appends under way in it are answered with. */
    private readonly lost: (error: unknown) => Error,
  ) {}

  /**
   * Sends one append and gives the server's answer to it, whatever it says.
   * @throws OutcomeUnknown when there is none within `waitMs`, or the connection is lost
   * @throws StoreUnavailable when the server refuses the whole call: nothing was written
   */
  send(stream: string, expectedRevision: number, events: readonly NewEvent[], waitMs: number): Promise<BatchAppendResp> {
    if (this.ended !== undefined) return Promise.reject(new OutcomeUnknown(this.ended));
    const id = `00000000-0000-4000-8000-${(++this.sent).toString(16).padStart(12, '0')}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.pending.delete(id);
        reject(new OutcomeUnknown(`the event store did not answer an append within ${waitMs / 1000} s`));
      }, waitMs);
      this.pending.set(id, {
        resolve: (answer) => (clearTimeout(timer), resolve(answer)),
        reject: (error) => (clearTimeout(timer), reject(error)),
      });
      const call = (this.call ??= this.opened());
      for (const message of messagesOf(id, stream, expectedRevision, events)) call.write(message);
    });
  }

  /** Whatever is under way has an unknown outcome from here on. */
  end(reason: string): void {
    if (this.ended !== undefined) return;
    this.ended = reason;
    this.call?.cancel();
    this.abandon(new OutcomeUnknown(reason));
  }

  private opened(): Call {
    const call = this.open();
    call.on('data', (answer: BatchAppendResp) => {
      this.heard();
      const id = parseUUID(answer.getCorrelationId()) ?? '';
      const pending = this.pending.get(id);
      // One that comes after its time is up has nobody waiting for it; the repeat of the append finds the same out.
      this.pending.delete(id);
      pending?.resolve(answer);
    });
    call.on('error', (error) => this.fail(call, error));
    call.on('end', () => this.fail(call, new Error('it ended the call')));
    return call;
  }

  private fail(call: Call, error: unknown): void {
    if (this.ended !== undefined || this.call !== call) return;
    this.call = undefined;
    this.abandon(this.lost(error));
  }

  private abandon(error: Error): void {
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}

function* messagesOf(id: string, stream: string, expectedRevision: number, events: readonly NewEvent[]): Generator<BatchAppendReq> {
  let message = new BatchAppendReq().setCorrelationId(new UUID().setString(id)).setOptions(optionsOf(stream, expectedRevision));
  let bytes = 0;
  for (const event of events) {
    const more = bytesOf(event);
    if (bytes > 0 && bytes + more > MESSAGE_BYTES) {
      yield message;
      message = new BatchAppendReq().setCorrelationId(new UUID().setString(id));
      bytes = 0;
    }
    bytes += more;
    message.addProposedMessages(proposed(event));
  }
  yield message.setIsFinal(true);
}

function optionsOf(stream: string, expectedRevision: number): BatchAppendReq.Options {
  const options = new BatchAppendReq.Options()
    .setStreamIdentifier(new StreamIdentifier().setStreamName(Buffer.from(stream)))
    .setDeadline(Timestamp.fromDate(new Date(Date.now() + DEADLINE_MS)));
  return expectedRevision === NO_STREAM ? options.setNoStream(new Empty()) : options.setStreamPosition(String(expectedRevision));
}

/** The bytes of our own text: a client that made them from an object could make others, and the hashes would not fit. */
function proposed({ id, type, data, metadata }: NewEvent): BatchAppendReq.ProposedMessage {
  const message = new BatchAppendReq.ProposedMessage()
    .setId(new UUID().setString(id))
    .setData(Buffer.from(data))
    .setCustomMetadata(Buffer.from(metadata));
  message.getMetadataMap().set('type', type).set('content-type', 'application/json');
  return message;
}
