import { isoInstant } from './calendar';
import type { ClearMemberLimits, MemberLine, RemoveMember, SetDefaultLimits, SetMember, SetMemberLimits, SetMembers } from './commands';
import { type Decision, type Given, Missing } from './decision';
import type { BatchResult, LimitOverride, OrganisationEvent } from './events';
import { changedDefaults, METERS, overrideOf, PERIODS, sameOverride } from './limits';
import { type Member, mustExist, type OrganisationWallet } from './organisation-wallet';
import { Refusal } from './refusal';

/** Who may receive from an organisation, and how much each may draw and be given (design section 2, Permission and Limits). */

/** Events that name many members stay below the store's append limit by parts of this size. */
export const PART_LINES_MAX = 1_000;
/** A refusal names this many failing lines, and counts them all. */
export const FAILING_LINES_MAX = 100;
/**
 * A user is a member of this many organisations at most. It bounds sums, not money, and has room to spare: the figure is
 * this instance's read model's, so two organisations that permit a user at one moment may both pass.
 */
export const ORGANISATIONS_MAX = 1_000;

export const setMember: Decision<OrganisationWallet, SetMember> = (wallet, { userId, status, envelope }, given) => {
  mustExist(wallet);
  if (wallet.members.get(userId)?.status === status && envelope.key === undefined) return [];
  const unknown = unknownMemberships(wallet, [userId], given);
  if (unknown) return unknown;
  refuseCrowded(wallet, [userId], given);
  return [{ type: statusEvent(wallet.members.get(userId), status), data: { at: isoInstant(given.at), userIds: [userId] } }];
};

export const removeMember: Decision<OrganisationWallet, RemoveMember> = (wallet, { userId, envelope }, given) => {
  mustExist(wallet);
  const member = knownMember(wallet, userId);
  if (member.status === 'removed' && envelope.key === undefined) return [];
  return [{ type: 'MemberRemoved', data: { at: isoInstant(given.at), userIds: [userId] } }];
};

/** Up to 10,000 members at once, all or nothing. Lines that change nothing are recorded too: the key must find its result. */
export const setMembers: Decision<OrganisationWallet, SetMembers> = (wallet, { members: lines }, given) => {
  mustExist(wallet);
  refuseDuplicates(lines);
  const userIds = lines.map(({ userId }) => userId);
  const unknown = unknownMemberships(wallet, userIds, given);
  if (unknown) return unknown;
  refuseCrowded(wallet, userIds, given);
  const at = isoInstant(given.at);
  const batch: BatchResult = { members: lines.length, changed: lines.filter((line) => changes(wallet, line)).length };
  const statuses = (['MemberPermitted', 'MemberSuspended', 'MemberResumed'] as const).flatMap((type) => {
    const changed = lines.filter((line) => statusEvent(wallet.members.get(line.userId), line.status) === type);
    return inParts(changed).map((part): OrganisationEvent => ({ type, data: { at, userIds: part.map((line) => line.userId), batch } }));
  });
  const set = lines.flatMap(({ userId, limits }) => (limits ? [{ userId, limits: overrideOf(limits) }] : []));
  const cleared = lines.flatMap(({ userId, limits }) => (limits === null ? [userId] : []));
  return [
    ...statuses,
    ...inParts(set).map((overrides): OrganisationEvent => ({ type: 'LimitSet', data: { at, overrides, batch } })),
    ...inParts(cleared).map((userIds): OrganisationEvent => ({ type: 'LimitCleared', data: { at, userIds, batch } })),
  ];
};

export const setDefaultLimits: Decision<OrganisationWallet, SetDefaultLimits> = (wallet, command, given) => {
  mustExist(wallet);
  const changed = changedDefaults(wallet.defaults, command);
  const same = METERS.every((meter) => PERIODS.every((period) => changed[meter][period] === wallet.defaults[meter][period]));
  if (same && command.envelope.key === undefined) return [];
  return [{ type: 'LimitSet', data: { at: isoInstant(given.at), default: changed } }];
};

