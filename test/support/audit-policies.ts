import type { EventOf, LimitOverride, MemberStatus, Meter, Period, WindowIds } from '@ledger/wallet';
import type { Auditing } from './audit';
import type { StoredRow } from './stored-rows';

/** What an organisation let one member do, as it stood from one revision of its stream on. */
interface Terms {
  timeZone: string;
  defaults: LimitOverride;
  override: LimitOverride | undefined;
  status: MemberStatus;
  usable: boolean;
}

interface Member {
  status?: MemberStatus;
  suspendedWhenRemoved: boolean;
  override?: LimitOverride;
}

interface Organisation {
  timeZone: string;
  defaults: LimitOverride;
  members: Map<string, Member>;
  /** Allocated by member and window. */
  allocated: Map<string, number>;
  /** Terms of a member by the revision from which they hold; '' is everybody without terms of its own. */
  history: { from: number; userId: string | undefined; timeZone: string; defaults: LimitOverride; member: Member }[];
}

const PERIODS: readonly Period[] = ['daily', 'monthly'];
const NOBODY: Member = { suspendedWhenRemoved: false };

/**
 * Decides again what allocations and draws were decided under: permission, zone and limits are taken from the organisation's
 * own stream at the revision that the event names, the windows from the instant. No fold of the ledger is used.
 */
export class PolicyAudit implements Auditing {
  private readonly organisations = new Map<string, Organisation>();
  private readonly lastSeen = new Map<string, number>();

  add({ stream, revision, event }: StoredRow, fault: (sentence: string) => void): void {
    const id = stream.slice(stream.indexOf('-') + 1);
    if (event.type === 'TokensUsed') this.draw(id, event.data, fault);
    if (!stream.startsWith('organisationWallet-')) return;
    const organisation = this.of(id);
    if (event.type === 'OrganisationWalletOpened' || event.type === 'TimeZoneSet') organisation.timeZone = event.data.timeZone;
    if (event.type === 'TokensAllocated') allocation(organisation, event.data, fault);
    const changed = changedMembers(organisation, event);
    if (event.type === 'LimitSet' && event.data.default) organisation.defaults = event.data.default;
    const { timeZone, defaults, history } = organisation;
    history.push({ from: revision, userId: undefined, timeZone, defaults, member: NOBODY });
    for (const userId of changed)
      history.push({ from: revision, userId, timeZone, defaults, member: { ...organisation.members.get(userId)! } });
  }

  private draw(userId: string, data: EventOf<'TokensUsed'>['data'], fault: (sentence: string) => void): void {
    for (const { organisationId, revision, status, usable, tokens, windows } of data.considered) {
      const name = `${userId} ${organisationId}`;
      if (revision < (this.lastSeen.get(name) ?? -1)) fault(`is decided under an older revision of ${organisationId} than the draw before`);
      this.lastSeen.set(name, revision);
      const terms = termsAt(this.of(organisationId), userId, revision);
      if (status !== terms.status || usable !== terms.usable)
        fault(`takes ${userId} for ${status}, ${usable}; at revision ${revision} it is ${terms.status}, ${terms.usable}`);
      if (!terms.usable && tokens > 0) fault('draws what is suspended');
      const ids = windowsOf(terms.timeZone, data.occurredAt);
      for (const period of PERIODS) {
        const { window, limit, used } = windows[period];
        const wanted = limitOf(terms, 'usage', period);
        if (window !== ids[period]) fault(`counts in ${window}; in ${terms.timeZone} it is ${ids[period]}`);
        if (limit !== wanted) fault(`has the ${period} limit ${limit}; at revision ${revision} of ${organisationId} it is ${wanted}`);
        if (tokens > 0 && wanted !== null && used > wanted) fault(`passes the ${period} limit ${wanted} with ${used}`);
      }
    }
  }

  private of(id: string): Organisation {
    let found = this.organisations.get(id);
    if (!found)
      this.organisations.set(id, (found = { timeZone: 'UTC', defaults: {}, members: new Map(), allocated: new Map(), history: [] }));
    return found;
  }
}

function allocation(organisation: Organisation, data: EventOf<'TokensAllocated'>['data'], fault: (sentence: string) => void): void {
  const ids = windowsOf(organisation.timeZone, data.at);
  for (const [userId, tokens] of data.lines) {
    const member = organisation.members.get(userId) ?? NOBODY;
    if (member.status !== 'permitted') fault(`allocates to ${userId}, who is ${member.status ?? 'nobody'}`);
    for (const period of PERIODS) {
      if (data.windows[period] !== ids[period]) fault(`counts in ${data.windows[period]}; it is ${ids[period]}`);
      const name = `${userId} ${data.windows[period]}`;
      const now = (organisation.allocated.get(name) ?? 0) + tokens;
      organisation.allocated.set(name, now);
      const limit = limitOf({ defaults: organisation.defaults, override: member.override }, 'allocation', period);
      if (limit !== null && now > limit) fault(`passes the allocation limit ${limit} of ${userId} with ${now}`);
    }
  }
}

function changedMembers({ members }: Organisation, event: StoredRow['event']): string[] {
  const member = (userId: string): Member => {
    let found = members.get(userId);
    if (!found) members.set(userId, (found = { suspendedWhenRemoved: false }));
    return found;
  };
  const { type, data } = event;
  switch (type) {
    case 'MemberPermitted':
    case 'MemberResumed':
      for (const userId of data.userIds) Object.assign(member(userId), { status: 'permitted', suspendedWhenRemoved: false });
      return data.userIds;
    case 'MemberSuspended':
      for (const userId of data.userIds) Object.assign(member(userId), { status: 'suspended', suspendedWhenRemoved: false });
      return data.userIds;
    case 'MemberRemoved':
      for (const userId of data.userIds) {
        const found = member(userId);
        if (found.status !== 'removed') found.suspendedWhenRemoved = found.status === 'suspended';
        found.status = 'removed';
      }
      return data.userIds;
    case 'LimitCleared':
      for (const userId of data.userIds) delete member(userId).override;
      return data.userIds;
    case 'LimitSet':
      for (const { userId, limits } of data.overrides ?? []) member(userId).override = limits;
      return (data.overrides ?? []).map(({ userId }) => userId);
    default:
      return [];
  }
}

function termsAt({ history }: Organisation, userId: string, revision: number): Terms {
  let end = history.length;
  while (end > 0 && history[end - 1]!.from > revision) end -= 1;
  const general = history[end - 1];
  let at = end - 1;
  while (at >= 0 && history[at]!.userId !== userId) at -= 1;
  const member = at < 0 ? NOBODY : history[at]!.member;
  return {
    timeZone: general?.timeZone ?? 'UTC',
    defaults: general?.defaults ?? {},
    override: member.override,
    status: member.status ?? 'removed',
    usable: !(member.status === 'suspended' || member.suspendedWhenRemoved),
  };
}

function limitOf({ defaults, override }: Pick<Terms, 'defaults' | 'override'>, meter: Meter, period: Period): number | null {
  const own = override?.[meter]?.[period];
  return own === undefined ? (defaults[meter]?.[period] ?? null) : own;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function windowsOf(timeZone: string, at: string): WindowIds {
  let format = formats.get(timeZone);
  if (!format)
    formats.set(timeZone, (format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })));
  const daily = format.format(new Date(at));
  return { daily, monthly: daily.slice(0, 7) };
}
