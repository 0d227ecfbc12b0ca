import type { Audit } from './audit';
import type { Head } from './audited';
import type { Handed } from './entries';
import { Findings } from './finding';
import { type Part, partOf } from './result';

/** How the outcome of a part travels from one thread to another. */

/** A part's outcome as it is posted: many small objects would be copied one by one, so heads go as three long values. */
export interface PostedPart {
  part: Omit<Part, 'heads' | 'headsThen' | 'findings' | 'states'> & { findings: Pick<Findings, 'kept' | 'byRule' | 'count'> };
  heads: PostedHeads;
  headsThen: PostedHeads;
  states: Uint8Array<ArrayBuffer>[] | undefined;
  entries: Handed;
}

interface PostedHeads {
  streams: string;
  revisions: Float64Array;
  hashes: string;
}

export function posted(audit: Audit, stateWanted: boolean): PostedPart {
  const { heads, headsThen, findings, states, ...part } = partOf(audit, stateWanted);
  const { kept, byRule, count } = findings;
  return {
    part: { ...part, findings: { kept, byRule, count } },
    heads: packed(heads),
    headsThen: packed(headsThen),
    states: states && [...states],
    entries: audit.entries.handOver(),
  };
}

/** What of it is handed over, not copied. */
export const transferred = ({ states = [], entries }: PostedPart): ArrayBuffer[] => [
  ...states.map(({ buffer }) => buffer),
  ...entries.chunks.flat().map((chunk) => chunk.buffer as ArrayBuffer),
];

export function received({ part, heads, headsThen, states }: PostedPart): Part {
  const findings = new Findings();
  findings.merge(part.findings);
  return { ...part, findings, heads: unpacked(heads), headsThen: unpacked(headsThen), states };
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
