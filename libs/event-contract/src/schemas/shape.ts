/**
 * JSON Schema (2020-12) tied to a TypeScript type: a field that the type has and the schema lacks, or the other way round, or that
 * is of another kind or optional in one of them alone, does not compile. What no type can say (bounds, patterns) stands here alone.
 */

export type JsonSchema = { readonly [keyword: string]: unknown };

/** The schema of a `T` and of nothing wider or narrower: `of` is never there, it makes the compiler compare both ways. */
export interface Shape<T> {
  readonly json: JsonSchema;
  readonly of?: (value: T) => T;
}

/** The schema of a field that may be left out. */
export interface Optional<T> {
  readonly optional: Shape<T>;
}

// An empty object is assignable to the field alone exactly when the field may be left out.
type Field<T, Name extends keyof T> = Partial<Pick<T, Name>> extends Pick<T, Name> ? Optional<Exclude<T[Name], undefined>> : Shape<T[Name]>;
type Fields<T> = { [Name in keyof T]-?: Field<T, Name> };
/** A union of objects that differ in the kinds of their fields alone, as one object. */
export type Whole<T> = Pick<T, keyof T>;

/** What is said of a value to the people who read it. */
const said = (description?: string): JsonSchema => (description === undefined ? {} : { description });

export const optional = <T>(shape: Shape<T>): Optional<T> => ({ optional: shape });

const withoutDescription = ({ description: _, ...json }: JsonSchema): JsonSchema => json;

/** The same values, with another description. */
export const as = <T>(shape: Shape<T>, description: string): Shape<T> => ({
  json: { ...said(description), ...withoutDescription(shape.json) },
});

/** The writer adds no field that is not named here; `rules` are further keywords, of what holds between fields. */
export function object<T>(fields: Fields<T>, description?: string, rules: JsonSchema = {}): Shape<T> {
  const entries = Object.entries(fields as unknown as Record<string, Shape<unknown> | Optional<unknown>>);
  const properties = entries.map(([name, field]) => [name, 'optional' in field ? field.optional.json : field.json] as const);
  const required = entries.filter(([, field]) => !('optional' in field)).map(([name]) => name);
  return {
    json: {
      ...said(description),
      type: 'object',
      properties: Object.fromEntries(properties),
      required,
      additionalProperties: false,
      ...rules,
    },
  };
}

export const integer = (minimum: number, maximum: number, description?: string): Shape<number> => ({
  json: { ...said(description), type: 'integer', minimum, maximum },
});

/** An integer, or null where that means something else than 0. */
export const integerOrNull = (minimum: number, maximum: number, description?: string): Shape<number | null> => ({
  json: { ...said(description), type: ['integer', 'null'], minimum, maximum },
});

export const boolean = (description?: string): Shape<boolean> => ({ json: { ...said(description), type: 'boolean' } });

/** A text of this form; `example` is one that fits, for the people who read it. */
export const pattern = (pattern: string, example: string, description?: string): Shape<string> => ({
  json: { ...said(description), type: 'string', pattern, examples: [example] },
});

/** A text of so many characters (Unicode code points). */
export const text = (minLength: number, maxLength: number, description?: string): Shape<string> => ({
  json: { ...said(description), type: 'string', minLength, maxLength },
});

export const oneOfTexts = <const Values extends readonly string[]>(values: Values, description?: string): Shape<Values[number]> => ({
  json: { ...said(description), type: 'string', enum: values },
});

export const constant = <const Value extends string>(value: Value, description?: string): Shape<Value> => ({
  json: { ...said(description), type: 'string', const: value },
});

export const list = <T>(items: Shape<T>, minItems: number, maxItems: number, description?: string): Shape<T[]> => ({
  json: { ...said(description), type: 'array', items: items.json, minItems, maxItems },
});

/** A list whose places mean different things. */
export const tuple = <T extends unknown[]>(places: { [Index in keyof T]: Shape<T[Index]> }, description?: string): Shape<T> => ({
  json: {
    ...said(description),
    type: 'array',
    prefixItems: (places as Shape<unknown>[]).map(({ json }) => json),
    minItems: places.length,
    maxItems: places.length,
    items: false,
  },
});

export const either = <A, B>(one: Shape<A>, other: Shape<B>, description?: string): Shape<A | B> => ({
  json: { ...said(description), oneOf: [one.json, other.json] },
});
