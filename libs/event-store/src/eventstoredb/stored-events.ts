import { parseUUID } from '@eventstore/db-client/dist/utils/grpcUUID';
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb';
import type { StoredEvent } from '../event-store';

/** What a server writes for a position that it does not know. */
const UNKNOWN_POSITIONS = new Set(['', '18446744073709551615', '-1']);

/** A position, or undefined when the server names none. */
export const positionOf = (text: string): bigint | undefined => (UNKNOWN_POSITIONS.has(text) ? undefined : BigInt(text));

/** The bytes that were stored, as text: nothing is parsed, so nothing can change. @throws Error when the server names no position */
export function storedEvent(record: ReadResp.ReadEvent.RecordedEvent): StoredEvent {
  const position = positionOf(record.getCommitPosition());
  if (position === undefined) throw new Error('the event store names no position of an event: the ledger needs a server of 22.6 or later');
  return {
    stream: text(record.getStreamIdentifier()?.getStreamName_asU8()),
    revision: Number(record.getStreamRevision()),
    position,
    id: parseUUID(record.getId()) ?? '',
    type: record.getMetadataMap().get('type') ?? '',
    data: text(record.getData_asU8()),
    metadata: text(record.getCustomMetadata_asU8()),
  };
}

const text = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
