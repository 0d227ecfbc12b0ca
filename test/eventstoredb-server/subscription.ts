import { randomUUID } from 'node:crypto';
import { ReadResp, type ReadReq } from '@eventstore/db-client/generated/streams_pb';
import type { Answer } from './answering';
import type { EventLog } from './event-log';
import { filterOf, type Filter } from './filter';
import type { LoggedEvent } from './log-file';
import type { Node } from './node';
import { isLink, positionIn, targetOf } from './reading';
import { streamDeleted, type Refusal } from './refusals';
import { readEventOf, streamOf } from './wire';

/** What a subscription walks along: everything, or one stream. */
interface Source {
  events: readonly LoggedEvent[];
  next: number;
}

/** A real server keeps so many live events for a slow client; behind that it reads from the log again and tells when it caught up. */
const LIVE_BUFFER_EVENTS = 32;

/** Confirmed, then what is stored, then `caughtUp`, then what is written, until the client goes or a test drops it. */
export async function subscribe(node: Node, options: ReadReq.Options, answer: Answer<ReadResp>): Promise<void> {
  const { log, subscriptions } = node.parts;
  const source = sourceOf(log, options);
  if ('code' in source) return answer.fail(source);
  const drop = answer.fail.bind(answer);
  subscriptions.add(drop);
  try {
    await answer.send(new ReadResp().setConfirmation(new ReadResp.SubscriptionConfirmation().setSubscriptionId(randomUUID())));
    await walk(log, source, options, answer);
  } finally {
    subscriptions.delete(drop);
  }
}

async function walk(log: EventLog, source: Source, options: ReadReq.Options, answer: Answer<ReadResp>): Promise<void> {
  const filter = options.hasAll() ? filterOf(options) : undefined;
  let looked = 0;
  let live = false;
  while (!answer.gone) {
    if (live && source.events.length - source.next > LIVE_BUFFER_EVENTS) live = false;
    for (; source.next < source.events.length && !answer.gone; source.next += 1) {
      const event = source.events[source.next]!;
      if (!filter || filter.accepts(event)) await answer.send(shown(log, event, options.getResolveLinks()));
      looked += 1;
      if (filter && looked >= filter.checkpointEvery) {
        looked = 0;
        await answer.send(checkpoint(event));
      }
    }
    if (!live) {
      live = true;
      await endCatchUp(source, filter, answer);
      // More may have been written while that was sent.
      continue;
    }
    await answer.pause((wake) => log.onNextWrite(wake));
  }
}

async function endCatchUp(source: Source, filter: Filter | undefined, answer: Answer<ReadResp>): Promise<void> {
  const last = source.events[source.next - 1];
  if (filter && last) await answer.send(checkpoint(last));
  await answer.send(new ReadResp().setCaughtUp(new ReadResp.CaughtUp()));
}

const shown = (log: EventLog, event: LoggedEvent, resolveLinks: boolean): ReadResp =>
  resolveLinks && isLink(event) ? readEventOf(targetOf(log, event), event) : readEventOf(event);

const checkpoint = ({ position }: LoggedEvent): ReadResp =>
  new ReadResp().setCheckpoint(new ReadResp.Checkpoint().setCommitPosition(String(position)).setPreparePosition(String(position)));

/** Both kinds start after what they are given. */
function sourceOf(log: EventLog, options: ReadReq.Options): Source | Refusal {
  if (options.hasAll()) {
    const all = options.getAll()!;
    if (all.hasEnd()) return { events: log.events, next: log.events.length };
    const from = positionIn(log, all);
    if (typeof from !== 'number') return from;
    return { events: log.events, next: all.hasPosition() ? log.indexAt(from + 1) : 0 };
  }
  const stream = streamOf(options.getStream()!.getStreamIdentifier());
  if (log.isTombstoned(stream)) return streamDeleted(stream);
  const events = log.eventsForFollowing(stream);
  const of = options.getStream()!;
  if (of.hasEnd()) return { events, next: events.length };
  const next = of.hasRevision() ? Number(of.getRevision()) + 1 : 0;
  return { events, next: Math.max(next, log.visibility(stream).from) };
}
