import { AHEAD_MS, instantOf, isoInstant, LATE_MS } from './calendar';
import type { ReverseUsage, UseTokens } from './commands';
import { type Decision, type Given, invalid, Missing, recall } from './decision';
import { planDraw, reachedByDraw, refusalOf } from './draw';
import type { Considered, EventOf } from './events';
import { tokensForCost } from './pricing';
import { Refusal } from './refusal';
import { balanceAfter, sumOf } from './user-balance';
import { beginning, freeNow, type UserWallet } from './user-wallet';

/** Drawing tokens for a usage, and returning them (design section 2, Usage). */

/** Charges a user: free, then allocated in the order of first receipt, then purchased; all or nothing. */
export const use: Decision<UserWallet, UseTokens> = (wallet, command, given) => {
  const tokens = command.tokens ?? pricedCost(command, given);
  const unknown = unknownOrganisation(command, given);
  if (unknown) return unknown;
  const occurredAt = occurrence(command, given);
  const free = freeNow(wallet, given);
  const plan = planDraw(wallet, free, tokens, command, given, occurredAt);
  if (plan instanceof Missing) return plan;
  if (plan.open > 0) throw refusalOf(wallet, free, tokens, plan, given);

  const { charged, considered } = plan;
  const freeDrawn = charged.some(({ source }) => source === 'free');
  const data: EventOf<'TokensUsed'>['data'] = {
    at: isoInstant(given.at),
    usageId: given.newId,
    tokens,
    occurredAt: isoInstant(occurredAt),
    ...textsOf(command),
    charged,
    ...(freeDrawn ? { freeMonth: free.month } : {}),
    considered: considered.map(({ record }) => record),
    balanceAfter: balanceAfter(wallet, free, charged, -1),
  };
  const reached = considered.flatMap((one) => reachedByDraw(one, given));
  return [...beginning(wallet, free, given), { type: 'TokensUsed', data }, ...reached];
};

/** Returns a usage once, in full, to the very buckets and windows that it came from. */
export const reverse: Decision<UserWallet, ReverseUsage> = (wallet, { usageId, reason }, given) => {
  const entry = recall(wallet.usages, 'usage', usageId, given);
  if (entry instanceof Missing) return entry;
  if (!entry) throw new Refusal('USAGE_NOT_FOUND', `${wallet.userId} has no usage ${usageId}.`, { userId: wallet.userId, usageId });
  if (entry.reversedRevision !== undefined) {
    throw new Refusal('USAGE_ALREADY_REVERSED', `The usage ${usageId} was reversed before; a usage is reversed once.`, { usageId });
  }
  const usage = given.stored.get(entry.revision);
  if (usage === undefined) return new Missing({ revision: entry.revision });
  if (usage.type !== 'TokensUsed')
    throw new Error(`revision ${entry.revision} of ${wallet.userId} is ${usage.type}, not the usage ${usageId}`);

  const free = freeNow(wallet, given);
  const { tokens, charged, considered, freeMonth } = usage.data;
  const lapses = freeMonth !== undefined && freeMonth !== free.month;
  const returned = lapses ? charged.filter(({ source }) => source !== 'free') : charged;
  const data: EventOf<'UsageReversed'>['data'] = {
    at: isoInstant(given.at),
    usageId,
    tokens,
    ...(reason === undefined ? {} : { reason }),
    returned,
    lapsed: tokens - sumOf(returned),
    windows: considered.flatMap((draw) => windowsGivenBack(wallet, draw)),
    balanceAfter: balanceAfter(wallet, free, returned, 1),
  };
  return [...beginning(wallet, free, given), { type: 'UsageReversed', data }];
};

/** A counter that was pruned meanwhile stays gone: then the reversal changes buckets only. */
function windowsGivenBack(wallet: UserWallet, { organisationId, tokens, windows }: Considered) {
  if (tokens === 0) return [];
  const used = wallet.relationships.get(organisationId)?.used;
  return [windows.daily, windows.monthly].flatMap(({ window }) => {
    const now = used?.get(window);
    return now === undefined ? [] : [{ organisationId, window, used: Math.max(0, now - tokens) }];
  });
}

function pricedCost({ variableCostEuros }: UseTokens, { settings }: Given): number {
  const tokens = variableCostEuros === undefined ? undefined : tokensForCost(variableCostEuros, settings.priceTable);
  if (tokens === undefined) throw invalid('/variableCostEuros', variableCostEuros, 'must be a decimal above 0 in a string such as "0.10"');
  return tokens;
}

/** What exists is asked before the clock is (api.md, Manners), also where free tokens would fund the whole draw. */
function unknownOrganisation({ organisationId }: UseTokens, { policies }: Given): Missing | undefined {
  if (organisationId === undefined) return undefined;
  const policy = policies.get(organisationId);
  if (policy === undefined) return new Missing({ organisationIds: [organisationId] });
  if (policy === null) throw new Refusal('ORGANISATION_NOT_FOUND', `There is no organisation ${organisationId}.`, { organisationId });
  return undefined;
}

/** At most 72 h back and 60 s ahead; its windows are counted, funds are today's. */
function occurrence({ occurredAt }: UseTokens, given: Given): number {
  if (occurredAt === undefined) return given.at;
  const instant = instantOf(occurredAt);
  if (instant === undefined)
    throw invalid('/occurredAt', occurredAt, 'must be an ISO 8601 instant in UTC such as 2026-11-23T12:00:00.000Z');
  if (instant > given.at + AHEAD_MS)
    throw invalid('/occurredAt', occurredAt, `must be at most 60 s ahead of the ledger, which has ${isoInstant(given.at)}`);
  if (instant < given.at - LATE_MS) {
    const earliest = isoInstant(given.at - LATE_MS);
    throw new Refusal('TOO_OLD', `The usage occurred at ${occurredAt}; the earliest that still counts is ${earliest} (72 h back).`, {
      occurredAt,
      earliest,
    });
  }
  return instant;
}

function textsOf({ variableCostEuros, service, reference }: UseTokens) {
  return {
    ...(variableCostEuros === undefined ? {} : { variableCostEuros }),
    ...(service === undefined ? {} : { service }),
    ...(reference === undefined ? {} : { reference }),
  };
}
