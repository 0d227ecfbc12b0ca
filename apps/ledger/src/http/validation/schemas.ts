import { defaultMetadataStorage } from 'class-transformer/cjs/storage';
import { ValidationTypes } from 'class-validator';
import { validationMetadatasToSchemas } from 'class-validator-jsonschema';
import { defaultConverters } from 'class-validator-jsonschema/build/defaultConverters';

/** As much of JSON Schema as the command classes, the validators and the OpenAPI document use. */
export interface JsonSchema {
  $ref?: string;
  type?: string | readonly string[];
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: readonly string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  enum?: readonly unknown[];
  anyOf?: readonly JsonSchema[];
  oneOf?: readonly JsonSchema[];
  nullable?: boolean;
  uniqueItems?: boolean;
  maxItems?: number;
  minItems?: number;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  /** The message of the decorator, for people. */
  'x-message'?: string;
}

/** A class whose decorated fields are a body. */
export type BodyClass<Body = unknown> = new () => Body;

export const SCHEMAS_AT = '#/components/schemas/';

/** The schemas of all decorated classes, by class name: one text for the validators and for the OpenAPI document. */
export function bodySchemas(): Record<string, JsonSchema> {
  const schemas = validationMetadatasToSchemas({
    classTransformerMetadataStorage: defaultMetadataStorage,
    refPointerPrefix: SCHEMAS_AT,
    additionalConverters: withMessages,
  }) as Record<string, JsonSchema>;
  for (const schema of Object.values(schemas)) close(schema);
  return schemas;
}

/** The schema of a class without decorated fields: a body without fields. */
export const EMPTY_BODY: JsonSchema = { type: 'object', properties: {}, additionalProperties: false };

/** The library's converters, with the message that a decorator was given kept beside its rule. */
const withMessages: typeof defaultConverters = Object.fromEntries(
  Object.entries(defaultConverters).map(([rule, convert]) => [
    rule,
    (meta, options) => {
      const schema = typeof convert === 'function' ? convert(meta, options) : convert;
      const given = rule !== ValidationTypes.NESTED_VALIDATION && typeof meta.message === 'string';
      return schema !== undefined && given ? { ...schema, 'x-message': meta.message } : schema;
    },
  ]),
);

/** What the decorators do not say: unknown fields are refused, and every enumeration is one of texts and bounds the set made of it. */
function close(schema: JsonSchema): void {
  schema.additionalProperties = false;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    // @Min and @Max say "number", and win over @IsInt when they come after it; no number of the contract has a fraction.
    if (property.type === 'number') property.type = 'integer';
    if (property.items?.type === 'number') property.items.type = 'integer';
    if (property.enum) property.type = 'string';
    if (property.items?.enum) {
      // Without its type, AJV would compare every element of a set with every other one.
      property.items.type = 'string';
      if (property.uniqueItems) property.maxItems = property.items.enum.length;
    }
    if (property.nullable && property.$ref !== undefined) schema.properties![name] = orNull(property);
  }
}

function orNull({ $ref, description }: JsonSchema): JsonSchema {
  return { anyOf: [{ $ref }, { type: 'null' }], ...(description !== undefined && { description }) };
}
