import type { LoggerService } from '@nestjs/common';
import pino, { type Logger } from 'pino';

/** Nest token of the process's log. */
export const LOG = Symbol('log');

/** Structured logs, one JSON line each. Nothing logs events or settings; the redaction is for the day when something does. */
export const newLog = (level: string): Logger =>
  pino({ name: 'publisher', level, redact: { paths: ['*.password', '*.sasl', 'password', 'sasl'], censor: '[hidden]' } });

/** The name under which Nest tells of what stopped the start. */
const STOPS_THE_START = 'ExceptionHandler';

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
    // What stops the start is told once, by the process that ends by it.
    if (rest.at(-1) === STOPS_THE_START) return;
    const [stack, context] = rest;
    this.to.error({ context, ...(message instanceof Error ? { err: message } : { stack }) }, String(message));
  }
}
