import type { WalletEvent } from './events';

/** Every expected "no" that the domain can say; api.md of the HTTP contract maps each to a status. */
export type RefusalCode =
  | 'VALIDATION_FAILED'
  | 'KEY_REUSED'
  | 'ORGANISATION_NOT_FOUND'
  | 'MEMBER_NOT_FOUND'
  | 'USAGE_NOT_FOUND'
  | 'PAYMENT_REFERENCE_USED'
  | 'USAGE_ALREADY_REVERSED'
  | 'BILL_EXISTS'
  | 'INSUFFICIENT_TOKENS'
  | 'LIMIT_EXCEEDED'
  | 'MEMBER_NOT_PERMITTED'
  | 'MEMBER_SUSPENDED'
  | 'TOO_MANY_ORGANISATIONS'
  | 'DUPLICATE_MEMBER'
  | 'PURCHASE_TOO_SMALL'
  | 'BALANCE_TOO_LARGE'
  | 'ALLOCATION_REFUSED'
  | 'TOO_OLD'
  | 'CATCHING_UP';

/**
 * An expected "no". `detail` is one sentence a person can act on, `facts` the code's named fields.
 * `events` are what a refusal itself records (LimitReached): they are appended although the command is refused.
 */
export class Refusal extends Error {
  constructor(
    readonly code: RefusalCode,
    readonly detail: string,
    readonly facts: Readonly<Record<string, unknown>> = {},
    readonly events: WalletEvent[] = [],
  ) {
    super(`${code}: ${detail}`);
    this.name = 'Refusal';
  }
}
