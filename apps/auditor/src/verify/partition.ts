import { SqliteScan } from '@ledger/event-store';
import { Audit, type AuditOptions, type Head } from './audit';
import { Findings } from './finding';
import { type Part, partOf } from './result';

/** The audit of a part of a SQLite store's streams, and how its outcome travels from one thread to another. */

export interface PartitionOptions extends AuditOptions {
  path: string;
  part: number;
  parts: number;
  /** The last position that is audited. */
  until: number;
}

/** Positions that are read in one stretch. */
const STRETCH = 20_000;
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

/** Audits one part. `progress` hears of the positions that were read. */
export function auditPart({ path, part, parts, until, ...options }: PartitionOptions, progress: (positions: number) => void): Audit {
  const audit = new Audit(options);
  const scan = new SqliteScan(path);
  try {
    const read = scan.reader({ part, parts, prefix: ORGANISATIONS, types: POLICY_TYPES });
    const names = new Map<number, string>();
    const event = { stream: '', revision: 0, position: 0, id: '', type: '', data: '', metadata: '' };
    for (let after = 0; after < until; after += STRETCH) {
      for (const [position, stream, revision, id, type, data, metadata] of read(after, Math.min(until, after + STRETCH))) {
        let name = names.get(stream);
        if (name === undefined) names.set(stream, (name = scan.nameOf(stream)));
        if (stream % parts !== part) {
          audit.learn(name.slice(ORGANISATIONS.length), revision, type, data);
          continue;
        }
        event.stream = name;
        event.revision = revision;
        event.position = position;
        event.id = id;
        event.type = type;
        event.data = data ?? '';
        event.metadata = metadata ?? '';
        audit.add(event);
      }
      progress(Math.min(until, after + STRETCH));
    }
    audit.finish();
    return audit;
  } finally {
    scan.close();
  }
}

/** A part's outcome as it is posted: many small objects would be copied one by one, so heads go as three long values. */
export interface PostedPart {
  part: Omit<Part, 'heads' | 'headsThen' | 'findings'> & { findings: Pick<Findings, 'kept' | 'byRule' | 'count'> };
  heads: PostedHeads;
  headsThen: PostedHeads;
  entries: Uint32Array[][];
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
    entries: audit.entries.chunks(),
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
