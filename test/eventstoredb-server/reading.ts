/** Which events a read shows, and in which order; nothing of the wire. */
import { ReadReq } from '@eventstore/db-client/generated/streams_pb';
import type { EventLog } from './event-log';
import type { Filter } from './filter';
import type { LoggedEvent } from './log-file';
import { invalidPosition, type Refusal } from './refusals';

type All = ReadReq.Options.AllOptions;
type OfStream = ReadReq.Options.StreamOptions;

const COUNT_MAX = BigInt(Number.MAX_SAFE_INTEGER);
const BACKWARDS = ReadReq.Options.ReadDirection.BACKWARDS;

export const countOf = (options: ReadReq.Options): number => {
  const count = BigInt(options.getCount());
  return Number(count > COUNT_MAX ? COUNT_MAX : count);
};

/** @returns a refusal when the position points into a record */
export function positionIn(log: EventLog, all: All): number | Refusal {
  if (all.hasStart() || !all.hasPosition()) return 0;
  const position = all.getPosition()!;
  const [commit, prepare] = [Number(position.getCommitPosition()), Number(position.getPreparePosition())];
  return commit === prepare && log.isBoundary(commit) ? commit : invalidPosition();
}

/** Forwards from the position, backwards from before it. */
export function* eventsOfAll(log: EventLog, options: ReadReq.Options, from: number, filter?: Filter): Generator<LoggedEvent> {
  const backwards = options.getReadDirection() === BACKWARDS;
  const atEnd = options.getAll()!.hasEnd();
  let index = atEnd ? log.events.length : log.indexAt(from);
  if (backwards) index -= 1;
  const step = backwards ? -1 : 1;
  // What is written while the read goes on is not part of it.
  const length = log.events.length;
  for (let left = countOf(options); left > 0 && index >= 0 && index < length; index += step) {
    const event = log.events[index]!;
    if (filter && !filter.accepts(event)) continue;
    left -= 1;
    yield event;
  }
}

export function* eventsOfStream(log: EventLog, stream: string, options: ReadReq.Options): Generator<LoggedEvent> {
  const backwards = options.getReadDirection() === BACKWARDS;
  const events = log.streamEvents(stream);
  const { from } = log.visibility(stream);
  const length = events.length;
  let index = Math.max(startOf(options.getStream()!, length), backwards ? 0 : from);
  if (backwards) index = Math.min(index, length - 1);
  const step = backwards ? -1 : 1;
  for (let left = countOf(options); left > 0 && index >= from && index < length; index += step, left -= 1) yield events[index]!;
}

function startOf(options: OfStream, length: number): number {
  if (options.hasStart()) return 0;
  if (options.hasEnd()) return length - 1;
  return Number(options.getRevision());
}

const LINK_TYPE = '$>';

/** What a link points to; undefined when it is gone. */
export function targetOf(log: EventLog, link: LoggedEvent): LoggedEvent | undefined {
  const [, revision, stream] = /^(\d+)@(.*)$/s.exec(Buffer.from(link.data).toString('utf8')) ?? [];
  return stream === undefined ? undefined : log.streamEvents(stream)[Number(revision)];
}

export const isLink = (event: LoggedEvent): boolean => event.type === LINK_TYPE;
