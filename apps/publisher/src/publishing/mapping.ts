import {
  balanceMessage,
  type ContractMessage,
  eventMessage,
  faultOf,
  readEvent,
  skippedMessage,
  UnpublishableEvent,
} from '@ledger/event-contract';
import type { StoredEvent } from '@ledger/event-store';
import { Halt } from '../sink/halt';

/** What becomes of one stored event. */
export interface Mapped {
  readonly event: ContractMessage;
  readonly balance: ContractMessage | undefined;
  /** Of both messages, roughly and rather too many. */
  readonly bytes: number;
  readonly skipped: boolean;
}

export interface MappingOptions {
  readonly source: string;
  readonly skipEvents: ReadonlySet<string>;
  readonly messageBytesMax: number;
}

/** Headers that are not made from the metadata, and the balance. */
const BESIDE_BYTES = 1_000;
const SKIPPED_REASON = 'left out by the operator (SKIP_EVENTS)';

/** @throws Halt when no message can be made of the event, and nobody has decided to leave it out */
export function mapped(stored: StoredEvent, { source, skipEvents, messageBytesMax }: MappingOptions): Mapped {
  if (skipEvents.has(stored.id.toLowerCase()))
    return { event: skippedMessage(stored, SKIPPED_REASON, source), balance: undefined, bytes: BESIDE_BYTES, skipped: true };
  const bytes = Buffer.byteLength(stored.data) + Buffer.byteLength(stored.metadata) + BESIDE_BYTES;
  if (bytes > messageBytesMax) throw poison(stored, `its message of ${bytes} bytes is over MESSAGE_BYTES_MAX, which is ${messageBytesMax}`);
  try {
    const read = readEvent(stored);
    const fault = faultOf(stored.type, read.metadata['schema'] ?? '', read.data, read.wallet.kind);
    if (fault !== undefined) throw poison(stored, fault);
    return { event: eventMessage(read, source), balance: balanceMessage(read), bytes, skipped: false };
  } catch (error) {
    if (error instanceof UnpublishableEvent) throw poison(stored, error.reason);
    throw error;
  }
}

export const poison = ({ id, type, stream, revision, position }: StoredEvent, reason: string): Halt =>
  new Halt(
    'POISON_EVENT',
    `The event ${id} (${type}, revision ${revision} of ${stream}, position ${position}) cannot be published: ${reason}. ` +
      `Nothing is published until that is decided; with SKIP_EVENTS=${id} a ledger.skipped message takes its place.`,
  );
