/** Streams.BatchAppend: one call for as long as the connection lasts, with every append of a client in it. */
import { status, type ServerDuplexStream } from '@grpc/grpc-js';
import { BatchAppendReq, BatchAppendResp } from '@eventstore/db-client/generated/streams_pb';
import { sizeOf, type ProposedEvent } from './appending';
import { Answer } from './answering';
import { failedAppend, refusedRevision, succeeded, tooLarge } from './batch-answers';
import { land } from './landing';
import type { Node } from './node';
import { connectionCut } from './refusals';
import { expectedOf, idOf, identifierOf, proposedOf, streamOf, uuidOf } from './wire';

type BatchCall = ServerDuplexStream<BatchAppendReq, BatchAppendResp>;

/** An append whose parts are still coming: the client sends at most 3 MiB in one. */
interface Pending {
  options: BatchAppendReq.Options;
  events: ProposedEvent[];
  bytes: number;
}

export function batchAppend(node: Node, call: BatchCall): void {
  const answer = new Answer<BatchAppendResp>(call);
  const { calls, faults } = node.parts;
  const end = answer.fail.bind(answer);
  calls.add(end);
  call.on('close', () => calls.delete(end));
  call.on('cancelled', () => calls.delete(end));
  // Whether this client may append, and where the leader is, is looked up per append below: the call outlives changes of both.
  const batch = new Batch(node, call, answer);
  call.on('data', (message: BatchAppendReq) => {
    const delayMs = faults.delayMs('append');
    if (delayMs > 0) setTimeout(() => batch.take(message), delayMs);
    else batch.take(message);
  });
  call.on('end', () => answer.end());
}

class Batch {
  private readonly pending = new Map<string, Pending>();

  constructor(
    private readonly node: Node,
    private readonly call: BatchCall,
    private readonly answer: Answer<BatchAppendResp>,
  ) {}

  take(message: BatchAppendReq): void {
    const id = idOf(message.getCorrelationId());
    const options = message.getOptions();
    if (options) {
      if (this.isPast(options)) return this.reply(id, options, failedAppend('Timeout'));
      this.pending.set(id, { options, events: [], bytes: 0 });
    }
    const append = this.pending.get(id);
    if (!append) return;
    for (const proposed of message.getProposedMessagesList()) {
      const event = proposedOf(proposed);
      append.bytes += sizeOf(event);
      append.events.push(event);
    }
    if (append.bytes > this.node.parts.maxAppendBytes) {
      this.pending.delete(id);
      return this.reply(id, append.options, tooLarge(this.node.parts.maxAppendBytes));
    }
    if (!message.getIsFinal()) return;
    this.pending.delete(id);
    this.finish(id, append);
  }

  private finish(id: string, { options, events }: Pending): void {
    const refused = this.node.refusalNow('append', this.call);
    if (refused === 'silent' || this.answer.gone) return;
    // These a real server puts into the answer; the others end the call, and with it every append that waits in it.
    if (refused?.details === 'Server Is Not Ready') return this.reply(id, options, failedAppend('NotReady'));
    if (refused?.details === 'Server Is Too Busy') return this.reply(id, options, failedAppend('Busy'));
    if (refused?.code === status.PERMISSION_DENIED) return this.reply(id, options, failedAppend('AccessDenied'));
    if (refused) return this.answer.fail(refused);
    const stream = streamOf(options.getStreamIdentifier());
    const expected = expectedOf(options, () => options.getStreamPosition());
    const landing = land(this.node, this.call, { stream, expected, events });
    if ('lost' in landing) {
      if (landing.lost === 'timeout') this.reply(id, options, failedAppend('Timeout'));
      if (landing.lost === 'drop') this.answer.fail(connectionCut());
      return;
    }
    const { outcome } = landing;
    if (outcome.result === 'written') this.node.parts.log.whenDurable(() => this.reply(id, options, succeeded(outcome)));
    else if (outcome.result === 'deleted') this.reply(id, options, failedAppend('StreamDeleted', stream));
    else this.reply(id, options, refusedRevision(outcome.current, expected));
  }

  private reply(id: string, options: BatchAppendReq.Options, response: BatchAppendResp): void {
    response.setCorrelationId(uuidOf(id)).setStreamIdentifier(identifierOf(streamOf(options.getStreamIdentifier())));
    this.answer.post(response);
  }

  /** The client sends a moment, not a duration: a clock that is ahead lets it pass early. */
  private isPast(options: BatchAppendReq.Options): boolean {
    const deadline = options.getDeadline();
    if (!deadline) return false;
    return deadline.toDate().getTime() <= Date.now() + (this.node.parts.faults.now.clockAheadMs ?? 0);
  }
}
