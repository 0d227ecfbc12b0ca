import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { requestIdOf } from './envelope';
import { bodyOf, Problem } from './problem';
import { meaningOf } from './problem-codes';
import { problemOf } from './problem-of';

/** Answers every error as problem+json. What is no problem of the caller is a defect of ours: logged, and told without internals. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly bodyLimitBytes: number,
    private readonly log: Logger,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    if (reply.sent) return;
    sendProblem(reply, problemOf(error, this.bodyLimitBytes) ?? this.defect(error, request));
  }

  private defect(error: unknown, request: FastifyRequest): Problem {
    const requestId = requestIdOf(request.headers);
    this.log.error({ err: error, requestId, method: request.method, route: request.routeOptions.url }, 'a request met a defect');
    return new Problem('INTERNAL_ERROR', 'The ledger made a mistake; it was logged.', { requestId });
  }
}

export function sendProblem(reply: FastifyReply, problem: Problem): void {
  const { status, retryAfterSeconds } = meaningOf(problem.code);
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  reply.header('cache-control', 'no-store').headers(problem.headers);
  void reply
    .code(status)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(bodyOf(problem)));
}
