/** Streams.Append: one append per call, as the client sends it when credentials come with the call. */
import type { sendUnaryData, ServerReadableStream } from '@grpc/grpc-js';
import { AppendReq, AppendResp } from '@eventstore/db-client/generated/streams_pb';
import { sizeOf, type AppendOutcome, type ExpectedRevision, type ProposedEvent } from './appending';
import { land } from './landing';
import type { Node } from './node';
import { appendTooLarge, streamDeleted, timedOut, connectionCut, type Refusal } from './refusals';
import { empty, expectedOf, proposedOf, streamOf } from './wire';

export function append(node: Node, call: ServerReadableStream<AppendReq, AppendResp>, answer: sendUnaryData<AppendResp>): void {
  let options: AppendReq.Options | undefined;
  const events: ProposedEvent[] = [];
  let bytes = 0;
  const { calls } = node.parts;
  const end = (refusal: Refusal) => {
    calls.delete(end);
    answer(refusal);
  };
  calls.add(end);
  call.on('error', () => calls.delete(end));
  call.on('cancelled', () => calls.delete(end));
  call.on('data', (message: AppendReq) => {
    if (message.hasOptions()) options = message.getOptions();
    const proposed = message.getProposedMessage();
    if (!proposed) return;
    const event = proposedOf(proposed);
    bytes += sizeOf(event);
    // What is over the limit is not kept.
    if (bytes <= node.parts.maxAppendBytes) events.push(event);
  });
  call.on('end', () => void finish());

  const finish = async () => {
    const refused = await node.admit('append', call);
    if (refused === 'silent' || call.cancelled) return;
    if (refused) return end(refused);
    if (bytes > node.parts.maxAppendBytes) return end(appendTooLarge(node.parts.maxAppendBytes));
    const stream = streamOf(options?.getStreamIdentifier());
    const expected = expectedOf(options!, () => options!.getRevision());
    const landing = land(node, call, { stream, expected, events });
    if ('lost' in landing) return landing.lost === 'silence' ? undefined : end(landing.lost === 'timeout' ? timedOut() : connectionCut());
    const { outcome } = landing;
    if (outcome.result === 'deleted') return end(streamDeleted(stream));
    calls.delete(end);
    node.parts.log.whenDurable(() => answer(null, answerOf(outcome, expected)));
  };
}

function answerOf(outcome: Exclude<AppendOutcome, { result: 'deleted' }>, expected: ExpectedRevision): AppendResp {
  if (outcome.result === 'written') {
    const success = new AppendResp.Success();
    if (outcome.revision < 0) success.setNoStream(empty());
    else success.setCurrentRevision(String(outcome.revision));
    if (outcome.position < 0) success.setNoPosition(empty());
    else {
      const position = String(outcome.position);
      success.setPosition(new AppendResp.Position().setCommitPosition(position).setPreparePosition(position));
    }
    return new AppendResp().setSuccess(success);
  }
  const wrong = new AppendResp.WrongExpectedVersion();
  if (outcome.current < 0) wrong.setCurrentNoStream(empty());
  else wrong.setCurrentRevision(String(outcome.current));
  if (expected === 'no_stream') wrong.setExpectedNoStream(empty());
  else if (expected === 'any') wrong.setExpectedAny(empty());
  else if (expected === 'stream_exists') wrong.setExpectedStreamExists(empty());
  else wrong.setExpectedRevision(String(expected));
  return new AppendResp().setWrongExpectedVersion(wrong);
}
