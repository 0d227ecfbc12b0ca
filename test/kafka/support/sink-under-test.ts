import pino from 'pino';
import { KafkaSink } from '../../../apps/publisher/src/kafka/kafka-sink';
import { readSettings } from '../../../apps/publisher/src/settings';
import type { Checkpoint } from '../../../apps/publisher/src/sink/checkpoint';
import type { Outgoing, SinkSession } from '../../../apps/publisher/src/sink/message-sink';

/** The publisher's own side to Kafka, without a store behind it. */
export const sinkOf = (env: Record<string, string>): KafkaSink => new KafkaSink(readSettings(env), pino({ level: 'silent' }));

export const checkpointAt = (position: number, { partitions }: SinkSession): Checkpoint => ({
  position: BigInt(position),
  last: { eventId: `event-${position}`, stream: 'userWallet-u', revision: position },
  mark: 'mark',
  count: position,
  partitions,
});

/** Messages whose value is their name. */
export const eventsOf = (...keysAndValues: readonly (readonly [key: string, value: string])[]): Outgoing => ({
  events: keysAndValues.map(([key, value]) => ({ key, value, headers: {} })),
  balances: [],
});
