import type { DefaultLimits, LimitOverride, MemberStatus, Meter, OrganisationEvent, Period } from '@ledger/wallet';
import { UNLIMITED } from '@ledger/wallet';

/**
 * What every organisation allowed, at every revision of its stream: a draw is judged by the revision that it recorded, which may be
 * older than the last. Grows with the changes of policies, not with usages.
 */

/** A value that holds from a revision on. */
export interface Since<Value> {
  revision: number;
  value: Value;
}

export interface MemberTerms {
  status: MemberStatus;
  suspendedWhenRemoved: boolean;
  override: LimitOverride | undefined;
}

/** What a member may, as one revision of the organisation has it. */
export interface Terms {
  timeZone: string;
  defaults: DefaultLimits;
  member: MemberTerms | undefined;
}

export interface KeptPolicy {
  revision: number;
  zones: Since<string>[];
  defaults: Since<DefaultLimits>[];
  members: Map<string, Since<MemberTerms>[]>;
}

export class OrganisationPolicy {
  /** The last revision of the stream that was read. */
  revision = -1;
  private readonly zones: Since<string>[] = [];
  private readonly defaults: Since<DefaultLimits>[] = [];
  private readonly members = new Map<string, Since<MemberTerms>[]>();

  /** The members that the event is about come as `members`: what they were before it, undefined for the unknown. */
  add(event: OrganisationEvent, revision: number): void {
    this.revision = revision;
    switch (event.type) {
      case 'OrganisationWalletOpened':
      case 'TimeZoneSet':
        this.zones.push({ revision, value: event.data.timeZone });
        return;
      case 'MemberPermitted':
      case 'MemberResumed':
        return this.setStatus(event.data.userIds, 'permitted', revision);
      case 'MemberSuspended':
        return this.setStatus(event.data.userIds, 'suspended', revision);
      case 'MemberRemoved':
        return this.setStatus(event.data.userIds, 'removed', revision);
      case 'LimitSet':
        if (event.data.default) this.defaults.push({ revision, value: event.data.default });
        for (const { userId, limits } of event.data.overrides ?? []) this.set(userId, revision, { override: limits });
        return;
      case 'LimitCleared':
        for (const userId of event.data.userIds) this.set(userId, revision, { override: undefined });
        return;
      default:
        return;
    }
  }

  /** The member as it is now. */
  member(userId: string): MemberTerms | undefined {
    return this.members.get(userId)?.at(-1)?.value;
  }

  /** As of a revision; undefined when the organisation was not there. */
  at(userId: string, revision: number): Terms | undefined {
    const timeZone = latest(this.zones, revision);
    if (timeZone === undefined) return undefined;
    const member = this.members.get(userId);
    return { timeZone, defaults: latest(this.defaults, revision) ?? UNLIMITED, member: member && latest(member, revision) };
  }

  /** Whether the limit had this value at the revision or later. */
  everLimited(userId: string, period: Period, limit: number, fromRevision: number): boolean {
    const revisions = new Set([fromRevision, this.revision]);
    for (const { revision } of [...this.defaults, ...(this.members.get(userId) ?? [])])
      if (revision > fromRevision) revisions.add(revision);
    return [...revisions].some((revision) => {
      const terms = this.at(userId, revision);
      return terms !== undefined && limitOf(terms, 'usage', period) === limit;
    });
  }

  /** All of it, for a later audit. */
  kept(): KeptPolicy {
    return { revision: this.revision, zones: this.zones, defaults: this.defaults, members: this.members };
  }

  /** Takes over what an earlier audit knew; nothing may have been added yet. */
  restore({ revision, zones, defaults, members }: KeptPolicy): void {
    this.revision = revision;
    this.zones.push(...zones);
    this.defaults.push(...defaults);
    for (const [userId, terms] of members) this.members.set(userId, terms);
  }

  private setStatus(userIds: readonly string[], status: MemberStatus, revision: number): void {
    for (const userId of userIds) {
      const before = this.member(userId);
      let suspendedWhenRemoved = false;
      if (status === 'removed' && before)
        suspendedWhenRemoved = before.status === 'removed' ? before.suspendedWhenRemoved : before.status === 'suspended';
      this.set(userId, revision, { status, suspendedWhenRemoved });
    }
  }

  private set(userId: string, revision: number, change: Partial<MemberTerms>): void {
    let terms = this.members.get(userId);
    if (!terms) this.members.set(userId, (terms = []));
    const before = terms.at(-1)?.value ?? { status: 'permitted', suspendedWhenRemoved: false, override: undefined };
    terms.push({ revision, value: { ...before, ...change } });
  }
}

/** Of a member whom the organisation does not know: nothing may be received, what was received may be used. */
export const statusOf = ({ member }: Terms): MemberStatus => member?.status ?? 'removed';
export const usableOf = ({ member }: Terms): boolean => !(member?.status === 'suspended' || member?.suspendedWhenRemoved);

export function limitOf({ defaults, member }: Terms, meter: Meter, period: Period): number | null {
  const own = member?.override?.[meter]?.[period];
  return own === undefined ? defaults[meter][period] : own;
}

/** The value that held at a revision. Most are asked for near the end. */
function latest<Value>(values: readonly Since<Value>[], revision: number): Value | undefined {
  let end = values.length;
  if (end > 0 && values[end - 1]!.revision <= revision) return values[end - 1]!.value;
  let begin = 0;
  while (begin < end) {
    const middle = (begin + end) >>> 1;
    if (values[middle]!.revision <= revision) begin = middle + 1;
    else end = middle;
  }
  return begin === 0 ? undefined : values[begin - 1]!.value;
}
