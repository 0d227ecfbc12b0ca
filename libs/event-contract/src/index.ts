export * from './message';
export { BALANCE_SCHEMA, EVENT_SCHEMAS, HEADERS_SCHEMA, type PublishedSchema, SCHEMAS, SKIPPED_SCHEMA } from './schemas/schemas';
export type { JsonSchema } from './schemas/shape';
export * from './topics';
export * from './validators';
