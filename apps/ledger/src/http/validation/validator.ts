import { dayEndsAt, instantOf, isTimeZone } from '@ledger/wallet';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { FieldError } from '../problem';
import { messageOf } from './messages';
import { bodySchemas, EMPTY_BODY, SCHEMAS_AT, type BodyClass, type JsonSchema } from './schemas';

/** Answers undefined when a body has the shape of its class, else what is wrong with it. */
export type Validator = (body: unknown) => FieldError[] | undefined;

const VALUE_LENGTH_MAX = 100;
/** More errors than this are never looked for: a body of ten thousand bad lines is refused, not studied. */
const ERRORS_MAX = 1_000;

/** Compiles the validators of the bodies, once at start. Requests pay a generated function and nothing else. */
export class Validators {
  readonly schemas: Record<string, JsonSchema> = bodySchemas();
  private readonly quick = ajv(this.schemas, false);
  /** Slower, as it goes on after the first error; only bodies that were refused come here. */
  private readonly thorough = ajv(this.schemas, true);

  of(body: BodyClass): Validator {
    this.schemas[body.name] ??= EMPTY_BODY;
    const quick = compile(this.quick, body.name, this.schemas[body.name]!);
    const thorough = compile(this.thorough, body.name, this.schemas[body.name]!);
    return (value) => {
      if (quick(value)) return undefined;
      const errors = isSmall(value) && !thorough(value) ? thorough.errors : quick.errors;
      return readable(errors ?? []);
    };
  }
}

/** What no pattern can say of a text. It is its shape all the same, and asked before any key or wallet is looked up. */
const FORMATS = {
  'date-time': (text: string) => instantOf(text) !== undefined,
  date: (text: string) => dayEndsAt('UTC', text) !== undefined,
  'time-zone': isTimeZone,
};

const ajv = (schemas: Record<string, JsonSchema>, allErrors: boolean): Ajv =>
  new Ajv({ strict: false, allErrors, verbose: true, formats: FORMATS }).addSchema({ $id: 'ledger', components: { schemas } });

const compile = (validators: Ajv, name: string, schema: JsonSchema): ValidateFunction =>
  validators.compile(schema === EMPTY_BODY ? schema : { $ref: `ledger${SCHEMAS_AT}${name}` });

/** Whether listing all errors of a value costs little: each one is an object, and a hostile body could have a million. */
function isSmall(value: unknown): boolean {
  let left = 250_000;
  const walk = (inner: unknown): void => {
    left -= 1;
    if (left > 0 && typeof inner === 'object' && inner !== null) for (const element of Object.values(inner)) walk(element);
  };
  walk(value);
  return left > 0;
}

/** One line per thing to correct, in the order of the body. */
function readable(errors: readonly ErrorObject[]): FieldError[] {
  const listed: FieldError[] = [];
  for (const error of errors.slice(0, ERRORS_MAX)) {
    // A choice between fields, or between an object and null, is said once, by the choice itself.
    if (/\/(oneOf|anyOf)\/\d+\//.test(error.schemaPath) && error.keyword === 'required') continue;
    const { field, message } = messageOf(error);
    if (listed.some((known) => known.field === field)) continue;
    const value = shown(error, field);
    listed.push({ in: 'body', field, ...(value !== undefined && { value }), message });
    if (listed.length >= 500) break;
  }
  return listed;
}

/** The refused value as it came, cut when long. */
function shown(error: ErrorObject, field: string): unknown {
  const data: unknown = error.keyword === 'additionalProperties' ? (error.data as Record<string, unknown>)[lastOf(field)] : error.data;
  if (error.keyword === 'required' || error.keyword === 'oneOf') return undefined;
  if (typeof data === 'string') return data.length > VALUE_LENGTH_MAX ? `${data.slice(0, VALUE_LENGTH_MAX)}...` : data;
  if (typeof data === 'number') return Number.isFinite(data) ? data : String(data);
  if (typeof data !== 'object' || data === null) return data;
  return Array.isArray(data) ? `an array of ${data.length}` : 'an object';
}

const lastOf = (pointer: string): string =>
  pointer
    .slice(pointer.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
