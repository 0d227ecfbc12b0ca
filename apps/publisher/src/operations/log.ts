import type { LoggerService } from '@nestjs/common';
import pino, { type Logger } from 'pino';

/** Nest token of the process's log. */
export const LOG = Symbol('log');

/** Structured logs, one JSON line each. Nothing logs events or settings; the redaction is for the day when something does. */
export const newLog = (level: string): Logger =>
  pino({ name: 'publisher', level, redact: { paths: ['*.password', '*.sasl', 'password', 'sasl'], censor: '[hidden]' } });

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
