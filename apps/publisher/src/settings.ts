import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { BadEventStoreUrl, checkedEventStoreUrl, NO_POSITION } from '@ledger/event-store';
import { DEFAULT_SOURCE } from '@ledger/event-contract';
import { BadSetting, type Environment, list, oneOf, text, wholeNumber } from './environment';
import { type KafkaSettings, readKafkaSettings } from './kafka-settings';

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const KIB = 1024;

/** Everything that the environment decides, read, checked and typed once at start. The class is its own Nest token. */
export abstract class Settings {
  /** 0 takes any free port; the real one is printed. */
  abstract readonly port: number;
  abstract readonly host: string;
  /** Connection string of the ledger's store; it may hold a password. */
  abstract readonly eventStoreUrl: string;
  abstract readonly kafka: KafkaSettings;
  /** Names the publisher in Kafka: transactional id, checkpoint key. Publishers of one id follow one another, never side by side. */
  abstract readonly publisherId: string;
  /** Names this process among publishers of the same id. */
  abstract readonly instance: string;
  /** Where a publisher without a checkpoint begins: after this position of the store. Undefined: it refuses to begin. */
  abstract readonly startFrom: bigint | undefined;
  /** Ids of events that go out as `ledger.skipped`. */
  abstract readonly skipEvents: ReadonlySet<string>;
  /** `ce_source` of every message. */
  abstract readonly source: string;
  /** Most events of one Kafka transaction. */
  abstract readonly batchEventsMax: number;
  /** Most bytes of the messages of one Kafka transaction, unless a single event is larger. */
  abstract readonly batchBytesMax: number;
  /** The largest message that the topic takes; a larger event is not sent but named. */
  abstract readonly messageBytesMax: number;
  /** How long an event waits for company. What comes while a transaction is under way waits for its end anyway. */
  abstract readonly lingerMs: number;
  /** Pause after which a publisher without events writes its checkpoint again. */
  abstract readonly heartbeatMs: number;
  /** How long another publisher must have been silent before this one, fenced by it, takes over again. */
  abstract readonly standbyMs: number;
  /** After so long Kafka aborts a transaction by itself. */
  abstract readonly transactionTimeoutMs: number;
  /** How long Kafka may take for one answer. */
  abstract readonly requestTimeoutMs: number;
  /** Halted for good: stay, to say why, or end with status 3. */
  abstract readonly onHalt: 'stay' | 'exit';
}

/** @throws BadSetting naming the first value that cannot be served */
export function readSettings(env: Environment): Settings {
  const settings = {
    port: wholeNumber(env, 'PUBLISHER_PORT', 3001, 0, 65_535),
    host: text(env, 'PUBLISHER_HOST') ?? '127.0.0.1',
    eventStoreUrl: eventStoreUrl(env),
    kafka: readKafkaSettings(env),
    publisherId: publisherId(env),
    instance: `${hostname()}-${process.pid}-${Date.now().toString(36)}`,
    startFrom: startFrom(env),
    skipEvents: new Set(list(env, 'SKIP_EVENTS', UUID, 'ids of events (UUIDs)').map((id) => id.toLowerCase())),
    source: text(env, 'EVENTS_SOURCE') ?? DEFAULT_SOURCE,
    batchEventsMax: wholeNumber(env, 'BATCH_EVENTS_MAX', 1_000, 1, 5_000),
    batchBytesMax: wholeNumber(env, 'BATCH_BYTES_MAX', 2_048 * KIB, 16 * KIB, 16_384 * KIB),
    messageBytesMax: wholeNumber(env, 'MESSAGE_BYTES_MAX', 4_000 * KIB, 1 * KIB, 64_000 * KIB),
    lingerMs: wholeNumber(env, 'LINGER_MS', 5, 0, 10_000),
    heartbeatMs: 1000 * wholeNumber(env, 'HEARTBEAT_SECONDS', 30, 1, 3_600),
    standbyMs: 1000 * wholeNumber(env, 'STANDBY_SECONDS', 45, 1, 7_200),
    transactionTimeoutMs: 1000 * wholeNumber(env, 'TRANSACTION_TIMEOUT_SECONDS', 30, 2, 900),
    requestTimeoutMs: 1000 * wholeNumber(env, 'REQUEST_TIMEOUT_SECONDS', 10, 1, 300),
    onHalt: oneOf(env, 'ON_HALT', 'stay', ['stay', 'exit']),
  };
  if (settings.standbyMs <= settings.heartbeatMs)
    throw new BadSetting('STANDBY_SECONDS', 'must be more than HEARTBEAT_SECONDS, or a quiet publisher would be taken for a dead one.');
  if (settings.requestTimeoutMs >= settings.transactionTimeoutMs)
    throw new BadSetting('REQUEST_TIMEOUT_SECONDS', 'must be less than TRANSACTION_TIMEOUT_SECONDS.');
  return settings;
}

function eventStoreUrl(env: Environment): string {
  const value = text(env, 'EVENT_STORE_URL');
  if (value === undefined) return `sqlite:${join(resolve(text(env, 'DATA_DIR') ?? './data'), 'events.db')}`;
  try {
    return checkedEventStoreUrl(value);
  } catch (error) {
    if (error instanceof BadEventStoreUrl) throw new BadSetting('EVENT_STORE_URL', error.message);
    throw error;
  }
}

function publisherId(env: Environment): string {
  const id = text(env, 'PUBLISHER_ID') ?? 'ledger';
  if (!/^[\w.-]{1,100}$/.test(id))
    throw new BadSetting('PUBLISHER_ID', `must be 1 to 100 letters, digits, dots, underscores and hyphens, and is "${id}".`);
  return id;
}

function startFrom(env: Environment): bigint | undefined {
  const value = text(env, 'START_FROM');
  if (value === undefined) return undefined;
  if (value === 'beginning') return NO_POSITION;
  if (/^\d{1,19}$/.test(value)) return BigInt(value);
  throw new BadSetting('START_FROM', `must be "beginning", or the position of the last event not to be published, and is "${value}".`);
}
