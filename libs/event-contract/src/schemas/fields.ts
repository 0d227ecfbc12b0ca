import {
  type BatchResult,
  type Charge,
  FREE_TOKENS_MAX,
  type OrganisationBalance,
  type UserBalance,
  WALLET_TOKENS_MAX,
} from '@ledger/wallet';
import { constant, either, integer, integerOrNull, list, object, oneOfTexts, optional, pattern, type Shape, text } from './shape';

/** Kinds of fields that several events have. The bounds are those of the domain (design section 2), never tighter. */

/** Events are bounded by the store's append limit; this bounds lists for which the domain names no number. */
const LIST_MAX = 10_000;
const ANY_MAX = Number.MAX_SAFE_INTEGER;
/** A user receives from about 1,000 organisations at most, each of which has bought 10^12 tokens at most, and may buy as many. */
const BALANCE_MAX = 1_100 * WALLET_TOKENS_MAX;

const DATE = '[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])';

/** The patterns are plain ECMA 262 without look-around, so that every language's validator knows them. */
export const INSTANT = `^${DATE}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z$`;
const UUID_V7 = '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$';
const DECIMAL = '^(0|[1-9][0-9]{0,15})(\\.[0-9]{0,11}[1-9])?$';

export const instant = (description: string): Shape<string> =>
  pattern(INSTANT, '2026-11-23T09:05:00.000Z', `${description}. ISO 8601, UTC`);
export const at = instant('When it was recorded; never earlier than the event before it in the wallet');

/** Id of a wallet, of an organisation or a user. */
export const walletId = (description: string): Shape<string> => {
  const { json } = pattern('^[A-Za-z0-9._~-]{1,64}$', 'acme', description);
  return { json: { ...json, not: { enum: ['.', '..'] } } };
};
export const generatedId = (description: string): Shape<string> =>
  pattern(UUID_V7, '019aafca-07e8-7000-8000-5d5c2b1f0a11', `${description}, a UUIDv7`);

export const words = (description: string): Shape<string> => text(1, 200, description);
export const timeZone = (description: string): Shape<string> => pattern('^[A-Za-z][A-Za-z0-9_+/-]{0,63}$', 'Europe/Berlin', description);

export const month = (description: string): Shape<string> => pattern('^[0-9]{4}-(0[1-9]|1[0-2])$', '2026-11', description);
export const day = (description: string): Shape<string> => pattern(`^${DATE}$`, '2026-11-23', description);
export const dayOrMonth = (description: string): Shape<string> =>
  pattern('^[0-9]{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?$', '2026-11-23', description);

/** Tokens that are moved: at least one. */
export const tokens = (description: string): Shape<number> => integer(1, WALLET_TOKENS_MAX, description);
/** Tokens of a usage, which may draw on everything that a user holds. */
export const usedTokens = (description: string): Shape<number> => integer(1, BALANCE_MAX, description);
/** Tokens that are held, owed, lapsed or charged: none is a number too. */
export const tokensOrNone = (description: string): Shape<number> => integer(0, WALLET_TOKENS_MAX, description);
export const freeTokens = (description: string): Shape<number> => integer(0, FREE_TOKENS_MAX, description);
/** A number for which the domain has no bound but that of whole numbers in JavaScript, 2^53 - 1. */
export const whole = (minimum: 0 | 1, description: string): Shape<number> => integer(minimum, ANY_MAX, description);
export const limit = (description: string): Shape<number | null> => integerOrNull(0, ANY_MAX, `${description}; null is unlimited`);
/** An exact number of tokens with up to twelve digits after the point, as text: no float may touch it. */
export const decimal = (description: string): Shape<string> => pattern(DECIMAL, '15.827', `${description}; exact, in its shortest form`);

export const userIds: Shape<string[]> = list(walletId('A member'), 1, 1_000, 'The members it is about');
export const batch = optional<BatchResult>(
  object<BatchResult>(
    { members: integer(1, LIST_MAX, 'Members that the batch named'), changed: integer(0, LIST_MAX, 'Members of which something changed') },
    'The answer of the batch that this event is a part of; the same in each of its events',
  ),
);

export const organisationBalance: Shape<OrganisationBalance> = object<OrganisationBalance>(
  {
    available: tokensOrNone('Tokens that can be allocated or pay bills'),
    balance: tokensOrNone('The total of the wallet: of an organisation the same as "available"'),
  },
  'What the organisation holds after it',
);

const allocatedAfter = list(
  object<{ organisationId: string; tokens: number }>({
    organisationId: walletId('The organisation that allocated them'),
    tokens: tokensOrNone('Held of this organisation after it'),
  }),
  1,
  LIST_MAX,
  'Buckets of allocated tokens that it touched',
);
export const userBalance: Shape<UserBalance> = object<UserBalance>(
  {
    free: optional(
      object<{ tokens: number; month: string }>(
        { tokens: freeTokens('Free tokens held after it'), month: month('They lapse when this month ends') },
        'Free tokens, whenever it touched them or there are any',
      ),
    ),
    purchased: optional(tokensOrNone('Purchased tokens held after it; only when it touched them')),
    allocated: optional(allocatedAfter),
    balance: integer(0, BALANCE_MAX, 'The total of the wallet: free + purchased + all allocated'),
  },
  'What the user holds after it: the buckets that it touched, and the total',
);
export const eitherBalance: Shape<OrganisationBalance | UserBalance> = either(
  organisationBalance,
  userBalance,
  'What the owner holds after it',
);

const AMOUNT = 'Tokens from, or back to, this source';
const ownCharge = object<{ source: 'free' | 'purchased'; tokens: number }>({
  source: oneOfTexts(['free', 'purchased']),
  tokens: tokens(AMOUNT),
});
const allocatedCharge = object<{ source: 'allocated'; organisationId: string; tokens: number }>({
  source: constant('allocated'),
  organisationId: walletId('The organisation that allocated them'),
  tokens: tokens(AMOUNT),
});

/** Of a bill: free tokens (of users alone), then purchased ones. Allocated tokens pay no bills. */
export const billCharges: Shape<Charge[]> = list<Charge>({ json: ownCharge.json }, 0, 2, 'What was taken, by source');

/** Of a usage: the organisation is named exactly when the tokens were allocated by it. */
export const usageCharges = (description: string): Shape<Charge[]> =>
  list<Charge>({ json: either(ownCharge, allocatedCharge).json }, 0, LIST_MAX, description);
