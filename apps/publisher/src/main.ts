import 'reflect-metadata';
// Before anything that loads kafkajs.
import { fastProduce } from './kafka/prepared';
import type { AddressInfo } from 'node:net';
import { StoreUnavailable } from '@ledger/event-store';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { BadSetting } from './environment';
import { NestLog, newLog } from './operations/log';
import { PublisherModule } from './publisher.module';
import { HALTED_STATUS } from './publishing/publisher';
import { Status } from './publishing/status';
import { quietTimers } from './quiet-timers';
import { readSettings } from './settings';

/** Kafka is given four seconds for the transaction under way, and the rest one more. */
const CLOSE_MS = 5_000;

const log = newLog(process.env['LOG_LEVEL'] ?? 'info');

async function start(): Promise<void> {
  quietTimers();
  if (!fastProduce) log.warn('this version of kafkajs was not compared with our encoding of records; its own, slower one is used');
  const settings = readSettings(process.env);
  const root = PublisherModule.with(settings, log);
  const app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter({ forceCloseConnections: true }), {
    abortOnError: false,
    logger: new NestLog(log),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(app, signal));
  await app.listen({ port: settings.port, host: settings.host });
  const { address, family, port } = app.getHttpServer().address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  console.log(`The publisher answers at http://${host}:${port}/health/ready; it writes to Kafka at ${settings.kafka.brokers.join(', ')}.`);
}

async function stop(app: NestFastifyApplication, signal: string): Promise<void> {
  log.info(`${signal}: stopping`);
  const status = app.get(Status).halt ? HALTED_STATUS : 0;
  setTimeout(() => {
    log.warn('a transaction was not over in time; Kafka drops it');
    process.exit(status);
  }, CLOSE_MS);
  try {
    await app.close();
    process.exit(status);
  } catch (error) {
    log.error({ err: error }, 'the publisher did not close cleanly');
    process.exit(1);
  }
}

start().catch((error: unknown) => {
  if (error instanceof BadSetting) console.error(error.message);
  // Such as a store's file that is not there.
  else if (error instanceof StoreUnavailable) console.error(`The publisher could not start: ${error.message}.`);
  else log.fatal({ err: error }, 'the publisher could not start');
  process.exit(1);
});
