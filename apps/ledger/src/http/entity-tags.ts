import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify';

/**
 * Tags the answer of a GET by its bytes, and answers 304 to who has them. Windows roll over with time and balances with other
 * wallets' events, so no revision could say that an answer is the same; its bytes can. It saves the way, not the work.
 *
 * `no-cache` has a cache ask each time: a balance is never answered without us.
 */
export const tagEntity: onSendHookHandler<unknown> = (request, reply, payload, done) => done(null, tagged(request, reply, payload));

/** The same for a HEAD: the headers of its GET, and no body. */
export const tagBodiless: onSendHookHandler<unknown> = (request, reply, payload, done) => {
  const body = tagged(request, reply, payload);
  if (typeof body === 'string') reply.header('content-length', Buffer.byteLength(body));
  done(null, null);
};

/** Answers the body that is left to send. */
function tagged(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
  if (reply.statusCode !== 200 || typeof payload !== 'string') return payload;
  const tag = `"${createHash('sha1').update(payload).digest('base64url')}"`;
  reply.header('etag', tag).header('cache-control', 'private, no-cache');
  if (!reply.hasHeader('vary')) reply.header('vary', 'authorization');
  if (!matches(request.headers['if-none-match'], tag)) return payload;
  reply.code(304).removeHeader('content-type').removeHeader('content-length').removeHeader('content-disposition');
  return null;
}

/** RFC 9110, 13.1.2: weak comparison, for some proxies make every tag weak. */
const matches = (asked: string | undefined, tag: string): boolean =>
  asked !== undefined && asked.split(',').some((one) => one.trim().replace(/^W\//, '') === tag || one.trim() === '*');
