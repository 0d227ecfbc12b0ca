import type { INestApplication } from '@nestjs/common';
import { SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { Tokens } from '../auth/tokens';
import { Readers } from '../feed/readers';
import { Metrics } from '../operations/metrics';
import { documented, openApi } from './openapi';
import { hookOperations } from './operation-hooks';
import { Positions } from './position';
import { Validators } from './validation/validator';

/** Hooks the routes while they are registered, and serves the document that is made from them. Initialises the application. */
export async function serveOperations(app: INestApplication, fastify: FastifyInstance): Promise<void> {
  const validators = app.get(Validators);
  const metrics = app.get(Metrics);
  const operations = hookOperations(fastify, { tokens: app.get(Tokens), positions: app.get(Positions), validators });
  fastify.addHook('onRoute', (route) => {
    const record = metrics.requestsOf(String(route.method), route.url);
    route.onResponse = (_request, reply, done) => {
      record(reply.statusCode, reply.elapsedTime);
      done();
    };
  });
  // A server that stops waits for its connections, and readers of events would never go of themselves.
  fastify.addHook('preClose', (done) => {
    app.get(Readers).end();
    done();
  });
  // The document is made at its first reading, when all routes are known.
  SwaggerModule.setup('docs', app, () => openApi(operations, documented(validators.schemas)), { jsonDocumentUrl: 'docs/json' });
  await app.init();
  await fastify.ready();
}
