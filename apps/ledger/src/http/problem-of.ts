import { HttpException } from '@nestjs/common';
import { Refusal } from '@ledger/wallet';
import { codeOfRefusal, Problem, validationFailed } from './problem';
import type { ProblemCode } from './problem-codes';

/** Errors of the store and the mailboxes, by the name they carry: their classes belong to the event store's library. */
const BY_NAME: Readonly<Record<string, [ProblemCode, string]>> = {
  StoreUnavailable: ['STORE_UNAVAILABLE', 'The event store cannot be reached, and nothing was written: repeat with the same key.'],
  StoreClosed: ['STORE_UNAVAILABLE', 'This instance is shutting down, and nothing was written: repeat with the same key.'],
  OutcomeUnknown: ['OUTCOME_UNKNOWN', 'The store did not say whether it wrote: repeat with the same key to learn the outcome.'],
  Overloaded: ['OVERLOADED', 'Too many commands are waiting, and nothing was written: repeat with the same key, more slowly.'],
  AppendTooLarge: ['BODY_TOO_LARGE', 'What this would write does not fit into one append of the store, and nothing was written: split it.'],
  ReadModelClosed: ['CATCHING_UP', 'The read model of this instance is being built again: ask a little later.'],
  Contention: ['CONTENTION', 'Other instances kept writing to this wallet, and nothing was written: repeat with the same key.'],
};

/** Errors of Fastify before any handler runs, by their code. */
const BY_FASTIFY_CODE: Readonly<Record<string, (bodyLimitBytes: number) => Problem>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: (limitBytes) =>
    new Problem('BODY_TOO_LARGE', `A body has at most ${limitBytes} bytes: split the request.`, { limitBytes }),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => new Problem('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => new Problem('MALFORMED_JSON', 'The body is not as long as its Content-Length says.'),
  FST_ERR_BAD_URL: () => validationFailed([{ in: 'path', field: '/path', message: 'has a broken percent-encoding' }]),
  FST_ERR_MAX_PARAM_LENGTH: () => validationFailed([{ in: 'path', field: '/path', message: 'is too long' }]),
  FST_ERR_NOT_FOUND: () => notFound(),
  // The caller hung up while sending: nobody reads this answer, and it is no defect of ours.
  ECONNRESET: () => new Problem('MALFORMED_JSON', 'The body ended early.'),
};

const POSITION_MESSAGE = 'is none of this store: it was made up, or the store went back to a backup';

export const notFound = (): Problem => new Problem('NOT_FOUND', 'Nothing is served at this address with this method: see /docs.');

/** The problem that an error is for its caller; undefined when it is a defect of ours. */
export function problemOf(error: unknown, bodyLimitBytes: number): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof Refusal) return new Problem(codeOfRefusal(error.code), error.detail, error.facts);
  if (!(error instanceof Error)) return undefined;
  const named = Object.hasOwn(BY_NAME, error.name) ? BY_NAME[error.name] : undefined;
  if (named) return new Problem(...named);
  if (error.name === 'PositionUnknown') return validationFailed([{ in: 'header', field: '/Ledger-Position', message: POSITION_MESSAGE }]);
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' && Object.hasOwn(BY_FASTIFY_CODE, code) ? BY_FASTIFY_CODE[code] : undefined;
  if (known) return known(bodyLimitBytes);
  if (error instanceof HttpException && error.getStatus() === 404) return notFound();
  // What else Fastify refuses about a request is the caller's to correct; its sentence names no internals.
  if (typeof code === 'string' && code.startsWith('FST_') && typeof statusCode === 'number' && statusCode < 500)
    return new Problem('VALIDATION_FAILED', error.message, { errors: [] });
  return undefined;
}
