import { isDeepStrictEqual } from 'node:util';
import type { PublishedSchema } from './schemas/schemas';
import type { JsonSchema } from './schemas/shape';

/**
 * Whether a schema may take the place of the one that was published under its version. Two parties would be hurt: a reader, who
 * meets what the published schema ruled out, and the facts stored under this version, which the changed schema may no longer
 * accept. Allowed is what hurts neither: further fields that may be left out, further types of events, other words.
 */

/** One change that hurts. */
export interface Break {
  /** The schema and the field, such as `TokensUsed.v1 /charged/[]/tokens`. */
  place: string;
  /** One sentence: what changed, and whom it hurts. */
  change: string;
}

/** Words for people; validators and readers' code do not depend on them. */
const WORDS = new Set(['$schema', '$comment', 'title', 'description', 'examples']);
/** Bounds, and whether a greater number lets more through. */
const BOUNDS: Readonly<Record<string, 'more' | 'less'>> = {
  minimum: 'less',
  maximum: 'more',
  minLength: 'less',
  maxLength: 'more',
  minItems: 'less',
  maxItems: 'more',
  minProperties: 'less',
};
const READERS = 'readers were promised that this cannot be';
const FACTS = 'facts that are stored already would break it';
/** Keywords that have a rule of their own below. */
const RULED = new Set([...Object.keys(BOUNDS), 'type', 'enum', 'const', 'properties', 'required', 'items', 'prefixItems', 'oneOf']);

/** All that hurts between what was published and what is now, schema by schema. */
export function breaksBetween(published: readonly PublishedSchema[], current: readonly PublishedSchema[]): Break[] {
  const now = new Map(current.map(({ name, schema }) => [name, schema]));
  return published.flatMap(({ name, schema }) => {
    const changed = now.get(name);
    if (changed) return breaksOf(schema, changed, `${name} `);
    return [{ place: name, change: `the schema was removed or renamed: ${FACTS}, and readers know it by this name` }];
  });
}

export function breaksOf(before: JsonSchema, after: JsonSchema, place = ''): Break[] {
  const broken = (change: string, field = ''): Break => ({ place: place + field, change });
  return [
    ...typeBreaks(before, after).map((change) => broken(change)),
    ...boundBreaks(before, after).map((change) => broken(change)),
    ...fieldBreaks(before, after, broken),
    ...innerBreaks(before, after, place),
    ...otherKeywords(before, after).map((keyword) => broken(`"${keyword}" is another: readers and stored facts keep to the old one`)),
  ];
}

function typeBreaks(before: JsonSchema, after: JsonSchema): string[] {
  const broken: string[] = [];
  for (const [what, of] of [['type', typesOf] as const, ['value', valuesOf] as const]) {
    const [old, now] = [of(before), of(after)];
    if (isDeepStrictEqual(old, now)) continue;
    if (!old) broken.push(`it is restricted to ${said(now)}: ${FACTS}`);
    else if (!now) broken.push(`it is no longer restricted to ${said(old)}: ${READERS}`);
    else {
      const [gone, added] = [old.filter((one) => !now.includes(one)), now.filter((one) => !old.includes(one))];
      if (gone.length > 0) broken.push(`the ${what} ${said(gone)} is gone: ${FACTS}`);
      if (added.length > 0) broken.push(`the ${what} ${said(added)} is new: ${READERS}`);
    }
  }
  return broken;
}

function boundBreaks(before: JsonSchema, after: JsonSchema): string[] {
  return Object.entries(BOUNDS).flatMap(([keyword, wider]) => {
    const [old, now] = [before[keyword] as number | undefined, after[keyword] as number | undefined];
    if (old === now) return [];
    if (old === undefined) return [`"${keyword}" ${now} is new: ${FACTS}`];
    if (now === undefined) return [`"${keyword}" ${old} is gone: ${READERS}`];
    return [`"${keyword}" went from ${old} to ${now}: ${now > old === (wider === 'more') ? READERS : FACTS}`];
  });
}

