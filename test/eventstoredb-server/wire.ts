/** From the log's events to the generated messages, and back. */
import { AllStreamPosition, Empty, StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb';
import type { AppendReq, BatchAppendReq } from '@eventstore/db-client/generated/streams_pb';
import { ReadResp } from '@eventstore/db-client/generated/streams_pb';
import type { ExpectedRevision, ProposedEvent } from './appending';
import { TOMBSTONE, type LoggedEvent } from './log-file';

/** .NET counts 100 ns since the year 1; the client reads them as since 1970. */
const TICKS_PER_MS = 10_000n;
const TOMBSTONE_REVISION = '9223372036854775807';

export const identifierOf = (stream: string): StreamIdentifier => new StreamIdentifier().setStreamName(Buffer.from(stream));

export const streamOf = (identifier: StreamIdentifier | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');

export const uuidOf = (id: string): UUID => new UUID().setString(id);

export function idOf(uuid: UUID | undefined): string {
  const structured = uuid?.getStructured();
  if (!structured) return (uuid?.getString() ?? '').toLowerCase();
  const half = (bits: string) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');
  const hex = half(structured.getMostSignificantBits()) + half(structured.getLeastSignificantBits());
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export const positionOf = (position: number): AllStreamPosition =>
  new AllStreamPosition().setCommitPosition(String(position)).setPreparePosition(String(position));

export function recordedOf(event: LoggedEvent): ReadResp.ReadEvent.RecordedEvent {
  const recorded = new ReadResp.ReadEvent.RecordedEvent()
    .setId(uuidOf(event.id))
    .setStreamIdentifier(identifierOf(event.stream))
    .setStreamRevision(event.revision === TOMBSTONE ? TOMBSTONE_REVISION : String(event.revision))
    .setPreparePosition(String(event.position))
    .setCommitPosition(String(event.position))
    .setData(event.data)
    .setCustomMetadata(event.metadata);
  const metadata = recorded.getMetadataMap();
  metadata.set('type', event.type);
  metadata.set('content-type', event.json ? 'application/json' : 'application/octet-stream');
  metadata.set('created', (BigInt(event.created) * TICKS_PER_MS).toString());
  return recorded;
}

/** With a link, `event` is what it points to, and may be gone. */
export function readEventOf(event: LoggedEvent | undefined, link?: LoggedEvent): ReadResp {
  const read = new ReadResp.ReadEvent();
  if (event) read.setEvent(recordedOf(event));
  if (link) read.setLink(recordedOf(link));
  read.setCommitPosition(String((link ?? event)!.position));
  return new ReadResp().setEvent(read);
}

export function proposedOf(message: AppendReq.ProposedMessage | BatchAppendReq.ProposedMessage): ProposedEvent {
  const metadata = message.getMetadataMap();
  return {
    id: idOf(message.getId()),
    type: metadata.get('type') ?? '',
    json: metadata.get('content-type') === 'application/json',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

interface RevisionOption {
  hasNoStream(): boolean;
  hasAny(): boolean;
  hasStreamExists(): boolean;
}

export function expectedOf(options: RevisionOption, exact: () => string): ExpectedRevision {
  if (options.hasNoStream()) return 'no_stream';
  if (options.hasAny()) return 'any';
  if (options.hasStreamExists()) return 'stream_exists';
  return Number(exact());
}

/** As deletes name it in their trailers. */
export const expectedNumber = (expected: ExpectedRevision): string =>
  ({ no_stream: '-1', any: '-2', stream_exists: '-4' })[expected as string] ?? String(expected);

export const empty = (): Empty => new Empty();
