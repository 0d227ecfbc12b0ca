import type { OpenAPIObject } from '@nestjs/swagger';
import { WALLET_ID_PATTERN } from '@ledger/wallet';
import { ANSWERS } from './answer-schemas';
import type { RegisteredOperation } from './operation-hooks';
import { meaningOf, PROBLEM_CODES, type ProblemCode } from './problem-codes';
import { EMPTY_BODY, SCHEMAS_AT, type JsonSchema } from './validation/schemas';

/**
 * The OpenAPI document, made from the routes as they are registered and from the schemas that their bodies are checked with: what
 * is served and what is written here cannot differ.
 */

const ALWAYS: readonly ProblemCode[] = ['VALIDATION_FAILED', 'UNAUTHENTICATED', 'FORBIDDEN'];
const WITH_BODY: readonly ProblemCode[] = ['MALFORMED_JSON', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];
const OF_COMMANDS: readonly ProblemCode[] = [
  'KEY_REUSED',
  'STORE_UNAVAILABLE',
  'OVERLOADED',
  'CATCHING_UP',
  'CONTENTION',
  'OUTCOME_UNKNOWN',
];

const ref = (name: string) => ({ $ref: `${SCHEMAS_AT}${name}` });
const header = (description: string, schema: JsonSchema = { type: 'string' }) => ({ description, schema });

export const PROBLEM_SCHEMA: JsonSchema = {
  type: 'object',
  description: 'RFC 9457; the facts of the code are further fields',
  properties: {
    type: { type: 'string', description: 'Address of the page that explains the code' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'One sentence a person can act on' },
    code: { type: 'string', enum: Object.keys(PROBLEM_CODES) },
    errors: { type: 'array', items: ref('FieldError') },
  },
  required: ['type', 'title', 'status', 'detail', 'code'],
  additionalProperties: true,
};
const FIELD_ERROR: JsonSchema = {
  type: 'object',
  properties: {
    in: { type: 'string', enum: ['body', 'path', 'query', 'header'] },
    field: { type: 'string', description: 'JSON Pointer' },
    value: { description: 'The refused value, cut when long' },
    message: { type: 'string' },
  },
  required: ['field', 'message'],
};

export function openApi(operations: readonly RegisteredOperation[], bodies: Readonly<Record<string, JsonSchema>>): OpenAPIObject {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = operation.url.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[operation.method.toLowerCase()] = described(operation, path);
  }
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'Token ledger',
      version: '1',
      description: 'Organisations buy tokens, allocate them to members under limits, and services spend them.',
    },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Claims: role (platform, admin, member, auditor), sub, organisation of an admin',
        },
      },
      schemas: { ...bodies, ...ANSWERS, Problem: PROBLEM_SCHEMA, FieldError: FIELD_ERROR },
    },
  };
  // The library's type is of OpenAPI 3.0, where a type cannot be a list.
  return document as unknown as OpenAPIObject;
}

function described({ method, spec }: RegisteredOperation, path: string) {
  const bodyClass = spec.command ?? spec.body;
  const hasBody = bodyClass !== undefined && method !== 'DELETE';
  const refusals = [
    ...ALWAYS,
    ...(hasBody ? WITH_BODY : []),
    ...(spec.command ? OF_COMMANDS : []),
    ...keyCodes(method, spec.keyless),
    ...(spec.refusals ?? []),
  ];
  if (spec.command === undefined || spec.waits) refusals.push('POSITION_NOT_REACHED', 'STORE_UNAVAILABLE');
  return {
    operationId: `${method.toLowerCase()}${path
      .replace(/^\/v1/, '')
      .replace(/[{}]/g, '')
      .replace(/[/-](\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: [path.split('/')[2]],
    summary: spec.summary,
    parameters: parametersOf(method, spec, path),
    ...(hasBody && {
      requestBody: { required: spec.bodyOptional !== true, content: { 'application/json': { schema: ref(bodyClass.name) } } },
    }),
    responses: { ...answersOf(spec), ...(isTagged(method, spec) && NOT_MODIFIED), ...problemsOf(refusals) },
  };
}

const keyCodes = (method: string, keyless = false): ProblemCode[] => (method === 'POST' && !keyless ? ['KEY_MISSING'] : []);

function parametersOf(method: string, spec: RegisteredOperation['spec'], path: string) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: idSchema(name!) }));
  const inQuery = Object.entries(spec.query ?? {}).map(([name, { schema, required = false }]) => ({ name, in: 'query', required, schema }));
  const key = {
    name: 'Idempotency-Key',
    in: 'header',
    required: method === 'POST' && !spec.query?.['dryRun'],
    schema: { type: 'string', minLength: 1, maxLength: 200 },
  };
  const position = {
    name: 'Ledger-Position',
    in: 'header',
    required: false,
    schema: { type: 'string', description: 'Reads at least as far as this position of an earlier answer' },
  };
  const resume = {
    name: 'Last-Event-ID',
    in: 'header',
    required: false,
    schema: { type: 'string', description: 'The id of the last event seen; beats `from`' },
  };
  return [
    ...inPath,
    ...inQuery,
    ...(spec.command ? [key] : []),
    ...(method === 'GET' || spec.waits ? [position] : []),
    ...(spec.stream ? [resume] : []),
    ...(isTagged(method, spec) ? [IF_NONE_MATCH] : []),
  ];
}

const idSchema = (name: string): JsonSchema =>
  name === 'organisationId' || name === 'userId'
    ? { type: 'string', pattern: WALLET_ID_PATTERN.source }
    : { type: 'string', minLength: 1, maxLength: 64 };

/** As entity-tags.ts does it: every GET but a stream. */
const isTagged = (method: string, { stream }: RegisteredOperation['spec']): boolean => method === 'GET' && stream !== true;
const NOT_MODIFIED = {
  304: { description: 'The answer is the one whose ETag was sent', headers: { ETag: header('Of the bytes of the answer') } },
};
const IF_NONE_MATCH = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  schema: { type: 'string', description: 'ETag of an earlier answer; 304 when it would be the same' },
};

/** One row per entry, after a header row; the address of the next page is in `Link`, its cursor in `Next-Cursor`. */
const CSV = { 'text/csv': { schema: { type: 'string', description: 'RFC 4180, with a header row; Next-Cursor and Link lead on' } } };

function answersOf({ answers, command, waits, csv, stream, summary }: RegisteredOperation['spec']) {
  const headers = (command ?? waits) && {
    'Ledger-Position': header('Opaque; send it back to read at least this far'),
    ...(command && { 'Idempotency-Replayed': header('true when this key was answered before') }),
    ...(command && { 'X-Request-Id': header('The one that was sent, or a new one; the events of the command carry it') }),
  };
  return Object.fromEntries(
    Object.entries(answers).map(([status, name]) => [
      status,
      {
        description: summary,
        ...(headers && { headers }),
        content: { [stream ? 'text/event-stream' : 'application/json']: { schema: ref(name) }, ...(csv && CSV) },
      },
    ]),
  );
}

function problemsOf(codes: readonly ProblemCode[]) {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set(codes)) {
    const { status } = meaningOf(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const content = { 'application/problem+json': { schema: ref('Problem') } };
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      status,
      {
        description: of.join(', '),
        content,
        ...(status === 503 && { headers: { 'Retry-After': header('Seconds', { type: 'integer' }) } }),
      },
    ]),
  );
}

/** A command without fields has no schema of its own in the document. */
export const documented = (bodies: Readonly<Record<string, JsonSchema>>) =>
  Object.fromEntries(Object.entries(bodies).filter(([, schema]) => schema !== EMPTY_BODY));
