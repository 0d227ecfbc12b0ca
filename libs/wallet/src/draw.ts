import { isoInstant } from './calendar';
import type { UseTokens } from './commands';
import { type Given, Missing, type Policy } from './decision';
import type { Charge, Considered, Source, UserEvent } from './events';
import { exceeded, type ExceededLimit, type LimitNow, limitsAt } from './limits';
import { Refusal } from './refusal';
import { sumOf } from './user-balance';
import { beginning, type FreeTokens, reachedEntry, type Relationship, type UserWallet } from './user-wallet';

/** Which sources fund a draw, under which limits, and why not (design section 2, Usage). */

/** One refusal records so many limits at most, to stay within one append; the next refusal records the others. */
const REACHED_MAX = 100;

const SOURCES: readonly Source[] = ['free', 'allocated', 'purchased'];

export interface ConsideredNow {
  relationship: Relationship;
  policy: Policy;
  record: Considered;
  /** The limits before the draw, at the instant of the usage. */
  limits: LimitNow[];
}

export interface DrawPlan {
  charged: Charge[];
  considered: ConsideredNow[];
  /** Every limit that kept the draw from taking more. */
  exceeded: (ExceededLimit & { relationship: Relationship })[];
  /** What no source could fund. */
  open: number;
  sources: ReadonlySet<Source>;
}

export function planDraw(
  wallet: UserWallet,
  free: FreeTokens,
  tokens: number,
  command: UseTokens,
  given: Given,
  occurredAt: number,
): DrawPlan | Missing {
  const sources = new Set(command.sources ?? SOURCES);
  const plan: DrawPlan = { charged: [], considered: [], exceeded: [], open: tokens, sources };
  if (sources.has('free')) draw(plan, 'free', free.tokens);
  if (sources.has('allocated')) {
    const missing = drawAllocated(plan, wallet, command.organisationId, given, occurredAt);
    if (missing) return missing;
  }
  if (sources.has('purchased')) draw(plan, 'purchased', wallet.purchased);
  return plan;
}

function drawAllocated(
  plan: DrawPlan,
  wallet: UserWallet,
  named: string | undefined,
  given: Given,
  occurredAt: number,
): Missing | undefined {
  if (plan.open === 0 && named === undefined) return undefined;
  const relationships = [...wallet.relationships.values()].filter((one) => (named ? one.organisationId === named : one.tokens > 0));
  const missing = unreadPolicies(relationships, given);
  if (missing) return missing;
  if (named !== undefined && !given.policies.get(named)?.usable) throw suspended(wallet.userId, [named]);
  for (const relationship of relationships) {
    if (plan.open === 0) return undefined;
    consider(plan, wallet.userId, relationship, given, occurredAt);
  }
  return undefined;
}

/** A draw never uses an older revision of the organisation than the last its own stream recorded. */
function unreadPolicies(relationships: readonly Relationship[], given: Given): Missing | undefined {
  const stale = relationships.filter(({ organisationId, policyRevision }) => {
    const policy = given.policies.get(organisationId);
    return !policy || policy.revision < policyRevision;
  });
  return stale.length > 0 ? new Missing({ organisationIds: stale.map(({ organisationId }) => organisationId) }) : undefined;
}

/** A relationship gives the smaller of its balance and what its limits leave. */
function consider(plan: DrawPlan, userId: string, relationship: Relationship, given: Given, occurredAt: number): void {
  const { organisationId, used } = relationship;
  const policy = given.policies.get(organisationId);
  if (!policy) return;
  const limits = limitsAt(policy.limits, used, policy.timeZone, occurredAt);
  const wanted = Math.min(plan.open, relationship.tokens);
  const left = policy.usable ? Math.min(...limits.map(({ remaining }) => remaining)) : 0;
  if (policy.usable) {
    for (const limit of limits) {
      if (limit.remaining < wanted) plan.exceeded.push({ ...exceeded(organisationId, userId, 'usage', limit, plan.open), relationship });
    }
  }
  const tokens = draw(plan, 'allocated', Math.min(wanted, left), organisationId);
  const [daily, monthly] = limits.map(({ window, used: before, limit }) => ({ window, used: before + tokens, limit }));
  if (!daily || !monthly) return;
  const { revision, status, usable } = policy;
  plan.considered.push({
    relationship,
    policy,
    limits,
    record: { organisationId, revision, status, usable, tokens, windows: { daily, monthly } },
  });
}

