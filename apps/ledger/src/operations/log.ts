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

/** Nest's own words, in the same log. What it says while it maps routes is noise. */
export class NestLog implements LoggerService {
  constructor(private readonly to: Logger) {}

  log(message: unknown, context?: unknown): void {
    this.to.debug({ context }, String(message));
  }
  warn(message: unknown, context?: unknown): void {
    this.to.warn({ context }, String(message));
  }
  error(message: unknown, ...rest: unknown[]): void {
    const [stack, context] = rest;
    this.to.error({ context, ...(message instanceof Error ? { err: message } : { stack }) }, String(message));
  }
}
