import type { RefusalCode } from '@ledger/wallet';
import { meaningOf, type ProblemCode } from './problem-codes';

/** One thing that is wrong with the shape of a request. `field` is a JSON Pointer into `in`. */
export interface FieldError {
  in: 'body' | 'path' | 'query' | 'header';
  field: string;
  value?: unknown;
  message: string;
}

/** An answer of problem+json, thrown. `detail` is one sentence a person can act on, `facts` the code's named fields. */
export class Problem extends Error {
  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    readonly facts: Readonly<Record<string, unknown>> = {},
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(`${code}: ${detail}`);
    this.name = 'Problem';
  }

  get status(): number {
    return meaningOf(this.code).status;
  }
}

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  [fact: string]: unknown;
}

/** The body as RFC 9457 wants it. A fact can add a field, never replace one. */
export function bodyOf(problem: Problem): ProblemBody {
  const { status, title } = meaningOf(problem.code);
  return {
    type: `/docs/problems/${problem.code}`,
    title,
    status,
    detail: problem.detail,
    code: problem.code,
    ...withoutFixedFields(problem.facts),
  };
}

const FIXED = ['type', 'title', 'status', 'detail', 'code'];
const withoutFixedFields = (facts: Problem['facts']) => Object.fromEntries(Object.entries(facts).filter(([name]) => !FIXED.includes(name)));

/** Every code of the domain must have its row in the table, else this line does not compile. */
export const codeOfRefusal = (code: RefusalCode): ProblemCode => code;

const ERRORS_LISTED_MAX = 100;

/** The detail is the first error in words; `errors` lists the first hundred. */
export function validationFailed(errors: readonly FieldError[]): Problem {
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const detail = first === undefined ? 'The request is not valid.' : `${nameOf(first)} ${first.message}${more}.`;
  return new Problem('VALIDATION_FAILED', detail, { errors: errors.slice(0, ERRORS_LISTED_MAX) });
}

function nameOf({ in: place, field }: FieldError): string {
  if (place === 'body') return field === '' ? 'The body' : `The field ${field}`;
  const name = field.slice(1);
  return place === 'path' ? `The path's ${name}` : place === 'query' ? `The query parameter ${name}` : `The header ${name}`;
}
