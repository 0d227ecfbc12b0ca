import type { ReadReq } from '@eventstore/db-client/generated/streams_pb';
import type { LoggedEvent } from './log-file';

export interface Filter {
  accepts(event: LoggedEvent): boolean;
  /** A checkpoint is sent each time that many events were looked at. */
  checkpointEvery: number;
}

const WINDOW_DEFAULT = 32;

/** Prefixes are compared as they stand; a regex is JavaScript's here and .NET's in a real server, so keep to what both know. */
export function filterOf(options: ReadReq.Options): Filter | undefined {
  const filter = options.getFilter();
  if (!filter) return undefined;
  const byStream = filter.hasStreamIdentifier();
  const expression = byStream ? filter.getStreamIdentifier() : filter.getEventType();
  const prefixes = expression?.getPrefixList() ?? [];
  const regex = new RegExp(expression?.getRegex() || '^');
  const nameOf = (event: LoggedEvent) => (byStream ? event.stream : event.type);
  return {
    accepts: (event) => (prefixes.length > 0 ? prefixes.some((prefix) => nameOf(event).startsWith(prefix)) : regex.test(nameOf(event))),
    checkpointEvery: (filter.hasMax() ? filter.getMax() : WINDOW_DEFAULT) * Math.max(1, filter.getCheckpointintervalmultiplier()),
  };
}
