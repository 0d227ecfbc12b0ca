import type { IncomingHttpHeaders } from 'node:http';
import { canonical, type Envelope } from '@ledger/wallet';
import type { Principal } from '../auth/principal';
import { hashing, uuidV7 } from '../wallets/hashing';
import { Problem, validationFailed } from './problem';

/** 1..200 visible ASCII characters. A space is refused, for Node joins a repeated header with a comma and a space. */
export const KEY_PATTERN = /^[\x21-\x7e]{1,200}$/;
export const KEY_MESSAGE = 'must be given once, with 1 to 200 visible ASCII characters and no spaces';
/** Ids of callers are kept as they are when they are sane, and made anew when they are not. */
const REQUEST_ID_PATTERN = /^[\x21-\x7e]{1,128}$/;
const TRACEPARENT_PATTERN = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

const saneOr = (header: string | string[] | undefined, otherwise: () => string): string =>
  typeof header === 'string' && REQUEST_ID_PATTERN.test(header) ? header : otherwise();

export const requestIdOf = (headers: IncomingHttpHeaders): string => saneOr(headers['x-request-id'], () => uuidV7(Date.now()));

/** @throws Problem KEY_MISSING, VALIDATION_FAILED */
export function keyOf(headers: IncomingHttpHeaders, required: boolean): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) {
    if (required) throw new Problem('KEY_MISSING', 'Send an Idempotency-Key, so that a repeat cannot count twice.');
    return undefined;
  }
  if (typeof key !== 'string' || !KEY_PATTERN.test(key))
    throw validationFailed([
      {
        in: 'header',
        field: '/Idempotency-Key',
        value: String(key).slice(0, 220),
        message: KEY_MESSAGE,
      },
    ]);
  return key;
}

/** Who asked, for what reason, under which key: from the token and the headers alone, so that no body can say otherwise. */
export function envelopeOf(
  principal: Principal,
  headers: IncomingHttpHeaders,
  key: string | undefined,
  contentHash: string | undefined,
): Envelope {
  const requestId = requestIdOf(headers);
  const correlation = headers['x-correlation-id'];
  const traceparent = headers['traceparent'];
  const envelope: Envelope = {
    actor: principal.actor,
    role: principal.role ?? '',
    requestId,
    correlationId: correlation === undefined ? requestId : saneOr(correlation, () => requestId),
  };
  if (principal.client !== undefined) envelope.client = principal.client;
  if (typeof traceparent === 'string' && TRACEPARENT_PATTERN.test(traceparent)) envelope.traceparent = traceparent;
  if (key !== undefined) {
    envelope.key = key;
    envelope.contentHash = contentHash;
  }
  return envelope;
}

/** What a key stands for: the operation, the ids of its path and the body as it was sent; an absent body is an empty one. */
export function contentHashOf(operation: string, ids: Readonly<Record<string, string>>, body: unknown): string {
  return hashing.sha256(canonical({ operation, ids, body: body ?? {} }));
}
