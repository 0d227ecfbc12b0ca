import { Kafka, logLevel, type KafkaConfig, type SASLOptions } from 'kafkajs';
import type { KafkaSettings } from '../kafka-settings';

const CONNECT_MS = 3_000;
/** For connecting, metadata and taking over: about two seconds in all. What sends events never retries by itself. */
const RETRY = { retries: 5, initialRetryTime: 50, maxRetryTime: 1_000, multiplier: 2 };

export type ClientLog = (level: 'debug' | 'warn', message: string, detail: Record<string, unknown>) => void;

/** A client of kafkajs for these settings. Nobody but the files of this folder and the command lines touches kafkajs. */
export function newKafka(
  { brokers, tls, user }: KafkaSettings,
  clientId: string,
  requestTimeout = 10_000,
  log: ClientLog = () => undefined,
): Kafka {
  const config: KafkaConfig = {
    clientId,
    brokers: [...brokers],
    connectionTimeout: CONNECT_MS,
    authenticationTimeout: CONNECT_MS,
    requestTimeout,
    retry: RETRY,
    logLevel: logLevel.WARN,
    // What kafkajs calls an error is one attempt of many; what fails in the end is thrown, and logged by whoever catches it.
    logCreator:
      () =>
      ({ level, log: { message, ...detail } }) =>
        log(level <= logLevel.WARN ? 'debug' : 'warn', message, detail),
  };
  if (tls) config.ssl = { ...tls };
  if (user) config.sasl = user as SASLOptions;
  return new Kafka(config);
}
