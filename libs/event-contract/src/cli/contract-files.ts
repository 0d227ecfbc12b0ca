import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PublishedSchema, SCHEMAS } from '../schemas/schemas';

/** Where the contract stands in the repository: `docs/events` of the folder that npm runs in. */
export const EVENTS_FOLDER = join('docs', 'events');
/** The schemas as the code has them. */
export const SCHEMAS_FOLDER = join(EVENTS_FOLDER, 'schemas');
/** The schemas that readers were last promised. */
export const PUBLISHED_FOLDER = join(EVENTS_FOLDER, 'published');

const SUFFIX = '.json';

export function readSchemas(folder: string): PublishedSchema[] {
  const names = readdirSync(folder).filter((file) => file.endsWith(SUFFIX));
  return names.sort().map((file) => ({
    name: file.slice(0, -SUFFIX.length),
    schema: JSON.parse(readFileSync(join(folder, file), 'utf8')) as PublishedSchema['schema'],
  }));
}

/** Writes a file for each schema; `replace` removes those that are no longer among them. */
export function writeSchemas(folder: string, schemas: readonly PublishedSchema[] = SCHEMAS, { replace = false } = {}): void {
  mkdirSync(folder, { recursive: true });
  const kept = new Set(schemas.map(({ name }) => name + SUFFIX));
  if (replace) for (const file of readdirSync(folder)) if (!kept.has(file)) rmSync(join(folder, file));
  for (const { name, schema } of schemas) writeFileSync(join(folder, name + SUFFIX), `${JSON.stringify(schema, null, 2)}\n`);
}
