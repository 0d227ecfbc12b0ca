import { isDeepStrictEqual } from 'node:util';
import { breaksBetween } from '../compatibility';
import {
  ASYNCAPI_FILE,
  asyncApiNow,
  PUBLISHED_FOLDER,
  readAsyncApi,
  readSchemas,
  SCHEMAS_FOLDER,
  writeAsyncApi,
  writeSchemas,
} from './contract-files';
import { SCHEMAS } from '../schemas/schemas';

/**
 * `npm run contract` writes docs/events from the code; `-- --check` writes nothing and fails when the files are not those of the
 * code, or when a change would hurt; `-- --publish` makes what is now the promise that later changes are held against.
 */

const WHAT_TO_DO =
  'A fact and a promise are never changed: leave this version as it was and write a new one, with an upcaster from the old ' +
  '(docs/events/README.md, "Versions"). A field that may be left out can be added at any time.';

async function main(argument: string | undefined): Promise<number> {
  if (argument !== undefined && argument !== '--check' && argument !== '--publish') {
    console.error(`"${argument}" is not known: use --check, --publish or nothing.`);
    return 2;
  }
  const stale = argument === '--check' ? staleFiles() : [];
  for (const file of stale) console.error(`${file} is not what the code says: run npm run contract.`);
  const breaks = breaksBetween(readSchemas(PUBLISHED_FOLDER), SCHEMAS);
  for (const { place, change } of breaks) console.error(`${place}: ${change}.`);
  if (breaks.length > 0) console.error(WHAT_TO_DO);
  if (argument === undefined || (argument === '--publish' && breaks.length === 0)) {
    await writeSchemas(SCHEMAS_FOLDER, SCHEMAS, { replace: true });
    await writeAsyncApi();
  }
  if (argument === '--publish' && breaks.length === 0) await writeSchemas(PUBLISHED_FOLDER, SCHEMAS);
  if (stale.length + breaks.length > 0) return 1;
  console.log(`${SCHEMAS.length} schemas, none of which breaks a reader or a stored fact.`);
  return 0;
}

function staleFiles(): string[] {
  const files = new Map(readSchemas(SCHEMAS_FOLDER).map(({ name, schema }) => [name, schema]));
  const wrong = SCHEMAS.filter(({ name, schema }) => !isDeepStrictEqual(files.get(name), JSON.parse(JSON.stringify(schema))));
  const unknown = [...files.keys()].filter((name) => !SCHEMAS.some((schema) => schema.name === name));
  return [
    ...[...wrong.map(({ name }) => name), ...unknown].map((name) => `${SCHEMAS_FOLDER}/${name}.json`),
    ...(isDeepStrictEqual(readAsyncApi(), asyncApiNow()) ? [] : [ASYNCAPI_FILE]),
  ];
}

void main(process.argv[2]).then((status) => (process.exitCode = status));
