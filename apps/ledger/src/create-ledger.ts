import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { LedgerAdapter } from './http/ledger-adapter';
import { ProblemFilter } from './http/problem.filter';
import { serveOperations } from './http/serve-operations';
import { LedgerModule } from './ledger.module';
import { NestLog, newLog } from './operations/log';
import type { Settings } from './settings';

/** The whole service, initialised but not listening: `listen` it, or `inject` into it. Close it to let go of the store. */
export async function createLedger(
  settings: Settings,
  log: Logger = newLog('info'),
  root: object = LedgerModule.with(settings),
): Promise<NestFastifyApplication> {
  const problems = new ProblemFilter(settings.bodyLimitBytes, log);
  const adapter = new LedgerAdapter(settings.bodyLimitBytes, (error, request, reply) => problems.answer(error, request, reply));
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: new NestLog(log),
  });
  app.useGlobalFilters(problems);
  await serveOperations(app, adapter.getInstance());
  return app;
}
