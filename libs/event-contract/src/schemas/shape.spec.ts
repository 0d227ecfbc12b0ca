import { integer, integerOrNull, object, oneOfTexts, optional, text, tuple, type Shape } from './shape';

/** The type check runs over this file: an expected error that is none fails it, and so would a schema that is not of its type. */

interface Fact {
  at: string;
  kind: 'a' | 'b';
  limit: number | null;
  memo?: string;
  line: [string, number];
}

const at = text(1, 9);
const kind = oneOfTexts(['a', 'b']);
const limit = integerOrNull(0, 9);
const memo = optional(text(1, 9));
const line = tuple<[string, number]>([text(1, 9), integer(1, 9)]);
const fact = object<Fact>({ at, kind, limit, memo, line });

describe('a shape', () => {
  it('compiles for its type and for nothing else', () => {
    const wrong: Shape<Fact>[] = [
      // @ts-expect-error a field of the type is missing
      object<Fact>({ kind, limit, memo, line }),
      // @ts-expect-error a field that may be left out is missing
      object<Fact>({ at, kind, limit, line }),
      // @ts-expect-error the type has no such field
      object<Fact>({ at, kind, limit, memo, line, more: at }),
      // @ts-expect-error a number is no text
      object<Fact>({ at: integer(1, 9), kind, limit, memo, line }),
      // @ts-expect-error the type has one value more
      object<Fact>({ at, kind: oneOfTexts(['a']), limit, memo, line }),
      // @ts-expect-error the type has one value less
      object<Fact>({ at, kind: oneOfTexts(['a', 'b', 'c']), limit, memo, line }),
      // @ts-expect-error null is missing
      object<Fact>({ at, kind, limit: integer(0, 9), memo, line }),
      // @ts-expect-error it may not be left out
      object<Fact>({ at: optional(at), kind, limit, memo, line }),
      // @ts-expect-error it may be left out
      object<Fact>({ at, kind, limit, memo: text(1, 9), line }),
      // @ts-expect-error a place is of another type
      object<Fact>({ at, kind, limit, memo, line: tuple<[string, string]>([at, at]) }),
    ];
    expect(wrong).toHaveLength(10);
  });

  it('is the JSON Schema that it says', () => {
    expect(fact.json).toEqual({
      type: 'object',
      properties: {
        at: { type: 'string', minLength: 1, maxLength: 9 },
        kind: { type: 'string', enum: ['a', 'b'] },
        limit: { type: ['integer', 'null'], minimum: 0, maximum: 9 },
        memo: { type: 'string', minLength: 1, maxLength: 9 },
        line: {
          type: 'array',
          prefixItems: [
            { type: 'string', minLength: 1, maxLength: 9 },
            { type: 'integer', minimum: 1, maximum: 9 },
          ],
          minItems: 2,
          maxItems: 2,
          items: false,
        },
      },
      required: ['at', 'kind', 'limit', 'line'],
      additionalProperties: false,
    });
  });
});
