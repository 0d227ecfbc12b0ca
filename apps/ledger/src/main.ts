import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { StoreUnavailable } from '@ledger/event-store';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { readyMadeTokens } from './auth/ready-made-tokens';
import { createLedger } from './create-ledger';
import { newLog } from './operations/log';
import { BadSetting, readSettings } from './settings';

/** What is in flight gets this long to finish; then its connections are cut. */
const FINISH_MS = 10_000;
/** A store that does not close in this time more is left to its own safety: every commit is durable. */
const CLOSE_MS = 5_000;

const log = newLog(process.env['LOG_LEVEL'] ?? 'info');

async function start(): Promise<void> {
  const settings = readSettings(process.env);
  const app = await createLedger(settings, log);
  await app.listen({ port: settings.port, host: settings.host });
  const { address, family, port } = app.getHttpServer().address() as AddressInfo;
  const host = family === 'IPv6' ? `[${address}]` : address;
  console.log(`The ledger listens on http://${host}:${port} (documentation at /docs); its data is in ${settings.dataDir}.`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(app, signal));
  for (const line of await readyMadeTokens(settings)) console.log(line);
}

async function stop(app: NestFastifyApplication, signal: string): Promise<void> {
  log.info(`${signal}: stopping`);
  setTimeout(() => app.getHttpServer().closeAllConnections(), FINISH_MS);
  setTimeout(() => {
    log.error('the ledger did not close in time');
    process.exit(1);
  }, FINISH_MS + CLOSE_MS);
  try {
    // First no more requests, then the last answers, then the mailboxes, the read model and the store behind them.
    await app.getHttpAdapter().getInstance().close();
    await app.close();
    process.exit(0);
  } catch (error) {
    log.error({ err: error }, 'the ledger did not close cleanly');
    process.exit(1);
  }
}

start().catch((error: unknown) => {
  if (error instanceof BadSetting) console.error(error.message);
  else if (error instanceof StoreUnavailable) console.error(`The ledger could not start: ${error.message}.`);
  else log.fatal({ err: error }, 'the ledger could not start');
  process.exit(1);
});
