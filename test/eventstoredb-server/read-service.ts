import type { ServerWritableStream } from '@grpc/grpc-js';
import { ReadResp, type ReadReq } from '@eventstore/db-client/generated/streams_pb';
import { Answer } from './answering';
import { filterOf } from './filter';
import type { LoggedEvent } from './log-file';
import type { Node } from './node';
import { eventsOfAll, eventsOfStream, isLink, positionIn, targetOf } from './reading';
import { invalidArgument, streamDeleted } from './refusals';
import { subscribe } from './subscription';
import { identifierOf, readEventOf, streamOf } from './wire';

type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

/** Streams.Read: reads that end and subscriptions that do not. */
export async function read(node: Node, call: ReadCall): Promise<void> {
  const answer = new Answer<ReadResp>(call);
  const { calls } = node.parts;
  const end = answer.fail.bind(answer);
  calls.add(end);
  try {
    const options = call.request.getOptions()!;
    const refused = await node.admit(options.hasSubscription() ? 'subscribe' : 'read', call, options.hasAll());
    if (refused === 'silent') return await answer.pause(() => undefined);
    if (refused) return answer.fail(refused);
    if (options.hasSubscription()) await subscribe(node, options, answer);
    else await page(node, options, answer);
  } catch (error) {
    answer.fail(invalidArgument(error instanceof Error ? error.message : String(error)));
  } finally {
    calls.delete(end);
  }
}

async function page(node: Node, options: ReadReq.Options, answer: Answer<ReadResp>): Promise<void> {
  const { log } = node.parts;
  let events: Iterable<LoggedEvent>;
  if (options.hasAll()) {
    const from = positionIn(log, options.getAll()!);
    if (typeof from !== 'number') return answer.fail(from);
    events = eventsOfAll(log, options, from, filterOf(options));
  } else {
    const stream = streamOf(options.getStream()!.getStreamIdentifier());
    if (log.isTombstoned(stream)) return answer.fail(streamDeleted(stream));
    if (log.lastRevision(stream) < 0 || log.visibility(stream).deleted) {
      await answer.send(new ReadResp().setStreamNotFound(new ReadResp.StreamNotFound().setStreamIdentifier(identifierOf(stream))));
      return answer.end();
    }
    events = eventsOfStream(log, stream, options);
  }
  for (const event of events) {
    if (answer.gone) return;
    const target = options.getResolveLinks() && isLink(event);
    await answer.send(target ? readEventOf(targetOf(log, event), event) : readEventOf(event));
  }
  answer.end();
}
