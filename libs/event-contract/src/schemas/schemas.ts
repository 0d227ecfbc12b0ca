import { EVENT_TYPES, type EventOf, type EventType, SCHEMA } from '@ledger/wallet';
import { schemaId } from '../message';
import { DESCRIBED } from './described';
import { EXAMPLES } from './examples';
import { balanceRecord, eventHeaders, skippedRecord } from './message-schemas';
import { ORGANISATION_SCHEMAS } from './organisation-schemas';
import { OWNER_SCHEMAS } from './owner-schemas';
import type { JsonSchema, Shape, Whole } from './shape';
import { USER_SCHEMAS } from './user-schemas';

/**
 * The published schemas. They say what the ledger writes, down to fields that it does not add; readers ignore fields that they do
 * not know, since a later release may add some.
 */

/** A type of event that has no schema here does not compile. */
type EventShapes = { [Type in EventType]: Shape<Whole<EventOf<Type>['data']>> };

/** The data of every event as this version writes it. */
export const EVENT_SHAPES: EventShapes = { ...ORGANISATION_SCHEMAS, ...USER_SCHEMAS, ...OWNER_SCHEMAS };

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** A schema as it is published, and the name of its file without `.json`. */
export interface PublishedSchema {
  name: string;
  schema: JsonSchema;
}

const published = (name: string, $id: string, title: string, { description, ...json }: JsonSchema, more: JsonSchema = {}) => ({
  name,
  schema: { $schema: DIALECT, $id, title, description, ...json, ...more },
});

const eventSchema = (type: EventType): PublishedSchema =>
  published(
    `${type}.v${SCHEMA}`,
    schemaId(type, SCHEMA),
    `${type}, version ${SCHEMA}`,
    { ...EVENT_SHAPES[type].json, description: DESCRIBED[type] },
    { examples: EXAMPLES[type] },
  );

/** One per type of event, in the order of their names. */
export const EVENT_SCHEMAS: readonly PublishedSchema[] = [...EVENT_TYPES].sort().map(eventSchema);

export const BALANCE_SCHEMA: PublishedSchema = published(
  'wallet-balance.v1',
  'urn:token-ledger:balance:1',
  'Balance, version 1',
  balanceRecord.json,
);
export const SKIPPED_SCHEMA: PublishedSchema = published(
  'skipped.v1',
  'urn:token-ledger:skipped:1',
  'Skipped event, version 1',
  skippedRecord.json,
);
export const HEADERS_SCHEMA: PublishedSchema = published(
  'event-headers.v1',
  'urn:token-ledger:headers:1',
  'Headers of the events topic, version 1',
  eventHeaders,
);

/** Everything that is published, events first. */
export const SCHEMAS: readonly PublishedSchema[] = [...EVENT_SCHEMAS, BALANCE_SCHEMA, SKIPPED_SCHEMA, HEADERS_SCHEMA];