function draw(plan: DrawPlan, source: Source, available: number, organisationId?: string): number {
  const tokens = Math.min(plan.open, available);
  if (tokens === 0) return 0;
  plan.open -= tokens;
  plan.charged.push(organisationId === undefined ? { source, tokens } : { source, organisationId, tokens });
  return tokens;
}

/** LIMIT_EXCEEDED if lifting limits alone would fund it, else MEMBER_SUSPENDED if resuming would, else INSUFFICIENT_TOKENS. */
export function refusalOf(wallet: UserWallet, free: FreeTokens, tokens: number, plan: DrawPlan, given: Given): Refusal {
  const { userId } = wallet;
  const allocated = plan.considered.map(({ relationship, policy }) => ({ tokens: relationship.tokens, usable: policy.usable }));
  const own = (plan.sources.has('free') ? free.tokens : 0) + (plan.sources.has('purchased') ? wallet.purchased : 0);
  const unlimited = own + sumOf(allocated.filter(({ usable }) => usable));
  if (unlimited >= tokens) {
    const first = plan.exceeded[0];
    const detail = `The ${first?.period} limit of ${first?.organisationId} leaves ${userId} ${first?.remaining} of ${first?.limit} tokens until ${first?.resetsAt}; ${first?.requested} more were needed.`;
    const limits = plan.exceeded.map(({ relationship: _, ...facts }) => facts);
    return new Refusal('LIMIT_EXCEEDED', detail, { requested: tokens, limits }, reachedByRefusal(wallet, free, plan, given));
  }
  if (own + sumOf(allocated) >= tokens) {
    return suspended(
      userId,
      plan.considered.filter(({ policy }) => !policy.usable).map(({ relationship }) => relationship.organisationId),
    );
  }
  const available = tokens - plan.open;
  const detail = `The usage needs ${tokens} tokens and ${userId} can spend ${available}; ${plan.open} are missing.`;
  return new Refusal('INSUFFICIENT_TOKENS', detail, {
    requested: tokens,
    available,
    missing: plan.open,
    sources: sourcesOf(wallet, free, plan),
  });
}

/** What each source had to give, those that had nothing included. */
function sourcesOf(wallet: UserWallet, free: FreeTokens, plan: DrawPlan) {
  const { sources, considered } = plan;
  return [
    ...(sources.has('free') ? [{ source: 'free', available: free.tokens }] : []),
    ...considered.map(({ record }) => ({ source: 'allocated', organisationId: record.organisationId, available: record.tokens })),
    ...(sources.has('purchased') ? [{ source: 'purchased', available: wallet.purchased }] : []),
  ];
}

function suspended(userId: string, organisationIds: string[]): Refusal {
  const detail = `${userId} is suspended by ${organisationIds.join(', ')}, so what it allocated cannot be used until the member is resumed.`;
  return new Refusal('MEMBER_SUSPENDED', detail, { userId, organisationId: organisationIds[0], organisationIds });
}

export function reachedByDraw({ relationship, limits, record }: ConsideredNow, given: Given): UserEvent[] {
  if (record.tokens === 0) return [];
  return limits
    .filter(({ remaining, limit, window }) => remaining === record.tokens && !relationship.reached.has(reachedEntry(window, limit ?? 0)))
    .map((limit) =>
      limitReached(
        relationship.organisationId,
        { ...limit, limit: limit.limit ?? 0, used: limit.used + record.tokens, resetsAt: isoInstant(limit.resetsAt) },
        'draw',
        given,
      ),
    );
}

function reachedByRefusal(wallet: UserWallet, free: FreeTokens, plan: DrawPlan, given: Given): UserEvent[] {
  const fresh = plan.exceeded
    .filter(({ relationship, window, limit }) => !relationship.reached.has(reachedEntry(window, limit)))
    .slice(0, REACHED_MAX);
  if (fresh.length === 0) return [];
  return [...beginning(wallet, free, given), ...fresh.map((limit) => limitReached(limit.organisationId, limit, 'refusal', given))];
}

type Reached = Pick<ExceededLimit, 'period' | 'window' | 'limit' | 'used' | 'resetsAt'>;

function limitReached(
  organisationId: string,
  { period, window, limit, used, resetsAt }: Reached,
  by: 'draw' | 'refusal',
  given: Given,
): UserEvent {
  const at = isoInstant(given.at);
  return { type: 'LimitReached', data: { at, organisationId, meter: 'usage', period, window, limit, used, resetsAt, by } };
}
