import type { SqliteScan } from '@ledger/event-store';
import type { Audit } from './audit';
import type { State } from './audited';

/** The tables of a SQLite file that lead to its events. */

/** A stream of the file, as far as it was read. */
export interface Read {
  name: string;
  revision: number;
  position: number;
  /** What the audit knows of it. */
  state: State | undefined;
}

/** A stream that is met for the first time; an earlier audit, which this one goes on from, may have met it. */
export function firstMet(name: string, audit: Audit, goesOn: boolean): Read {
  const state = goesOn ? audit.stateNamed(name) : undefined;
  return { name, revision: state?.link.revision ?? -1, position: state?.position ?? 0, state };
}

/** What shows in the tables alone. Readers of all events begin before the first position that the store gives, the audit at it. */
export function checkTables(scan: SqliteScan, audit: Audit): void {
  for (const stream of scan.repeatedNames())
    audit.findings.of({ stream, revision: -1, id: '' })('index', 'the name of the stream', 'there once', 'there again');
  const early = scan.countUpTo(BEFORE_FIRST);
  if (early > 0) audit.findings.of({ stream: 'the store', revision: -1, id: '' })('index', 'the events before position 1', 0, early);
}

const BEFORE_FIRST = 0;

/** Whoever reads or writes a stream enters it at its head: were that moved back, events would be there and nobody would see them. */
export function checkHeads(
  scan: SqliteScan,
  { part, parts, until }: { part: number; parts: number; until: number },
  streams: ReadonlyMap<number, Read>,
  audit: Audit,
  goesOn: boolean,
): void {
  const said = new Map<number, Pick<Read, 'revision' | 'position'>>();
  for (const [number, revision, position] of scan.heads({ part, parts })) said.set(number, { revision, position });
  const wrong = ({ name, revision, position }: Read, head: unknown): void =>
    audit.findings.of({ stream: name, revision: -1, id: '' })('index', 'the head of the stream', { revision, position }, head);
  const named = new Set<string>();
  for (const number of new Set([...streams.keys(), ...said.keys()])) {
    if (number % parts !== part) continue;
    const stream = streams.get(number) ?? firstMet(scan.nameOf(number), audit, goesOn);
    named.add(stream.name);
    const head = said.get(number);
    // It has grown while it was read; or the head leads to nowhere, and would be believed for ever.
    if (head && head.position > until && scan.hasEnd([number, head.revision, head.position])) continue;
    if (head?.revision !== stream.revision || head.position !== stream.position) wrong(stream, head);
  }
  if (!goesOn) return;
  // Nothing leads to these any more, not even an event that was read now.
  for (const [name] of audit.streams()) if (!named.has(name)) wrong(firstMet(name, audit, goesOn), undefined);
}
