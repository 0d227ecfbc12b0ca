import type { Audit } from './audit';
import type { EarlierEntries, EntryLog } from './entries';
import type { Seed } from './fingerprint';
import { lineOf } from './kept-states';
import type { AuditResult, Part } from './result';

/** What a clean audit leaves for the next one, which then needs to read only what came after it. */

/** Of the whole store. Tokens are decimal digits. */
export interface Summary {
  mark: string;
  /** Of the last event. */
  position: number;
  events: number;
  /** Entries can be compared only where their fingerprints began alike. */
  seed: Seed;
  flows: Record<FlowName, string>;
  /** By organisation. */
  inTransit: [organisationId: string, tokens: number][];
  unknownPriceTables: string[];
}

export const FLOWS = ['purchased', 'granted', 'usage', 'bills', 'lapsed'] as const;
type FlowName = (typeof FLOWS)[number];

export interface Kept {
  summary: Summary;
  /** Lines of streams, each with its end, many at once. */
  states: Iterable<Uint8Array>;
  entries: EarlierEntries;
}

/** The same, read again. */
export interface Earlier {
  summary: Summary;
  /** A line of each stream, without its end. They must be read before the entries. */
  states(): Iterable<string>;
  entries: EarlierEntries;
}

/** Characters that are made bytes at once. */
const CHUNK = 256 * 1024;

/** The lines of all streams of an audit. Each chunk has its memory to itself, so that a thread can hand it over. */
export function* statesOf(audit: Audit): Generator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  let text = '';
  for (const [stream, state] of audit.streams()) {
    text += `${lineOf(stream, state)}\n`;
    if (text.length < CHUNK) continue;
    yield encoder.encode(text);
    text = '';
  }
  if (text !== '') yield encoder.encode(text);
}

export function keptOf(result: AuditResult, parts: readonly Part[], entries: EntryLog): Kept {
  const { mark = '', position, events, totals, inTransit, unknownPriceTables } = result;
  const flows = Object.fromEntries(FLOWS.map((name) => [name, String(totals[name])])) as Record<FlowName, string>;
  const { seed } = entries;
  const summary = { mark, position: Number(position), events, seed, flows, inTransit: [...inTransit], unknownPriceTables };
  return { summary, states: everyOne(parts), entries };
}

function* everyOne(parts: readonly Part[]): Generator<Uint8Array> {
  for (const { states } of parts) yield* states ?? [];
}
