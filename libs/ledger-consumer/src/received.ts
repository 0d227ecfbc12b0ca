import { messageType, SKIPPED_TYPE, type SkippedRecord } from '@ledger/event-contract';
import { EVENT_TYPES, eventOf, type EventType, SCHEMA, type WalletEvent, type WalletRef, walletOf } from '@ledger/wallet';

/** A message of the events topic, as any client of Kafka gives it. */
export interface ReceivedMessage {
  key: Buffer | string | null;
  value: Buffer | string | null;
  headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
}

/** What every message says, whatever it is about. */
export interface Heading {
  wallet: WalletRef;
  /** 0, 1, 2, ... within the wallet, without gaps. */
  revision: number;
  /** Order over all wallets of one ledger; grows, with gaps. */
  position: bigint;
  /** Id of the event. */
  id: string;
  /** Who asked, in which role, and what it belongs to; where the ledger knew. */
  actor?: string;
  role?: string;
  correlationId?: string;
  requestId?: string;
  traceparent?: string;
}

/** A fact, in the shape of today's version: `switch (event.type)` tells the compiler which `event.data` it is. */
export type LedgerEvent = Heading & WalletEvent;
/** An event that could not be published: its revision passes, its content does not come. */
export type SkippedEvent = Heading & { skipped: SkippedRecord };
/** A type that this release does not know; its revision passes. */
export type UnknownEvent = Heading & { unknownType: string };
export type LedgerMessage = LedgerEvent | SkippedEvent | UnknownEvent;

/** Nothing helps here but a person or a newer release; going on would lose something without a word. */
export abstract class CannotGoOn extends Error {}

/** The message is none of the ledger's. */
export class UnreadableMessage extends CannotGoOn {
  constructor(reason: string) {
    super(`this message is not one of the ledger: ${reason}`);
    this.name = 'UnreadableMessage';
  }
}

/** A type that is known, in a version that is not: passing over it would lose, for instance, a usage. */
export class UnknownVersion extends CannotGoOn {
  constructor(type: string) {
    super(`${type} is newer than this release, which knows versions up to ${SCHEMA}; update it, and it goes on where it stopped`);
    this.name = 'UnknownVersion';
  }
}

const KNOWN = new Set<string>(EVENT_TYPES);
const TYPE = /^ledger\.([A-Za-z][A-Za-z0-9]*)\.v([1-9]\d{0,5})$/;
const COUNT = /^\d{1,20}$/;

/** @throws UnreadableMessage, UnknownVersion */
export function readMessage(message: ReceivedMessage): LedgerMessage {
  const header = (name: string): string | undefined => textOf(message.headers?.[name]);
  const type = header('ce_type') ?? '';
  const heading = headingOf(message, header);
  if (type === SKIPPED_TYPE) return { ...heading, skipped: json(message) as SkippedRecord };
  const [, name = '', version = ''] = TYPE.exec(type) ?? [];
  if (name === '') throw new UnreadableMessage(`"${type}" is no type of an event`);
  if (!KNOWN.has(name)) return { ...heading, unknownType: type };
  if (Number(version) > Number(SCHEMA)) throw new UnknownVersion(type);
  return { ...heading, ...upcast(name as EventType, version, message) };
}

/** The ledger itself brings what is older to today's shape, in one place for all who read. */
function upcast(type: EventType, schema: string, message: ReceivedMessage): WalletEvent {
  try {
    return eventOf({ type, data: textOf(message.value ?? undefined) ?? '', metadata: JSON.stringify({ schema }) });
  } catch {
    throw new UnreadableMessage(`the value of ${messageType(type, schema)} is not JSON`);
  }
}

function headingOf({ key }: ReceivedMessage, header: (name: string) => string | undefined): Heading {
  const wallet = walletOf(textOf(key ?? undefined) ?? '');
  const [id, revision, position] = [header('ce_id'), header('ce_streamrevision'), header('ce_globalposition')];
  if (!wallet) throw new UnreadableMessage('its key is not the stream of a wallet');
  if (!id) throw new UnreadableMessage('it has no header ce_id');
  if (!revision || !COUNT.test(revision)) throw new UnreadableMessage('its header ce_streamrevision is not a number');
  if (!position || !COUNT.test(position)) throw new UnreadableMessage('its header ce_globalposition is not a number');
  return {
    wallet,
    id,
    revision: Number(revision),
    position: BigInt(position),
    actor: header('ce_actor'),
    role: header('ce_role'),
    correlationId: header('ce_correlationid'),
    requestId: header('ce_requestid'),
    traceparent: header('traceparent'),
  };
}

function json({ value }: ReceivedMessage): unknown {
  try {
    return JSON.parse(textOf(value ?? undefined) ?? '');
  } catch {
    throw new UnreadableMessage('its value is not JSON');
  }
}

/** The last one, where a header is given twice. */
function textOf(value: Buffer | string | (Buffer | string)[] | undefined): string | undefined {
  const one = Array.isArray(value) ? value.at(-1) : value;
  return one?.toString();
}
