import { isUtf8 } from 'node:buffer';
import { Problem, validationFailed } from './problem';

/** No body of the contract nests deeper than five; JSON.parse and the validators never see more. */
const NESTING_MAX = 32;
/** The largest batch has about 200,000 fields, elements and objects; each costs memory far beyond its bytes. */
export const VALUES_MAX = 400_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;

interface Measured {
  depth: number;
  values: number;
  fields: number;
}

/** Depth, values and fields of a JSON text, read without building anything. Of a text that is not JSON it means nothing. */
function measure(text: string): Measured {
  let depth = 0;
  let deepest = 0;
  let values = 1;
  let fields = 0;
  for (let i = 0; i < text.length; i += 1) {
    const character = text.charCodeAt(i);
    if (character === QUOTE) {
      while (++i < text.length && text.charCodeAt(i) !== QUOTE) if (text.charCodeAt(i) === BACKSLASH) i += 1;
    } else if (character === COLON) fields += 1;
    else if (character === COMMA) values += 1;
    else if (character === 0x7b || character === 0x5b) {
      values += 1;
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (character === 0x7d || character === 0x5d) depth -= 1;
  }
  return { depth: deepest, values, fields };
}

/** Fields of what was parsed: fewer than in the text when an object names one twice, as the last one won. */
function fieldsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let fields = 0;
  if (Array.isArray(value)) for (const element of value) fields += fieldsOf(element);
  else
    for (const name of Object.keys(value)) {
      fields += 1 + fieldsOf((value as Record<string, unknown>)[name]);
    }
  return fields;
}

/**
 * A body as it was sent, or undefined when it is empty. Stricter than JSON.parse where two readers could understand different
 * things: bytes that are not UTF-8, half characters, a field named twice.
 * @throws Problem MALFORMED_JSON, VALIDATION_FAILED
 */
export function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new Problem('MALFORMED_JSON', 'The body is not UTF-8.');
  const text = bytes.toString('utf8');
  const measured = measure(text);
  if (measured.depth > NESTING_MAX) throw refused(`nests deeper than ${NESTING_MAX}`);
  if (measured.values > VALUES_MAX) throw refused(`holds more than ${VALUES_MAX} values`);
  const body = parse(text);
  if (fieldsOf(body) !== measured.fields) throw new Problem('MALFORMED_JSON', 'The body names a field twice in one object.');
  // Only an escape can make half a surrogate pair out of valid UTF-8; stored, it would come back as another text.
  if (text.includes('\\u') && /\p{Surrogate}/u.test(textsOf(body))) throw refused('holds half of a surrogate pair');
  return body;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem('MALFORMED_JSON', 'The body is not valid JSON.');
  }
}

/** All texts of a body, one after the other, field names included. */
function textsOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([name, inner]) => `${name} ${textsOf(inner)}`)
    .join(' ');
}

const refused = (message: string) => validationFailed([{ in: 'body', field: '', message }]);
