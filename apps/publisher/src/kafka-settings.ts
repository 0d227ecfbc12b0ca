import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { TOPICS } from '@ledger/event-contract';
import { BadSetting, type Environment, list, oneOf, text } from './environment';

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

export interface KafkaTls {
  /** PEM texts. Without `ca` the authorities that Node knows are trusted. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface KafkaUser {
  readonly mechanism: (typeof MECHANISMS)[number];
  readonly username: string;
  readonly password: string;
}

export interface TopicNames {
  readonly events: string;
  readonly balances: string;
  readonly checkpoint: string;
}

/** Where Kafka is and how to be let in: shared by the publisher and its command lines. */
export interface KafkaSettings {
  /** `host:port` of some brokers; they name the others. */
  readonly brokers: readonly string[];
  /** Undefined: no TLS. */
  readonly tls?: KafkaTls;
  readonly user?: KafkaUser;
  readonly topics: TopicNames;
}

/** @throws BadSetting naming the first value that cannot be served */
export function readKafkaSettings(env: Environment): KafkaSettings {
  const brokers = list(env, 'KAFKA_BROKERS', /^(\[[\da-fA-F:]+\]|[\w.-]+):\d{1,5}$/, 'host:port of one or more brokers');
  const tls = readTls(env);
  const user = readUser(env, tls !== undefined);
  const topics = {
    events: topicName(env, 'EVENTS_TOPIC', TOPICS.events.name),
    balances: topicName(env, 'BALANCES_TOPIC', TOPICS.balances.name),
    checkpoint: topicName(env, 'CHECKPOINT_TOPIC', TOPICS.checkpoint.name),
  };
  if (new Set(Object.values(topics)).size < 3)
    throw new BadSetting('EVENTS_TOPIC', 'BALANCES_TOPIC and CHECKPOINT_TOPIC must name three topics, and two of them are the same.');
  return { brokers: brokers.length > 0 ? brokers : ['127.0.0.1:9092'], ...(tls && { tls }), ...(user && { user }), topics };
}

function readTls(env: Environment): KafkaTls | undefined {
  const files = { ca: 'KAFKA_SSL_CA', cert: 'KAFKA_SSL_CERT', key: 'KAFKA_SSL_KEY' } as const;
  if (oneOf(env, 'KAFKA_SSL', 'false', ['true', 'false']) === 'false') {
    const unused = Object.values(files).find((name) => text(env, name) !== undefined);
    if (unused) throw new BadSetting(unused, 'has no effect without KAFKA_SSL=true; set that, or leave it out.');
    return undefined;
  }
  const tls: { -readonly [Part in keyof KafkaTls]: KafkaTls[Part] } = {};
  for (const [part, name] of Object.entries(files) as [keyof KafkaTls, string][]) {
    const path = text(env, name);
    if (path !== undefined) tls[part] = fileText(name, path);
  }
  if ((tls.cert === undefined) !== (tls.key === undefined))
    throw new BadSetting('KAFKA_SSL_CERT', 'and KAFKA_SSL_KEY must be set together, or neither.');
  return tls;
}

function fileText(name: string, path: string): string {
  let pem: string;
  try {
    pem = readFileSync(resolve(path), 'utf8');
  } catch {
    throw new BadSetting(name, `must be the path of a PEM file, and "${path}" cannot be read.`);
  }
  if (!pem.includes('-----BEGIN ')) throw new BadSetting(name, `must be the path of a PEM file, and "${path}" is not one.`);
  return pem;
}

function readUser(env: Environment, encrypted: boolean): KafkaUser | undefined {
  const username = text(env, 'KAFKA_SASL_USERNAME');
  // A password may begin or end with a space.
  const password = env['KAFKA_SASL_PASSWORD'];
  if (text(env, 'KAFKA_SASL_MECHANISM') === undefined) {
    if (username || password) throw new BadSetting('KAFKA_SASL_MECHANISM', `must be set with a user: ${MECHANISMS.join(', ')}.`);
    return undefined;
  }
  const mechanism = oneOf(env, 'KAFKA_SASL_MECHANISM', 'scram-sha-512', MECHANISMS);
  if (!username) throw new BadSetting('KAFKA_SASL_USERNAME', 'must be set when KAFKA_SASL_MECHANISM is.');
  if (!password) throw new BadSetting('KAFKA_SASL_PASSWORD', 'must be set when KAFKA_SASL_MECHANISM is.');
  if (mechanism === 'plain' && !encrypted)
    throw new BadSetting('KAFKA_SASL_MECHANISM', 'is plain, which sends the password as it is: set KAFKA_SSL=true, or use scram-sha-512.');
  return { mechanism, username, password };
}

function topicName(env: Environment, setting: string, fallback: string): string {
  const name = text(env, setting) ?? fallback;
  if (!/^[\w.-]{1,249}$/.test(name) || /^\.{1,2}$/.test(name))
    throw new BadSetting(setting, `must be 1 to 249 letters, digits, dots, underscores and hyphens, and is "${name}".`);
  return name;
}
