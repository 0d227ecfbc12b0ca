import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseBody } from './body-parser';
import { bodyOf, Problem, validationFailed } from './problem';

/** Longer ids are refused by their own rule, with a sentence; the router's own bound would answer before it. */
const PARAM_LENGTH_MAX = 16_384;
/** A request whose bytes have not all come within this time is given up. */
const REQUEST_TIMEOUT_MS = 60_000;

/** Answers an error that comes before any route. */
export type AnswerError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/** Fastify under Nest, for JSON alone, with every error in the ledger's own words. */
export class LedgerAdapter extends FastifyAdapter {
  constructor(bodyLimitBytes: number, answerError: AnswerError) {
    super({
      bodyLimit: bodyLimitBytes,
      requestTimeout: REQUEST_TIMEOUT_MS,
      trustProxy: false,
      skipMiddie: true,
      routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
      frameworkErrors: answerError,
      clientErrorHandler: answerUnreadable,
      // Node would answer both by itself, without a word: see `checkHeaders`.
      http: { requireHostHeader: false },
    });
    const fastify = this.getInstance();
    fastify.server.on('checkExpectation', (request, response) => fastify.server.emit('request', request, response));
    fastify.addHook('onRequest', checkHeaders);
    fastify.removeAllContentTypeParsers();
    fastify.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (_request, bytes, done) => {
      try {
        done(null, parseBody(bytes));
      } catch (error) {
        done(error as Error);
      }
    });
  }

  /** Nest would wrap what Fastify says into an HttpException that forgets its code. */
  override mapException(error: unknown): unknown {
    return error;
  }
}

/** Host: RFC 9112, 3.2. Expect: RFC 9110, 10.1.1; Node has answered `100-continue` by itself. */
function checkHeaders({ headers, raw }: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
  const { host, expect } = headers;
  if (host === undefined && raw.httpVersion === '1.1')
    return done(validationFailed([{ in: 'header', field: '/host', message: 'must be given once' }]));
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return done(validationFailed([{ in: 'header', field: '/expect', value: expect.slice(0, 100), message: 'may be 100-continue alone' }]));
  done();
}

/** The answer that Node is about to write to a socket; its own handler of such errors looks at the same field. */
const answerInFlight = (socket: Socket): boolean => Boolean((socket as { _httpMessage?: unknown })._httpMessage);

/**
 * Bytes that are not HTTP never become a request, so their answer is written by hand; but not while an earlier request of the same
 * connection is under way: its caller would take the refusal for its own, of a command that is accepted. Without an answer it asks again.
 */
function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || answerInFlight(socket)) {
    socket.destroy();
    return;
  }
  const message =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'is too long'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'did not come in time'
        : 'is not HTTP';
  const { detail, facts } = validationFailed([{ in: 'header', field: '/request', message }]);
  const body = JSON.stringify(bodyOf(new Problem('VALIDATION_FAILED', detail, facts)));
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body);
}