function fieldBreaks(before: JsonSchema, after: JsonSchema, broken: (change: string, field?: string) => Break): Break[] {
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  const [must, mustNow] = [requiredOf(before), requiredOf(after)];
  const gone = Object.keys(old).filter((name) => !(name in now));
  const added = Object.keys(now).filter((name) => !(name in old));
  const renamed = (name: string): string => {
    const to = added.find((other) => isDeepStrictEqual(withoutWords(now[other]), withoutWords(old[name])));
    return to === undefined ? 'the field was removed' : `the field was removed, or renamed to "${to}"`;
  };
  return [
    ...gone.map((name) => broken(`${renamed(name)}: readers use it`, `/${name}`)),
    ...[...must]
      .filter((name) => name in now && !mustNow.has(name))
      .map((name) => broken('it may be left out now: readers count on it', `/${name}`)),
    ...[...mustNow]
      .filter((name) => !must.has(name) && name in now)
      .map((name) => broken(`it is required now: ${FACTS} (let it be left out)`, `/${name}`)),
    // What is required without being described belongs to a rule between fields.
    ...[...must]
      .filter((name) => !(name in old) && !mustNow.has(name))
      .map((name) => broken(`"${name}" is no longer required: ${READERS}`)),
    ...[...mustNow].filter((name) => !(name in now) && !must.has(name)).map((name) => broken(`"${name}" is required now: ${FACTS}`)),
  ];
}

/** What changed further in: in fields, lists, places of a tuple and alternatives of a choice. */
function innerBreaks(before: JsonSchema, after: JsonSchema, place: string): Break[] {
  const now = fieldsOf(after);
  return [
    ...Object.entries(fieldsOf(before)).flatMap(([name, field]) =>
      name in now ? breaksOrChanged(field, now[name], `${place}/${name}`) : [],
    ),
    ...breaksOrChanged(before['items'], after['items'], `${place}/[]`),
    ...listBreaks(before['prefixItems'], after['prefixItems'], (index) => `${place}/[${index}]`, `${place}/[]`, 'places'),
    ...listBreaks(before['oneOf'], after['oneOf'], (index) => `${place}/(${index + 1})`, place, 'alternatives'),
  ];
}

function listBreaks(before: unknown, after: unknown, placeOf: (index: number) => string, place: string, what: string): Break[] {
  const [old, now] = [before ?? [], after ?? []] as [unknown[], unknown[]];
  if (old.length !== now.length)
    return [{ place, change: `it has ${now.length} ${what} instead of ${old.length}: readers know the old ones` }];
  return old.flatMap((one, index) => breaksOrChanged(one, now[index], placeOf(index)));
}

function breaksOrChanged(before: unknown, after: unknown, place: string): Break[] {
  if (isSchema(before) && isSchema(after)) return breaksOf(before, after, place);
  return isDeepStrictEqual(before, after)
    ? []
    : [{ place, change: 'it is described otherwise: readers and stored facts keep to the old way' }];
}

const otherKeywords = (before: JsonSchema, after: JsonSchema): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (keyword) =>
      !WORDS.has(keyword) && !RULED.has(keyword) && !isDeepStrictEqual(withoutWords(before[keyword]), withoutWords(after[keyword])),
  );

const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null && !Array.isArray(value);
const fieldsOf = (schema: JsonSchema): Record<string, unknown> => (schema['properties'] ?? {}) as Record<string, unknown>;
const requiredOf = (schema: JsonSchema): Set<string> => new Set((schema['required'] ?? []) as string[]);
const typesOf = ({ type }: JsonSchema): unknown[] | undefined => (type === undefined ? undefined : [type].flat().sort());
const valuesOf = (schema: JsonSchema): unknown[] | undefined =>
  'const' in schema ? [schema['const']] : (schema['enum'] as unknown[] | undefined)?.toSorted();
const said = (values: readonly unknown[] | undefined): string => (values ?? []).map((value) => JSON.stringify(value)).join(', ');

function withoutWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutWords);
  if (!isSchema(value)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, inner]) => (WORDS.has(name) ? [] : [[name, withoutWords(inner)]])));
}
