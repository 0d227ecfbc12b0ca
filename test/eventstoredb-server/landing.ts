/** One append, with the faults that a test has switched on around its commit. */
import type { AppendOutcome, ExpectedRevision, ProposedEvent } from './appending';
import type { LossName } from './faults';
import type { Caller, Node } from './node';

export interface Proposal {
  stream: string;
  expected: ExpectedRevision;
  events: readonly ProposedEvent[];
}

/** What became of it, or how its answer is lost. */
export type Landing = { outcome: AppendOutcome } | { lost: LossName };

export function land(node: Node, caller: Caller, { stream, expected, events }: Proposal): Landing {
  const { appending, faults } = node.parts;
  const late = faults.late();
  if (late) {
    setTimeout(() => appending.append(stream, expected, events), late.ms);
    return lose(node, caller, late.how);
  }
  const outcome = appending.append(stream, expected, events);
  const how = faults.lost();
  return how ? lose(node, caller, how) : { outcome };
}

function lose(node: Node, caller: Caller, how: LossName): Landing {
  if (how === 'drop') node.cutConnectionOf(caller);
  return { lost: how };
}
