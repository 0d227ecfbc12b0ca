import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { asyncApiDocument } from '../asyncapi';
import type { PublishedSchema } from '../schemas/schemas';

/** The contract as files of the repository; paths are those of the folder that npm runs in. */
const EVENTS_FOLDER = join('docs', 'events');
/** The schemas as the code has them. */
export const SCHEMAS_FOLDER = join(EVENTS_FOLDER, 'schemas');
/** The schemas that readers were last promised. */
export const PUBLISHED_FOLDER = join(EVENTS_FOLDER, 'published');
export const ASYNCAPI_FILE = join(EVENTS_FOLDER, 'asyncapi.yaml');

const SUFFIX = '.json';

/** None when there is no such folder. */
export function readSchemas(folder: string): PublishedSchema[] {
  const names = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(SUFFIX)) : [];
  return names.sort().map((file) => ({
    name: file.slice(0, -SUFFIX.length),
    schema: JSON.parse(readFileSync(join(folder, file), 'utf8')) as PublishedSchema['schema'],
  }));
}

/** Writes a file for each schema; `replace` removes those that are no longer among them. */
export async function writeSchemas(folder: string, schemas: readonly PublishedSchema[], { replace = false } = {}): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const kept = new Set(schemas.map(({ name }) => name + SUFFIX));
  if (replace) for (const file of readdirSync(folder)) if (!kept.has(file)) rmSync(join(folder, file));
  for (const { name, schema } of schemas) await writeFormatted(join(folder, name + SUFFIX), JSON.stringify(schema));
}

/** The document as JSON has it: what is undefined is not there. */
export const asyncApiNow = (): unknown => JSON.parse(JSON.stringify(asyncApiDocument()));
export const readAsyncApi = (): unknown => (existsSync(ASYNCAPI_FILE) ? parse(readFileSync(ASYNCAPI_FILE, 'utf8')) : undefined);
export const writeAsyncApi = (): Promise<void> => writeFormatted(ASYNCAPI_FILE, stringify(asyncApiNow(), { aliasDuplicateObjects: false }));

/** As `npm run format` wants it, so that nobody's editor changes a generated file. */
async function writeFormatted(path: string, text: string): Promise<void> {
  const { format, resolveConfig } = await import('prettier');
  writeFileSync(path, await format(text, { ...(await resolveConfig(path)), filepath: path }));
}
