import { SCHEMAS_AT, type JsonSchema } from './validation/schemas';

/** Words that the schemas of answers are written in. */

export const text: JsonSchema = { type: 'string' };
export const id: JsonSchema = { type: 'string', minLength: 1, maxLength: 64 };
export const instant: JsonSchema = { type: 'string', format: 'date-time', description: 'ISO 8601 UTC with milliseconds' };
export const tokens: JsonSchema = { type: 'integer', minimum: 0, description: 'Tokens' };
export const exactTokens: JsonSchema = { type: 'string', description: 'Tokens, an exact decimal in its shortest form' };
export const count: JsonSchema = { type: 'integer', minimum: 0 };
export const cents: JsonSchema = { type: 'integer', minimum: 0, description: 'EUR cents, exclusive of tax' };
export const flag: JsonSchema = { type: 'boolean' };
export const tokensOrNull: JsonSchema = { type: ['integer', 'null'], description: 'Tokens; null is unlimited' };
export const status: JsonSchema = { type: 'string', enum: ['permitted', 'suspended', 'removed'] };
export const revision: JsonSchema = { type: 'integer', minimum: -1, description: "Revision of the wallet's stream" };
export const nextCursor: JsonSchema = { type: ['string', 'null'] };
export const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
export const ref = (name: string): JsonSchema => ({ $ref: `${SCHEMAS_AT}${name}` });

export function answer<Answer>(
  properties: { [Field in keyof Required<Answer>]: JsonSchema },
  optional: (keyof Answer & string)[] = [],
): JsonSchema {
  const required = Object.keys(properties).filter((field) => !(optional as string[]).includes(field));
  return { type: 'object', properties, required };
}

export const pageOf = (row: string) => answer<{ data: unknown; nextCursor: unknown }>({ data: list(ref(row)), nextCursor });
