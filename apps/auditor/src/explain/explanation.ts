import { oneLine } from '../cli/shown';
import type { Fact } from './command-group';
import type { DecidedAgain } from './reconstruct';

/** A heading and what stands under it, a sentence or row each. */
export interface Section {
  heading: string;
  lines: string[];
}

/** Facts of a section for a program, under their names. */
export type Facts = Record<string, unknown>;

export interface Explanation {
  wallet: string;
  stream: string;
  revision: number;
  eventId: string;
  type: string;
  at: string;
  actor: string;
  role: string;
  client?: string;
  requestId: string;
  key?: string;
  /** What happened, in one sentence. */
  summary: string;
  sections: Section[];
  facts: Facts;
  decidedAgain?: DecidedAgain;
  checked?: string;
  /** What does not hold, a sentence each. */
  findings: string[];
}

/** What one kind of event contributes. */
export interface Story {
  summary: string;
  sections: Section[];
  facts?: Facts;
  findings?: string[];
  /** What was done instead, where there is no command to decide again. */
  checked?: string;
}

export function explanationOf(wallet: string, fact: Fact, story: Story, decidedAgain: DecidedAgain | undefined): Explanation {
  const { stored, event, metadata } = fact;
  const { actor = '', role = '', requestId = '', client, key } = metadata;
  const differing = decidedAgain && !decidedAgain.same ? decidedAgain.differences : [];
  return {
    wallet,
    stream: stored.stream,
    revision: stored.revision,
    eventId: stored.id,
    type: stored.type,
    at: event.data.at,
    actor,
    role,
    ...(client !== undefined && { client }),
    requestId,
    ...(key !== undefined && { key }),
    summary: story.summary,
    sections: story.sections,
    facts: story.facts ?? {},
    ...(decidedAgain ? { decidedAgain } : story.checked !== undefined && { checked: story.checked }),
    findings: [...(story.findings ?? []), ...differing],
  };
}

/** The explanation as a person reads it. */
export function printed(explanation: Explanation): string {
  const { summary, stream, revision, type, at, actor, role, client, requestId, key, eventId, sections, findings } = explanation;
  const through = client === undefined ? '' : ` through ${client}`;
  const lines = [
    summary,
    '',
    `  Event ${revision} of ${stream}: ${type}, at ${at}, id ${eventId}.`,
    `  Asked by ${actor} (${role})${through}, request ${requestId}${key === undefined ? '' : `, idempotency key ${key}`}.`,
  ];
  for (const { heading, lines: body } of sections) lines.push('', heading, ...body.map((line) => `  ${line}`));
  lines.push('', verdict(explanation));
  if (findings.length > 0) lines.push('', 'What does not hold:', ...findings.map((finding) => `  - ${finding}.`));
  return lines.map(oneLine).join('\n');
}

function verdict({ decidedAgain, checked, findings }: Explanation): string {
  if (decidedAgain === undefined) {
    if (checked !== undefined) return `${checked}: ${findings.length === 0 ? 'it agrees' : 'IT DOES NOT AGREE'}.`;
    return findings.length === 0 ? 'There is nothing to decide again here: the event says what was set.' : 'It does not hold.';
  }
  const assumed = decidedAgain.assumed === undefined ? '' : ` (${decidedAgain.assumed})`;
  return decidedAgain.same
    ? `Decided again on the state and the terms of then${assumed}: the same outcome, to the letter.`
    : `Decided again on the state and the terms of then${assumed}: ANOTHER OUTCOME.`;
}
