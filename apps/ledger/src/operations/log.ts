import type { LoggerService } from '@nestjs/common';
import pino, { type Logger } from 'pino';

/**
 * Structured logs, one JSON line each. Nothing logs bodies, tokens or headers; the redaction is for the day when something does.
 * There is no access log: at full rate it would cost as much as the work, and the metrics and the events say more.
 */
export const newLog = (level: string): Logger =>
  pino({
    name: 'ledger',
    level,
    redact: {
      paths: ['*.authorization', '*.headers', '*.body', '*.token', 'authorization', 'headers', 'body', 'token'],
      censor: '[hidden]',
    },
  });

/** Parts of Nest that tell of every route and module while they start: noise, unless somebody looks for it. */
const OF_NEST = /^(Nest|Router|Routes|Instance|WebSocket)/;

/** The name under which Nest tells of what stopped the start. */
const STOPS_THE_START = 'ExceptionHandler';

/** What Nest says, and what our parts say through its logger, in the same log. */
export class NestLog implements LoggerService {
  constructor(private readonly to: Logger) {}

  log(message: unknown, context?: unknown): void {
    const noise = typeof context === 'string' && OF_NEST.test(context);
    this.to[noise ? 'debug' : 'info']({ context }, String(message));
  }
  warn(message: unknown, context?: unknown): void {
    this.to.warn({ context }, String(message));
  }
  error(message: unknown, ...rest: unknown[]): void {
    // What stops the start is told once, by the process that ends by it.
    if (rest.at(-1) === STOPS_THE_START) return;
    const [stack, context] = rest;
    this.to.error({ context, ...(message instanceof Error ? { err: message } : { stack }) }, String(message));
  }
}
