import { SqliteScan } from '@ledger/event-store';
import { Audit } from './audit';
import type { AuditOptions, Head, State } from './audited';
import type { Handed } from './entries';
import { Findings } from './finding';
import { PageRow, ROOM } from './page-row';
import { type Part, partOf } from './result';

/** The audit of a part of a SQLite store's streams, and how its outcome travels from one thread to another. */

export interface PartitionOptions extends AuditOptions {
  path: string;
  part: number;
  parts: number;
  /** The last position that is audited. */
  until: number;
}

/** Positions that are read in one stretch: of longer ones more is still held when the memory is cleaned. */
const STRETCH = 100;
/** Positions between two words about the progress. */
const HEARD_EVERY = 20_000;
const ORGANISATIONS = 'organisationWallet-';
/** What changes who may what; draws of users in every part are judged by it. */
const POLICY_TYPES = [
  'OrganisationWalletOpened',
  'TimeZoneSet',
  'MemberPermitted',
  'MemberResumed',
  'MemberSuspended',
  'MemberRemoved',
  'LimitSet',
  'LimitCleared',
];

/** A stream of the file, as far as it was read. */
interface Read {
  name: string;
  revision: number;
  position: number;
  /** What the audit knows of it. */
  state: State | undefined;
}

/** Audits one part. `progress` hears of the positions that were read. */
export function auditPart({ path, part, parts, until, ...options }: PartitionOptions, progress: (positions: number) => void): Audit {
  const audit = new Audit(options);
  const scan = new SqliteScan(path);
  try {
    const read = scan.pages({ part, parts, prefix: ORGANISATIONS, types: POLICY_TYPES }, ROOM);
    const streams = new Map<number, Read>();
    const row = new PageRow();
    for (let after = 0; after < until; after += STRETCH) {
      const page = read(after, Math.min(until, after + STRETCH));
      row.open(page);
      while (page.next()) {
        const { position, stream: number, revision, previous } = page;
        let stream = streams.get(number);
        if (!stream) streams.set(number, (stream = { name: scan.nameOf(number), revision: -1, position: 0, state: undefined }));
        if (number % parts !== part) {
          audit.learn(stream.name.slice(ORGANISATIONS.length), revision, page.type, page.data);
          continue;
        }
        row.stream = stream.name;
        if (previous !== stream.position) audit.findings.of(row)('index', 'the link to the event before it', stream.position, previous);
        stream.revision = revision;
        stream.position = position;
        audit.addRow(row, stream.state);
        stream.state ??= audit.stateNamed(stream.name);
      }
      if (after % HEARD_EVERY === 0) progress(Math.min(until, after + STRETCH));
    }
    progress(until);
    checkHeads(scan, { part, parts, until }, streams, audit);
    audit.finish();
    return audit;
  } catch (error) {
    audit.entries.close();
    throw error;
  } finally {
    scan.close();
  }
}

/** Whoever reads or writes a stream enters it at its head: were that moved back, events would be there and nobody would see them. */
function checkHeads(
  scan: SqliteScan,
  { part, parts, until }: Pick<PartitionOptions, 'part' | 'parts' | 'until'>,
  streams: ReadonlyMap<number, Read>,
  audit: Audit,
): void {
  const said = new Map<number, Pick<Read, 'revision' | 'position'>>();
  for (const [number, revision, position] of scan.heads({ part, parts })) said.set(number, { revision, position });
  for (const number of new Set([...streams.keys(), ...said.keys()])) {
    if (number % parts !== part) continue;
    const head = said.get(number);
    // It has grown while it was read.
    if (head && head.position > until) continue;
    const { name, revision, position } = streams.get(number) ?? { name: scan.nameOf(number), revision: -1, position: 0 };
    if (head?.revision === revision && head.position === position) continue;
    audit.findings.of({ stream: name, revision: -1, id: '' })('index', 'the head of the stream', { revision, position }, head);
  }
}

/** A part's outcome as it is posted: many small objects would be copied one by one, so heads go as three long values. */
export interface PostedPart {
  part: Omit<Part, 'heads' | 'headsThen' | 'findings'> & { findings: Pick<Findings, 'kept' | 'byRule' | 'count'> };
  heads: PostedHeads;
  headsThen: PostedHeads;
  entries: Handed;
}

interface PostedHeads {
  streams: string;
  revisions: Float64Array;
  hashes: string;
}

export function posted(audit: Audit): PostedPart {
  const { heads, headsThen, findings, ...part } = partOf(audit);
  const { kept, byRule, count } = findings;
  return {
    part: { ...part, findings: { kept, byRule, count } },
    heads: packed(heads),
    headsThen: packed(headsThen),
    entries: audit.entries.handOver(),
  };
}

export function received({ part, heads, headsThen }: PostedPart): Part {
  const findings = new Findings();
  findings.merge(part.findings);
  return { ...part, findings, heads: unpacked(heads), headsThen: unpacked(headsThen) };
}

const packed = (heads: readonly Head[]): PostedHeads => ({
  streams: heads.map(({ stream }) => stream).join('\n'),
  revisions: Float64Array.from(heads, ({ revision }) => revision),
  hashes: heads.map(({ hash }) => hash).join('\n'),
});

function unpacked({ streams, revisions, hashes }: PostedHeads): Head[] {
  if (revisions.length === 0) return [];
  const each = hashes.split('\n');
  return streams.split('\n').map((stream, index) => ({ stream, revision: revisions[index]!, hash: each[index] ?? '' }));
}
