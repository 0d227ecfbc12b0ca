import { AppendTooLarge, Contention, OutcomeUnknown, Overloaded, StoreClosed, StoreUnavailable } from '@ledger/event-store';
import { Refusal } from '@ledger/wallet';
import { bodyOf, Problem } from './problem';
import { isProblemCode, meaningOf, PROBLEM_CODES, type ProblemCode } from './problem-codes';
import { problemOf } from './problem-of';
import { ReadModelClosed } from '../views/view-file';

const codeOf = (error: unknown) => problemOf(error, 1_000)?.code;

describe('problems', () => {
  it('have the status that the contract gives their code', () => {
    const contract: Record<number, string> = {
      400: 'VALIDATION_FAILED KEY_MISSING MALFORMED_JSON',
      401: 'UNAUTHENTICATED',
      402: 'INSUFFICIENT_TOKENS',
      403: 'FORBIDDEN',
      404: 'ORGANISATION_NOT_FOUND MEMBER_NOT_FOUND USAGE_NOT_FOUND ALLOCATION_NOT_FOUND NOT_FOUND',
      409: 'PAYMENT_REFERENCE_USED USAGE_ALREADY_REVERSED BILL_EXISTS',
      413: 'BODY_TOO_LARGE',
      415: 'UNSUPPORTED_MEDIA_TYPE',
      422: 'KEY_REUSED LIMIT_EXCEEDED MEMBER_NOT_PERMITTED MEMBER_SUSPENDED TOO_MANY_ORGANISATIONS DUPLICATE_MEMBER PURCHASE_TOO_SMALL BALANCE_TOO_LARGE ALLOCATION_REFUSED TOO_OLD',
      429: 'TOO_MANY_REQUESTS',
      500: 'INTERNAL_ERROR',
      503: 'STORE_UNAVAILABLE OVERLOADED POSITION_NOT_REACHED CATCHING_UP CONTENTION OUTCOME_UNKNOWN ISSUER_UNAVAILABLE',
    };
    const said = Object.entries(contract).flatMap(([status, codes]) => codes.split(' ').map((code) => [code, Number(status)]));
    expect(Object.fromEntries(said)).toEqual(Object.fromEntries(Object.entries(PROBLEM_CODES).map(([code, { status }]) => [code, status])));
  });

  it('that pass say when to come again', () => {
    for (const code of Object.keys(PROBLEM_CODES) as ProblemCode[]) {
      const { status, retryAfterSeconds } = meaningOf(code);
      expect([code, retryAfterSeconds !== undefined]).toEqual([code, status === 429 || status === 503]);
    }
    expect(isProblemCode('constructor')).toBe(false);
  });

  it('are made of what the domain, the store and the mailboxes throw', () => {
    const refusal = problemOf(new Refusal('LIMIT_EXCEEDED', 'Too much.', { limits: [1], status: 200, code: 'FINE' }), 1_000)!;
    expect(bodyOf(refusal)).toEqual({
      type: '/docs/problems/LIMIT_EXCEEDED',
      title: 'A limit would be passed',
      status: 422,
      detail: 'Too much.',
      code: 'LIMIT_EXCEEDED',
      limits: [1],
    });
    expect(codeOf(new StoreUnavailable('down'))).toBe('STORE_UNAVAILABLE');
    expect(codeOf(new StoreClosed())).toBe('STORE_UNAVAILABLE');
    expect(codeOf(new OutcomeUnknown('silence'))).toBe('OUTCOME_UNKNOWN');
    expect(codeOf(new AppendTooLarge(2, 1))).toBe('BODY_TOO_LARGE');
    expect(codeOf(Object.create(Overloaded.prototype, { name: { value: 'Overloaded' } }))).toBe('OVERLOADED');
    expect(codeOf(new ReadModelClosed('read-model.db'))).toBe('CATCHING_UP');
    expect(codeOf(Object.create(Contention.prototype, { name: { value: 'Contention' } }))).toBe('CONTENTION');
    expect(codeOf(Object.create(Error.prototype, { name: { value: 'PositionUnknown' } }))).toBe('VALIDATION_FAILED');
    expect(codeOf(new Problem('KEY_MISSING', 'Send one.'))).toBe('KEY_MISSING');
  });

  it('are not made of our own defects', () => {
    for (const defect of [
      new Error('oops'),
      new TypeError('x is undefined'),
      'text',
      undefined,
      Object.assign(new Error('disk'), { code: 'ENOSPC' }),
      Object.assign(new Error(), { code: 'FST_ERR_SEND_INSIDE_ONERR', statusCode: 500 }),
    ])
      expect(problemOf(defect, 1_000)).toBeUndefined();
  });
});
