/** Streams.Delete hides a stream, Streams.Tombstone ends it for ever. */
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { DeleteResp, TombstoneResp, type DeleteReq, type TombstoneReq } from '@eventstore/db-client/generated/streams_pb';
import type { Node } from './node';
import { streamDeleted, wrongExpectedVersion, type Refusal } from './refusals';
import { expectedNumber, expectedOf, streamOf } from './wire';

type Request = DeleteReq | TombstoneReq;

export async function deleteStream(
  node: Node,
  call: ServerUnaryCall<DeleteReq, DeleteResp>,
  answer: sendUnaryData<DeleteResp>,
): Promise<void> {
  await remove(node, call, answer, (position) =>
    new DeleteResp().setPosition(new DeleteResp.Position().setCommitPosition(position).setPreparePosition(position)),
  );
}

export async function tombstone(
  node: Node,
  call: ServerUnaryCall<TombstoneReq, TombstoneResp>,
  answer: sendUnaryData<TombstoneResp>,
): Promise<void> {
  const answerOf = (position: string) =>
    new TombstoneResp().setPosition(new TombstoneResp.Position().setCommitPosition(position).setPreparePosition(position));
  await remove(node, call, answer, answerOf, true);
}

async function remove<Req extends Request, Resp>(
  node: Node,
  call: ServerUnaryCall<Req, Resp>,
  answer: sendUnaryData<Resp>,
  answerOf: (position: string) => Resp,
  forEver = false,
): Promise<void> {
  const refused = await node.admit('delete', call);
  if (refused === 'silent') return;
  if (refused) return answer(refused);
  const options = call.request.getOptions()!;
  const stream = streamOf(options.getStreamIdentifier());
  const expected = expectedOf(options, () => options.getRevision());
  const { appending } = node.parts;
  const outcome = forEver ? appending.tombstone(stream, expected) : appending.delete(stream, expected);
  if (outcome.result === 'written') return answer(null, answerOf(String(outcome.position)));
  const refusal: Refusal =
    outcome.result === 'deleted' ? streamDeleted(stream) : wrongExpectedVersion(stream, expectedNumber(expected), outcome.current);
  answer(refusal);
}
