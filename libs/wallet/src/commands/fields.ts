import { ArrayMaxSize, IsArray, IsInt, IsString, Length, Matches, Max, Min } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';

/** Field rules that several commands share. Each is one decorator, so that body, validator and OpenAPI say the same. */

/** 1..64 of RFC 3986's unreserved characters, but not `.` or `..`. */
export const WALLET_ID_PATTERN = /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,64}$/;
/** The largest number of tokens that a body may name; sums and `tokens x 100` are guarded where they arise. */
export const TOKENS_MAX = Number.MAX_SAFE_INTEGER;
export const LINES_MAX = 10_000;
/** The largest count, of members for instance, that a body may name. */
export const COUNT_MAX = 10_000_000;

type FieldRule = (target: object, property: string) => void;

const all =
  (...decorators: FieldRule[]): FieldRule =>
  (target, property) => {
    for (const decorate of decorators) decorate(target, property);
  };

export const IsWalletId = () =>
  all(
    Matches(WALLET_ID_PATTERN, { message: 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ ~ - and not . or ..' }),
    JSONSchema({ type: 'string', pattern: WALLET_ID_PATTERN.source, description: 'Id of a wallet: 1 to 64 of A-Z a-z 0-9 . _ ~ -' }),
  );

/** A positive whole number of tokens. */
export const IsTokens = () => all(IsInt(), Min(1), Max(TOKENS_MAX));

/** 1..200 characters. */
export const IsText = () => all(IsString(), Length(1, 200));

/** A limit: a whole number of tokens >= 0, or null for unlimited. */
export const IsLimit = () =>
  all(
    IsInt(),
    Min(0),
    Max(TOKENS_MAX),
    JSONSchema({ type: ['integer', 'null'] as never, minimum: 0, maximum: TOKENS_MAX, description: 'Tokens; null is unlimited' }),
  );

/** How many members each of several places has. */
export const IsMemberCounts = (description: string) =>
  all(
    IsArray(),
    ArrayMaxSize(LINES_MAX),
    IsInt({ each: true }),
    Min(0, { each: true }),
    Max(COUNT_MAX, { each: true }),
    JSONSchema({ description }),
  );
