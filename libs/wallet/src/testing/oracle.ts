import type { Charge, DefaultLimits, LimitOverride, MemberStatus, Meter, Period, Source, WalletEvent, WindowId } from '../events';

/**
 * The rules of design section 2 a second time: slow and simple. Everything is counted again from the events of the streams, day and
 * month come from Intl, and nothing here is shared with the code under test but the shapes of events.
 */

const HOUR_MS = 3_600_000;
const PERIODS: readonly Period[] = ['daily', 'monthly'];
const NO_LIMITS: DefaultLimits = { usage: { daily: null, monthly: null }, allocation: { daily: null, monthly: null } };

const dateFormats = new Map<string, Intl.DateTimeFormat>();
function windowOf(zone: string, at: number): Record<Period, WindowId> {
  let format = dateFormats.get(zone);
  format ??= new Intl.DateTimeFormat('en-US', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' });
  dateFormats.set(zone, format);
  // Month, day and year, as this locale writes them.
  const [month, day, year] = format.format(at).split('/');
  return { daily: `${year}-${month}-${day}`, monthly: `${year}-${month}` };
}

/** An organisation as its events tell it. */
export function organisationOf(events: readonly WalletEvent[]) {
  let zone: string | undefined;
  let available = 0;
  let defaults = NO_LIMITS;
  const status = new Map<string, MemberStatus>();
  const heldBack = new Set<string>();
  const overrides = new Map<string, LimitOverride>();
  const moved: { userId: string; tokens: number; windows: Record<Period, WindowId> }[] = [];
  for (const { type, data } of events) {
    if (type === 'OrganisationWalletOpened' || type === 'TimeZoneSet') zone = data.timeZone;
    if (type === 'TokensPurchased') available += data.tokens - data.owedPaid;
    if (type === 'BillCharged' || type === 'StorageAccrued') available -= data.chargedTokens;
    if (type === 'MemberPermitted' || type === 'MemberResumed') {
      for (const userId of data.userIds) status.set(userId, 'permitted');
      for (const userId of data.userIds) heldBack.delete(userId);
    }
    if (type === 'MemberSuspended') for (const userId of data.userIds) status.set(userId, 'suspended');
    if (type === 'MemberSuspended') for (const userId of data.userIds) heldBack.add(userId);
    if (type === 'MemberRemoved') for (const userId of data.userIds) status.set(userId, 'removed');
    if (type === 'LimitSet') defaults = data.default ?? defaults;
    if (type === 'LimitSet') for (const { userId, limits } of data.overrides ?? []) overrides.set(userId, limits);
    if (type === 'LimitCleared') for (const userId of data.userIds) overrides.delete(userId);
    if (type === 'TokensAllocated') {
      available -= data.tokens;
      for (const [userId, tokens] of data.lines) moved.push({ userId, tokens, windows: data.windows });
    }
  }
  const limit = (userId: string, meter: Meter, period: Period): number | null => {
    const own = overrides.get(userId)?.[meter]?.[period];
    return own === undefined ? defaults[meter][period] : own;
  };
  const movedIn = (userId: string, period: Period, window: WindowId): number =>
    moved.reduce((sum, line) => (line.userId === userId && line.windows[period] === window ? sum + line.tokens : sum), 0);
  return {
    opened: zone !== undefined,
    zone: zone ?? 'UTC',
    available,
    status,
    usable: (userId: string) => !heldBack.has(userId),
    limit,
    movedIn,
  };
}

/** What an allocation must come to: undefined when it is accepted. */
export function allocationVerdict(
  events: readonly WalletEvent[],
  lines: readonly { userId: string; tokens: number }[],
  at: number,
): string | undefined {
  const organisation = organisationOf(events);
  if (!organisation.opened) return 'ORGANISATION_NOT_FOUND';
  const windows = windowOf(organisation.zone, at);
  const fails = lines.some(({ userId, tokens }, index) => {
    if (organisation.status.get(userId) !== 'permitted') return true;
    if (lines.findIndex((line) => line.userId === userId) !== index) return true;
    return PERIODS.some((period) => {
      const limit = organisation.limit(userId, 'allocation', period);
      return limit !== null && organisation.movedIn(userId, period, windows[period]) + tokens > limit;
    });
  });
  if (fails) return 'ALLOCATION_REFUSED';
  return lines.reduce((sum, { tokens }) => sum + tokens, 0) > organisation.available ? 'INSUFFICIENT_TOKENS' : undefined;
}

export interface DrawAsked {
  tokens: number;
  organisationId?: string;
  sources?: readonly Source[];
  occurredAt?: number;
}

export interface DrawGiven {
  user: readonly WalletEvent[];
  organisations: ReadonlyMap<string, readonly WalletEvent[]>;
  userId: string;
  at: number;
  platformTimeZone: string;
  freeTokensPerMonth: number;
}

/** A user's buckets as the events tell them, with the free tokens of the month of `at`. */
export function bucketsOf(
  events: readonly WalletEvent[],
  { at, platformTimeZone, freeTokensPerMonth }: Omit<DrawGiven, 'user' | 'organisations' | 'userId'>,
) {
  let figure = freeTokensPerMonth;
  let free = 0;
  let month = '';
  let purchased = 0;
  const allocated = new Map<string, number>();
  const move = (charges: readonly Charge[], sign: number) => {
    for (const { source, organisationId = '', tokens } of charges) {
      if (source === 'free') free += sign * tokens;
      if (source === 'purchased') purchased += sign * tokens;
      if (source === 'allocated') allocated.set(organisationId, (allocated.get(organisationId) ?? 0) + sign * tokens);
    }
  };
  for (const { type, data } of events) {
    if (type === 'UserWalletOpened') figure = data.freeTokensPerMonth;
    if (type === 'FreeAllowanceGranted') [free, month] = [data.tokens, data.month];
    if (type === 'FreeAllowanceSet') [free, month, figure] = [free + data.added, data.month, data.tokensPerMonth];
    if (type === 'TokensPurchased') purchased += data.tokens - data.owedPaid;
    if (type === 'AllocationReceived') allocated.set(data.organisationId, (allocated.get(data.organisationId) ?? 0) + data.tokens);
    if (type === 'TokensUsed' || type === 'BillCharged' || type === 'StorageAccrued') move(data.charged, -1);
    if (type === 'UsageReversed') move(data.returned, 1);
  }
  const thisMonth = windowOf(platformTimeZone, at).monthly;
  return { free: thisMonth > month ? figure : free, purchased, allocated };
}

/** What a user drew from an organisation in a window, reversed usages left out. */
export function usedIn(events: readonly WalletEvent[], organisationId: string, period: Period, window: WindowId): number {
  const reversed = new Set(events.flatMap(({ type, data }) => (type === 'UsageReversed' ? [data.usageId] : [])));
  let used = 0;
  for (const { type, data } of events) {
    if (type !== 'TokensUsed' || reversed.has(data.usageId)) continue;
    const counted = data.considered.find((one) => one.organisationId === organisationId)?.windows[period].window;
    const tokens = data.charged.find((charge) => charge.organisationId === organisationId)?.tokens ?? 0;
    if (counted === window) used += tokens;
  }
  return used;
}

export interface DrawVerdict {
  code?: string;
  charged?: Charge[];
  /** LimitReached that must be recorded with it, as `organisation|window|limit`. */
  reached: string[];
}

export function drawVerdict(asked: DrawAsked, given: DrawGiven): DrawVerdict {
  const { user, organisations, userId, at } = given;
  const { tokens, organisationId: named, sources = ['free', 'allocated', 'purchased'] } = asked;
  const occurredAt = asked.occurredAt ?? at;
  const no = (code: string): DrawVerdict => ({ code, reached: [] });
  if (named !== undefined && !organisationOf(organisations.get(named) ?? []).opened) return no('ORGANISATION_NOT_FOUND');
  if (occurredAt - at > 60_000) return no('VALIDATION_FAILED');
  if (at - occurredAt > 72 * HOUR_MS) return no('TOO_OLD');

  const buckets = bucketsOf(user, given);
  const known = new Set(
    user.flatMap(({ type, data }) => (type === 'LimitReached' ? [`${data.organisationId}|${data.window}|${data.limit}`] : [])),
  );
  const draw = (lifted: boolean, resumed: boolean) => {
    const charged: Charge[] = [];
    const blocking: string[] = [];
    const exhausted: string[] = [];
    let open = tokens;
    const take = (source: Source, most: number, organisationId?: string) => {
      const taken = Math.min(open, most);
      if (taken > 0) charged.push(organisationId ? { source, organisationId, tokens: taken } : { source, tokens: taken });
      open -= taken;
      return taken;
    };
    if (sources.includes('free')) take('free', buckets.free);
    for (const [organisationId, held] of sources.includes('allocated') ? buckets.allocated : []) {
      const organisation = organisationOf(organisations.get(organisationId) ?? []);
      if (open === 0 || (named !== undefined && named !== organisationId)) continue;
      if (!resumed && !organisation.usable(userId)) continue;
      const windows = windowOf(organisation.zone, occurredAt);
      const rooms = PERIODS.map((period) => {
        const limit = lifted ? null : organisation.limit(userId, 'usage', period);
        const used = usedIn(user, organisationId, period, windows[period]);
        return {
          limit,
          name: `${organisationId}|${windows[period]}|${limit}`,
          room: limit === null ? Infinity : Math.max(0, limit - used),
        };
      });
      for (const { name, room } of rooms) if (room < Math.min(open, held)) blocking.push(name);
      const taken = take('allocated', Math.min(held, ...rooms.map(({ room }) => room)), organisationId);
      for (const { name, room } of rooms) if (taken > 0 && room === taken) exhausted.push(name);
    }
    if (sources.includes('purchased')) take('purchased', buckets.purchased);
    return { charged, open, blocking, exhausted };
  };
  if (named !== undefined && sources.includes('allocated') && !organisationOf(organisations.get(named) ?? []).usable(userId)) {
    return no('MEMBER_SUSPENDED');
  }
  const drawn = draw(false, false);
  const fresh = (names: string[]) => names.filter((name) => !known.has(name));
  if (drawn.open === 0) return { charged: drawn.charged, reached: fresh(drawn.exhausted) };
  if (draw(true, false).open === 0) return { code: 'LIMIT_EXCEEDED', reached: fresh(drawn.blocking) };
  return no(draw(true, true).open === 0 ? 'MEMBER_SUSPENDED' : 'INSUFFICIENT_TOKENS');
}

export { windowOf as windowsByIntl };
