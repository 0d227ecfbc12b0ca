import { parseArgs } from 'node:util';
import { TOPICS } from '@ledger/event-contract';
import { type Environment, text } from '../environment';
import type { TopicNames } from '../kafka-settings';

/** A topic as it should be. */
export interface WantedTopic {
  readonly name: string;
  readonly partitions: number;
  readonly copies: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface TopicOptions {
  /** Of the events and balances topics. */
  readonly partitions: number;
  readonly copies: number;
  readonly inSync: number;
  /** Undefined keeps events for ever. */
  readonly retentionDays: number | undefined;
  /** Says what differs, and makes nothing. */
  readonly checkOnly: boolean;
}

export const TOPICS_USAGE =
  'Usage: npm run topics [-- --partitions 12] [--replication 3] [--min-insync 2] [--retention-days forever] [--check]';

export class BadOption extends Error {
  constructor(reason: string) {
    super(`${reason} ${TOPICS_USAGE}`);
    this.name = 'BadOption';
  }
}

/** Options of the command line; what it leaves out comes from the environment. @throws BadOption */
export function readTopicOptions(args: readonly string[], env: Environment): TopicOptions {
  let given: { [name: string]: string | boolean | undefined };
  try {
    const option = { type: 'string' } as const;
    const options = { partitions: option, replication: option, 'min-insync': option, 'retention-days': option };
    given = parseArgs({ args: [...args], options: { ...options, check: { type: 'boolean' } } }).values;
  } catch (error) {
    throw new BadOption(`${(error as Error).message}.`);
  }
  const whole = (option: string, variable: string, fallback: number, max: number): number => {
    const value = (given[option] as string | undefined) ?? text(env, variable) ?? String(fallback);
    if (!/^[1-9]\d{0,5}$/.test(value) || Number(value) > max)
      throw new BadOption(`--${option} (or ${variable}) must be a whole number from 1 to ${max}, and is "${value}".`);
    return Number(value);
  };
  const copies = whole('replication', 'TOPICS_REPLICATION', 3, 100);
  const inSync = whole('min-insync', 'TOPICS_MIN_INSYNC', Math.max(1, copies - 1), 100);
  if (inSync > copies) throw new BadOption(`--min-insync is ${inSync}, and there are only ${copies} copies.`);
  const retention = (given['retention-days'] as string | undefined) ?? text(env, 'EVENTS_RETENTION_DAYS') ?? 'forever';
  return {
    partitions: whole('partitions', 'TOPICS_PARTITIONS', TOPICS.events.partitions, 10_000),
    copies,
    inSync,
    retentionDays: retention === 'forever' ? undefined : whole('retention-days', 'EVENTS_RETENTION_DAYS', 1, 36_500),
    checkOnly: given['check'] === true,
  };
}

const MIB = 1024 * 1024;
/** Takes the largest event (MESSAGE_BYTES_MAX) and the largest transaction (BATCH_BYTES_MAX), even if all of it is one wallet's. */
const MESSAGE_BYTES = 5 * MIB;

/** The three topics of the publisher. */
export function wantedTopics(names: TopicNames, { partitions, copies, inSync, retentionDays }: TopicOptions): WantedTopic[] {
  const common = {
    'min.insync.replicas': String(inSync),
    // A broker that is behind never becomes the leader: what was confirmed would be lost.
    'unclean.leader.election.enable': 'false',
    // The publisher recognises by it an answer that nothing was written for.
    'message.timestamp.type': 'CreateTime',
    'max.message.bytes': String(MESSAGE_BYTES),
  };
  const retention = retentionDays === undefined ? {} : { 'retention.ms': String(retentionDays * 86_400_000) };
  const often = { 'min.cleanable.dirty.ratio': '0.1' };
  return [
    { name: names.events, partitions, copies, config: { ...common, ...TOPICS.events.config, ...retention } },
    {
      name: names.balances,
      partitions,
      copies,
      config: { ...common, ...TOPICS.balances.config, ...often, 'segment.bytes': String(64 * MIB), 'segment.ms': '3600000' },
    },
    {
      name: names.checkpoint,
      partitions: TOPICS.checkpoint.partitions,
      copies,
      // A record a transaction: small segments, so that compaction keeps the topic short.
      config: { ...common, ...TOPICS.checkpoint.config, ...often, 'segment.bytes': String(16 * MIB), 'segment.ms': '600000' },
    },
  ];
}
