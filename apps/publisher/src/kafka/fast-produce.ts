import { createRequire } from 'node:module';
import { ByteWriter } from './byte-writer';
import { crc32c } from './crc32c';

/**
 * kafkajs makes a buffer of every header of every record and copies every byte seven times on its way into a request, which costs
 * more than all else that is done for an event. This makes the same bytes in one pass. It takes the place of kafkajs' own functions
 * with the very version that it was compared with, byte for byte (fast-produce.spec.ts), and else not at all.
 */

export const COMPARED_VERSION = '2.2.4';
const REQUEST_MODULE = 'kafkajs/src/protocol/requests/produce/v3/request';
const GROUPING_MODULE = 'kafkajs/src/producer/groupMessagesPerPartition';

export interface MessageToEncode {
  readonly key?: unknown;
  readonly value?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly timestamp?: unknown;
}

export interface ProduceArguments {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null;
  /** Decimal text or kafkajs' own number of 64 bits. */
  readonly producerId?: { toString(): string };
  readonly producerEpoch?: number;
  readonly compression?: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence?: number;
      readonly messages: readonly MessageToEncode[];
    }[];
  }[];
}

/** What kafkajs asks of an encoded request: the bytes, under both names that its encoder has. */
export interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

export type ProduceRequest = (given: ProduceArguments) => { encode(): Promise<Encoded> };
type Grouping = (of: {
  topic: string;
  partitionMetadata: readonly unknown[];
  messages: readonly MessageToEncode[];
  partitioner: (of: object) => number;
}) => Record<number, MessageToEncode[]>;

/**
 * Makes kafkajs use `encodeProduce` and `grouped`. Its parts take hold of one another when they are loaded, so this must come first.
 * @returns false when this kafkajs is another version
 */
export function useFastProduce(): boolean {
  const load = createRequire(__filename);
  if ((load('kafkajs/package.json') as { version: string }).version !== COMPARED_VERSION) return false;
  if (load.cache[load.resolve('kafkajs')]) throw new Error('kafkajs was loaded before its encoding was replaced');
  const original = load(REQUEST_MODULE) as ProduceRequest;
  replace(load, REQUEST_MODULE, fastRequest(original));
  load(GROUPING_MODULE);
  replace(load, GROUPING_MODULE, grouped);
  return true;
}

function replace(load: NodeJS.Require, name: string, by: unknown): void {
  load.cache[load.resolve(name)]!.exports = by;
}

/** kafkajs' request with our encoding; with its own where a message has what ours does not know, such as bytes or a time of its own. */
export const fastRequest =
  (original: ProduceRequest): ProduceRequest =>
  (given) => {
    const request = original(given);
    if (!isPlain(given)) return request;
    return {
      ...request,
      encode: () => {
        const buffer = encodeProduce(given);
        return Promise.resolve({ buf: buffer, buffer });
      },
    };
  };

const NO_COMPRESSION = 0;

const isPlain = ({ compression = NO_COMPRESSION, topicData }: ProduceArguments): boolean =>
  compression === NO_COMPRESSION && topicData.every(({ partitions }) => partitions.every(({ messages }) => messages.every(isText)));

function isText({ key, value, headers, timestamp }: MessageToEncode): boolean {
  if (typeof key !== 'string' || typeof value !== 'string' || (timestamp !== undefined && timestamp !== null)) return false;
  for (const name in headers) if (typeof headers[name] !== 'string') return false;
  return true;
}

/** Larger than most requests, so that the buffer seldom has to grow. */
const REQUEST_BYTES = 256 * 1024;
const TRANSACTIONAL = 16;
const MAGIC = 2;
/** Bytes of the size of a record: right for all of 64 to 8,191 bytes. */
const RECORD_SIZE_BYTES = 2;

/** Of what `isPlain` is true. The layout is that of Kafka's protocol: Produce from version 3 on, batches of records of format 2. */
function encodeProduce(given: ProduceArguments): Buffer {
  const { acks, timeout, transactionalId, topicData } = given;
  const writer = new ByteWriter(REQUEST_BYTES);
  if (transactionalId === undefined || transactionalId === null) writer.int16(-1);
  else writer.text16(transactionalId);
  writer.int16(acks);
  writer.int32(timeout);
  writer.int32(topicData.length);
  const now = BigInt(Date.now());
  for (const { topic, partitions } of topicData) {
    writer.text16(topic);
    writer.int32(partitions.length);
    for (const { partition, messages, firstSequence = 0 } of partitions) {
      writer.int32(partition);
      const size = writer.leave(4);
      writeBatch(writer, messages, firstSequence, now, given);
      writer.putInt32At(size, writer.size - size - 4);
    }
  }
  return writer.bytes;
}

function writeBatch(
  writer: ByteWriter,
  messages: readonly MessageToEncode[],
  firstSequence: number,
  now: bigint,
  { transactionalId, producerId = '-1', producerEpoch = 0 }: ProduceArguments,
): void {
  writer.int64(0n); // The first offset; the broker knows it.
  const size = writer.leave(4);
  writer.int32(0); // The epoch of the partition's leader; the broker knows that too.
  writer.int8(MAGIC);
  const checksum = writer.leave(4);
  writer.int16(transactionalId ? TRANSACTIONAL : 0);
  writer.int32(messages.length - 1);
  writer.int64(now); // Of the first record,
  writer.int64(now); // and the latest.
  writer.int64(BigInt(producerId.toString()));
  writer.int16(producerEpoch);
  writer.int32(firstSequence);
  writer.int32(messages.length);
  for (let offset = 0; offset < messages.length; offset++) writeRecord(writer, messages[offset]!, offset);
  writer.putInt32At(size, writer.size - size - 4);
  writer.putUint32At(checksum, crc32c(writer.from(checksum + 4)));
}

function writeRecord(writer: ByteWriter, { key, value, headers = {} }: MessageToEncode, offset: number): void {
  const size = writer.leave(RECORD_SIZE_BYTES);
  writer.int8(0); // No attributes,
  writer.int8(0); // at the time of the batch.
  writer.varInt(offset);
  writer.text(key as string);
  writer.text(value as string);
  const names = Object.keys(headers);
  writer.varInt(names.length);
  for (const name of names) {
    writer.text(name);
    writer.text(headers[name] as string);
  }
  writer.putSizeAt(size, RECORD_SIZE_BYTES);
}

/** kafkajs copies the list of a partition for every message that comes to it. */
export const grouped: Grouping = ({ topic, partitionMetadata, messages, partitioner }) => {
  const groups: Record<number, MessageToEncode[]> = {};
  if (partitionMetadata.length === 0) return groups;
  for (const message of messages) (groups[partitioner({ topic, partitionMetadata, message })] ??= []).push(message);
  return groups;
};
