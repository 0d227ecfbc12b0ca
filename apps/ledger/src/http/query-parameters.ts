import type { FieldError } from './problem';
import type { JsonSchema } from './validation/schemas';

/** One query parameter: how its text is read, and what OpenAPI says about it. */
export interface QueryParameter<Value = unknown> {
  schema: JsonSchema;
  message: string;
  required?: boolean;
  /** Undefined when the text is not acceptable. */
  read(text: string): Value | undefined;
}
export type QueryShape = Readonly<Record<string, QueryParameter>>;
/** What a request asked, by the shape of its operation. */
export type Asked<Shape extends QueryShape> = {
  -readonly [Name in keyof Shape]?: Shape[Name] extends QueryParameter<infer Value> ? Value : never;
};

const LIMIT_MAX = 500;
const LIMIT_DEFAULT = 50;
const CURSOR_LENGTH_MAX = 500;
const TEXT_LENGTH_MAX = 200;
const SHOWN_LENGTH_MAX = 100;

const oneOf = <Value extends string>(...values: Value[]): QueryParameter<Value> => ({
  schema: { type: 'string', enum: values },
  message: `must be one of ${values.join(', ')}`,
  read: (text) => values.find((value) => value === text),
});

const textOf = (lengthMax: number, description: string): QueryParameter<string> => ({
  schema: { type: 'string', minLength: 1, maxLength: lengthMax, description },
  message: `must be a text of 1 to ${lengthMax} characters`,
  read: (text) => (text.length >= 1 && text.length <= lengthMax ? text : undefined),
});

const flag = (description: string): QueryParameter<boolean> => ({
  schema: { type: 'boolean', description },
  message: 'must be true or false',
  read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
});

export const limit: QueryParameter<number> = {
  schema: { type: 'integer', minimum: 1, maximum: LIMIT_MAX, description: `Rows of a page; ${LIMIT_DEFAULT} when left out` },
  message: `must be a whole number from 1 to ${LIMIT_MAX}`,
  read: (text) => (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= LIMIT_MAX ? Number(text) : undefined),
};
export const cursor = textOf(CURSOR_LENGTH_MAX, 'nextCursor of the page before');
export const paging = { limit, cursor };
export const dryRun = flag('Answers what would happen, and writes nothing');
export const blocked = flag('Only members that are suspended or have a usage window with nothing left');
export const status = oneOf('permitted', 'suspended', 'removed');
export const billKind = oneOf('hosting', 'storage');
export const reference: QueryParameter<string> = {
  ...textOf(TEXT_LENGTH_MAX, 'The reference that the usages were charged with'),
  required: true,
};

/** A parameter that becomes a field of a command and is checked as that field is. */
export const fieldOf = (schema: JsonSchema): QueryParameter<string> => ({ schema, message: '', read: (text) => text });
/** A whole number that becomes a field of a command; any other text stays one, so that the field's own rule refuses it. */
export const numberFieldOf = (schema: JsonSchema): QueryParameter<number | string> => ({
  schema,
  message: '',
  read: (text) => (/^-?\d{1,16}$/.test(text) ? Number(text) : text),
});
/** A set, separated by commas. */
export const setFieldOf = (schema: JsonSchema): QueryParameter<string[]> => ({ schema, message: '', read: (text) => text.split(',') });

/** The page that was asked for, with the default size. */
export const pageOf = (asked: { limit?: number; cursor?: string }) => ({
  limit: asked.limit ?? LIMIT_DEFAULT,
  ...(asked.cursor !== undefined && { cursor: asked.cursor }),
});

/** Reads the parameters of a query; what is wrong with them goes into `errors`. A typing error never becomes a default. */
export function readQuery(shape: QueryShape, query: Readonly<Record<string, unknown>>, errors: FieldError[]): Record<string, unknown> {
  const asked: Record<string, unknown> = {};
  for (const name of Object.keys(query)) {
    const text = query[name];
    const parameter = Object.hasOwn(shape, name) ? shape[name] : undefined;
    const field = `/${name.slice(0, SHOWN_LENGTH_MAX)}`;
    const value = String(text).slice(0, SHOWN_LENGTH_MAX);
    if (parameter === undefined) errors.push({ in: 'query', field, value, message: 'is not known here' });
    else if (typeof text !== 'string') errors.push({ in: 'query', field, value, message: 'must be given once' });
    else {
      asked[name] = parameter.read(text);
      if (asked[name] === undefined) errors.push({ in: 'query', field, value, message: parameter.message });
    }
  }
  for (const [name, { required }] of Object.entries(shape))
    if (required && !(name in asked)) errors.push({ in: 'query', field: `/${name}`, message: 'is missing' });
  return asked;
}
