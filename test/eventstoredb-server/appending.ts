/** What the server does with an append, by the rules of a real one's index writer. */
import { randomUUID } from 'node:crypto';
import { NO_STREAM, type EventLog } from './event-log';
import { TOMBSTONE, type Draft } from './log-file';

export type ExpectedRevision = number | 'no_stream' | 'any' | 'stream_exists';

export interface ProposedEvent {
  id: string;
  type: string;
  json: boolean;
  data: Uint8Array;
  metadata: Uint8Array;
}

export type AppendOutcome =
  { result: 'written'; revision: number; position: number; repeat: boolean } | { result: 'wrong'; current: number } | { result: 'deleted' };

/** Bytes of the cache of ids that a real server keeps for appends without an exact revision. */
const CACHE_MAX_BYTES = 8 * 1024 * 1024;
const CACHE_ENTRY_BYTES = 28;
/** `$tb` of a stream that is deleted softly; as text, for it is no number of JavaScript. */
const DELETED_TRUNCATE_BEFORE = '9223372036854775807';

export class Appending {
  /** Ids seen since the start, for `any` and `stream_exists` only; the oldest go first. */
  private readonly recent = new Map<string, { stream: string; revision: number }>();
  /** One iterator for ever: a new one would walk over all that was deleted from the front, at every append. */
  private readonly oldest = this.recent.entries();
  private recentBytes = 0;

  constructor(private readonly log: EventLog) {}

  append(stream: string, expected: ExpectedRevision, events: readonly ProposedEvent[]): AppendOutcome {
    if (this.log.isTombstoned(stream)) return { result: 'deleted' };
    const current = this.log.lastRevision(stream);
    const { deleted } = this.log.visibility(stream);
    const known = this.earlier(stream, current, deleted, expected, events);
    if (known) return known;
    const head = events.length === 0 ? undefined : this.write(stream, current, events, deleted);
    return { result: 'written', revision: head?.revision ?? current, position: head?.position ?? -1, repeat: false };
  }

  /** Soft delete: the stream's metadata hides everything, and a later append goes on counting. */
  delete(stream: string, expected: ExpectedRevision): AppendOutcome {
    const refused = this.refusedDelete(stream, expected);
    if (refused) return refused;
    return this.write(`$$${stream}`, this.log.lastRevision(`$$${stream}`), [metadataEvent(`{"$tb":${DELETED_TRUNCATE_BEFORE}}`)]);
  }

  tombstone(stream: string, expected: ExpectedRevision): AppendOutcome {
    const current = this.log.lastRevision(stream);
    if (this.log.isTombstoned(stream)) return { result: 'deleted' };
    if (!fits(expected, current)) return { result: 'wrong', current };
    const draft = { id: randomUUID(), type: '$streamDeleted', json: true, data: Buffer.from('{}'), metadata: Buffer.alloc(0) };
    const [event] = this.log.write([{ ...draft, stream, revision: TOMBSTONE, created: Date.now() }]);
    return { result: 'written', revision: TOMBSTONE, position: event!.position, repeat: false };
  }

  private refusedDelete(stream: string, expected: ExpectedRevision): AppendOutcome | undefined {
    if (this.log.isTombstoned(stream)) return { result: 'deleted' };
    const current = this.log.lastRevision(stream);
    const missing = current === NO_STREAM || this.log.visibility(stream).deleted;
    return missing || !fits(expected, current) ? { result: 'wrong', current } : undefined;
  }

  /** Undefined when the append is new and may be written; else what is known about it. */
  private earlier(
    stream: string,
    current: number,
    deleted: boolean,
    expected: ExpectedRevision,
    events: readonly ProposedEvent[],
  ): AppendOutcome | undefined {
    const wrong: AppendOutcome = { result: 'wrong', current };
    if (expected === 'any' || expected === 'stream_exists') {
      if (expected === 'stream_exists' && deleted) return { result: 'deleted' };
      if (expected === 'stream_exists' && current < 0 && this.log.lastRevision(`$$${stream}`) < 0) return wrong;
      return this.fromCache(stream, events) ?? undefined;
    }
    const at = expected === 'no_stream' ? NO_STREAM : expected;
    if (at > current) return wrong;
    // At the head nothing is compared: ids that were stored before are stored a second time.
    if (at === current) return undefined;
    const stored = this.log.streamEvents(stream);
    const same = events.findIndex((event, index) => stored[at + 1 + index]?.id !== event.id);
    if (same === -1 && events.length > 0) {
      const last = stored[at + events.length]!;
      return { result: 'written', revision: last.revision, position: last.position, repeat: true };
    }
    return same === 0 && expected === 'no_stream' && deleted ? undefined : wrong;
  }

  private fromCache(stream: string, events: readonly ProposedEvent[]): AppendOutcome | undefined {
    let last = NO_STREAM;
    for (const [index, { id }] of events.entries()) {
      const seen = this.recent.get(id);
      if (!seen || seen.stream !== stream) {
        return index === 0 ? undefined : { result: 'wrong', current: this.log.lastRevision(stream) };
      }
      last = seen.revision;
    }
    const event = this.log.streamEvents(stream)[last];
    return event && { result: 'written', revision: last, position: event.position, repeat: true };
  }

  private write(
    stream: string,
    current: number,
    events: readonly ProposedEvent[],
    wasDeleted = false,
  ): Extract<AppendOutcome, { result: 'written' }> {
    const created = Date.now();
    const drafts: Draft[] = events.map((event, index) => ({ ...event, stream, revision: current + 1 + index, created }));
    const last = this.log.write(drafts).at(-1)!;
    for (const { id, revision } of drafts) this.remember(id, stream, revision);
    if (wasDeleted) {
      const undelete = metadataEvent(`{"$tb":${current + 1}}`);
      this.write(`$$${stream}`, this.log.lastRevision(`$$${stream}`), [undelete]);
    }
    return { result: 'written', revision: last.revision, position: last.position, repeat: false };
  }

  private remember(id: string, stream: string, revision: number): void {
    const before = this.recent.get(id);
    this.recent.set(id, { stream, revision });
    this.recentBytes += entryBytes(stream) - (before ? entryBytes(before.stream) : 0);
    while (this.recentBytes > CACHE_MAX_BYTES) {
      const [oldest, entry] = this.oldest.next().value!;
      this.recent.delete(oldest);
      this.recentBytes -= entryBytes(entry.stream);
    }
  }
}

const entryBytes = (stream: string): number => CACHE_ENTRY_BYTES + stream.length;

const metadataEvent = (data: string): ProposedEvent => ({
  id: randomUUID(),
  type: '$metadata',
  json: true,
  data: Buffer.from(data),
  metadata: Buffer.alloc(0),
});

const fits = (expected: ExpectedRevision, current: number): boolean =>
  expected === 'any' || (expected === 'stream_exists' ? current >= 0 : current === (expected === 'no_stream' ? NO_STREAM : expected));

/** What a real server counts: data, metadata, and two bytes per character of the type. */
export const sizeOf = ({ data, metadata, type }: ProposedEvent): number => data.length + metadata.length + 2 * type.length;
