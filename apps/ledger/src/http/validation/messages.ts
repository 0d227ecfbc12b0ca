import type { ErrorObject } from 'ajv';
import type { JsonSchema } from './schemas';

/** Longest field name that a message repeats; a longer one was not meant to be a field. */
const NAME_LENGTH_MAX = 100;

/** The field that an error is about, as a JSON Pointer, and what to do about it. */
export function messageOf(error: ErrorObject): { field: string; message: string } {
  const { instancePath, keyword, params } = error;
  const schema = (error.parentSchema ?? {}) as JsonSchema;
  if (keyword === 'additionalProperties')
    return { field: `${instancePath}/${escaped(String(params['additionalProperty']))}`, message: 'is not a field of this body' };
  if (keyword === 'required') return { field: `${instancePath}/${escaped(String(params['missingProperty']))}`, message: 'is missing' };
  if (keyword === 'oneOf') return { field: instancePath, message: choice(schema) };
  return { field: instancePath, message: schema['x-message'] ?? rule(schema, error) };
}

/** `either tokens or variableCostEuros, not both`, from alternatives that each require one field. */
function choice(schema: JsonSchema): string {
  const fields = (schema.oneOf ?? []).flatMap(({ required = [] }) => required);
  return `must name either ${fields.join(' or ')}, and only one of them`;
}

/** The whole rule of a field, so that one correction is enough. */
function rule(schema: JsonSchema, error: ErrorObject): string {
  if (schema.enum) return `must be one of ${schema.enum.join(', ')}`;
  const types = schema.type === undefined ? [] : [schema.type].flat();
  const orNull = types.includes('null') ? ', or null' : '';
  if (types.includes('integer')) return `must be a whole number from ${schema.minimum} to ${schema.maximum}${orNull}, not in quotes`;
  if (types.includes('string')) {
    if (schema.minLength !== undefined && schema.maxLength !== undefined)
      return `must be a text of ${schema.minLength} to ${schema.maxLength} characters`;
    return 'must be a text';
  }
  if (types.includes('array')) {
    if (schema.uniqueItems) return `must be a list of different values, at least one, of ${(schema.items?.enum ?? []).join(', ')}`;
    return `must be a list of ${schema.minItems ?? 0} to ${schema.maxItems} entries`;
  }
  if (types.includes('object')) return 'must be a JSON object';
  return error.keyword === 'type' && error.params['type'] === 'null' ? 'must be a JSON object or null' : (error.message ?? 'is not valid');
}

const escaped = (name: string): string => name.slice(0, NAME_LENGTH_MAX).replaceAll('~', '~0').replaceAll('/', '~1');
