import { createHash } from 'node:crypto';
import type { onSendHookHandler } from 'fastify';

/**
 * Tags the answer of a GET by its bytes, and answers 304 to who has them. Windows roll over with time and balances with other
 * wallets' events, so no revision could say that an answer is the same; its bytes can. It saves the way, not the work.
 *
 * `no-cache` has a cache ask each time: a balance is never answered without us.
 */
export const tagEntity: onSendHookHandler<unknown> = (request, reply, payload, done) => {
  if (reply.statusCode !== 200 || typeof payload !== 'string') return done(null, payload);
  const tag = `"${createHash('sha1').update(payload).digest('base64url')}"`;
  reply.header('etag', tag).header('cache-control', 'private, no-cache');
  if (!reply.hasHeader('vary')) reply.header('vary', 'authorization');
  if (!matches(request.headers['if-none-match'], tag)) return done(null, payload);
  reply.code(304).removeHeader('content-type').removeHeader('content-length').removeHeader('content-disposition');
  done(null, null);
};

/** RFC 9110, 13.1.2: weak comparison, for some proxies make every tag weak. */
const matches = (asked: string | undefined, tag: string): boolean =>
  asked !== undefined && asked.split(',').some((one) => one.trim().replace(/^W\//, '') === tag || one.trim() === '*');
