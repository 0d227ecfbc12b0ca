import { ORGANISATION_EVENT_TYPES, USER_EVENT_TYPES, type WalletKind } from '@ledger/wallet';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020';
import { schemaId } from './message';
import { SCHEMAS } from './schemas/schemas';

/** Checks of data against the published schemas: generated functions, each compiled when it is first asked for. */

export type Validator = ValidateFunction;

// Choices between objects repeat what is outside them only in part, which the stricter settings do not like.
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
for (const { schema } of SCHEMAS) ajv.addSchema(schema);

const compiled = new Map<string, Validator | undefined>();

/** The check of the schema with this `$id`, or undefined when there is none. */
export function validatorById($id: string): Validator | undefined {
  if (!compiled.has($id)) {
    // Ids of types that nobody knows must not gather here.
    if (ajv.schemas[$id] === undefined) return undefined;
    compiled.set($id, ajv.getSchema($id));
  }
  return compiled.get($id);
}

/** The check of an event's data, or undefined when this release knows no such type or version. */
export const validatorOf = (type: string, schema: string): Validator | undefined => validatorById(schemaId(type, schema));

/**
 * What is wrong with an event's data, as one sentence that names the place and none of the values; undefined when nothing is, and
 * for types and versions that this release does not know (ask `validatorOf`). `kind` is that of the wallet: with it the sentence
 * also finds what is only wrong in this wallet.
 */
export function faultOf(type: string, schema: string, data: unknown, kind?: WalletKind): string | undefined {
  const validate = validatorOf(type, schema);
  if (validate === undefined) return undefined;
  if (!validate(data)) return `the data of ${type} (version ${schema}) does not keep to its schema: ${sentenceOf(validate.errors)}`;
  return kind === undefined ? undefined : misplaced(type, data as { balanceAfter?: object }, kind);
}

const TYPES_OF: Record<WalletKind, ReadonlySet<string>> = {
  organisation: new Set<string>(ORGANISATION_EVENT_TYPES),
  user: new Set<string>(USER_EVENT_TYPES),
};
const NAMES: Record<WalletKind, string> = { organisation: 'an organisation', user: 'a user' };

/** Some events belong to one kind of wallet; of the others the balance says whose it is. */
function misplaced(type: string, { balanceAfter }: { balanceAfter?: object }, kind: WalletKind): string | undefined {
  if (!TYPES_OF[kind].has(type)) return `${type} is no event of ${NAMES[kind]}`;
  if (balanceAfter === undefined || 'available' in balanceAfter === (kind === 'organisation')) return undefined;
  return `the field "balanceAfter" of ${type} is not the balance of ${NAMES[kind]}`;
}

/** The error at the deepest place: of a choice, the alternative that came closest. */
export function sentenceOf(errors: readonly ErrorObject[] | null | undefined): string {
  const depth = (error: ErrorObject): number => error.instancePath.split('/').length;
  const error = errors?.toSorted((a, b) => depth(b) - depth(a))[0];
  if (error === undefined) return 'it is wrong in a way that was not named';
  const place = error.instancePath === '' ? 'it' : error.instancePath;
  const { additionalProperty, allowedValues } = error.params as { additionalProperty?: string; allowedValues?: unknown[] };
  if (additionalProperty !== undefined) return `${place} has the unknown field "${additionalProperty}"`;
  return `${place} ${error.message ?? 'is wrong'}${allowedValues ? `: ${allowedValues.join(', ')}` : ''}`;
}