/** Limits bind removed members too: what was allocated to them may still be usable. */
export const setMemberLimits: Decision<OrganisationWallet, SetMemberLimits> = (wallet, command, given) => {
  mustExist(wallet);
  const { userId, envelope } = command;
  const override: LimitOverride = overrideOf(command);
  const member = knownMember(wallet, userId);
  if (member.override && sameOverride(member.override, override) && envelope.key === undefined) return [];
  return [{ type: 'LimitSet', data: { at: isoInstant(given.at), overrides: [{ userId, limits: override }] } }];
};

export const clearMemberLimits: Decision<OrganisationWallet, ClearMemberLimits> = (wallet, { userId, envelope }, given) => {
  mustExist(wallet);
  const member = knownMember(wallet, userId);
  if (!member.override && envelope.key === undefined) return [];
  return [{ type: 'LimitCleared', data: { at: isoInstant(given.at), userIds: [userId] } }];
};

/** Splits lines into parts that one event can name. */
export function inParts<Line>(lines: readonly Line[]): Line[][] {
  const parts: Line[][] = [];
  for (let from = 0; from < lines.length; from += PART_LINES_MAX) parts.push(lines.slice(from, from + PART_LINES_MAX));
  return parts;
}

/** Indexes of the lines whose user was named by an earlier line. */
export function repeatedLines(lines: readonly { userId: string }[]): Set<number> {
  const seen = new Set<string>();
  const repeated = new Set<number>();
  lines.forEach(({ userId }, index) => {
    if (seen.has(userId)) repeated.add(index);
    seen.add(userId);
  });
  return repeated;
}

function refuseDuplicates(lines: readonly MemberLine[]): void {
  const repeated = [...repeatedLines(lines)];
  if (repeated.length === 0) return;
  const failing = repeated.slice(0, FAILING_LINES_MAX).map((index) => ({ index, userId: lines[index]?.userId, code: 'DUPLICATE_MEMBER' }));
  const detail = `${repeated.length} lines name a member that an earlier line names; give each member one line.`;
  throw new Refusal('DUPLICATE_MEMBER', detail, { failedLines: repeated.length, lines: failing });
}

function unknownMemberships({ members }: OrganisationWallet, userIds: readonly string[], given: Given): Missing | undefined {
  const memberships = userIds.filter((userId) => !members.has(userId) && !given.memberships.has(userId));
  return memberships.length > 0 ? new Missing({ memberships }) : undefined;
}

function refuseCrowded({ members }: OrganisationWallet, userIds: readonly string[], given: Given): void {
  const crowded = userIds.flatMap((userId, index) =>
    !members.has(userId) && (given.memberships.get(userId) ?? 0) >= ORGANISATIONS_MAX
      ? [{ index, userId, code: 'TOO_MANY_ORGANISATIONS' }]
      : [],
  );
  if (crowded.length === 0) return;
  const detail = `${crowded[0]?.userId} is a member of ${ORGANISATIONS_MAX} organisations already, which is the most there can be.`;
  const facts = { failedLines: crowded.length, lines: crowded.slice(0, FAILING_LINES_MAX), maximum: ORGANISATIONS_MAX };
  throw new Refusal('TOO_MANY_ORGANISATIONS', detail, facts);
}

/** The same values again are recorded as the event that would have set them. */
function statusEvent(member: Member | undefined, status: 'permitted' | 'suspended') {
  if (status === 'suspended') return 'MemberSuspended';
  return member?.status === 'suspended' ? 'MemberResumed' : 'MemberPermitted';
}

function changes(wallet: OrganisationWallet, { userId, status, limits }: MemberLine): boolean {
  const member = wallet.members.get(userId);
  if (member?.status !== status) return true;
  if (limits === undefined) return false;
  return limits === null ? member.override !== undefined : !member.override || !sameOverride(member.override, overrideOf(limits));
}

function knownMember({ organisationId, members }: OrganisationWallet, userId: string): Member {
  const member = members.get(userId);
  if (member) return member;
  const detail = `${userId} was never a member of ${organisationId}; permit the member first.`;
  throw new Refusal('MEMBER_NOT_FOUND', detail, { organisationId, userId });
}
