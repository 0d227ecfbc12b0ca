import { isoInstant, windowsAt } from './calendar';
import type { AllocateTokens, AllocationLineBody } from './commands';
import type { Decision } from './decision';
import type { AllocationLine, OrganisationEvent, Period } from './events';
import { effectiveLimit, exceeded, type LimitNow, limitsAt } from './limits';
import { FAILING_LINES_MAX, inParts, repeatedLines } from './members';
import { allocatedTo, balanceOf, mustExist, type OrganisationWallet } from './organisation-wallet';
import { Refusal } from './refusal';

/**
 * Moves tokens from the organisation to 1..10,000 permitted members, all or nothing (design section 2, Allocation).
 * Guards in this order: permission and limits of every line, then funds.
 */
export const allocate: Decision<OrganisationWallet, AllocateTokens> = (wallet, command, given) => {
  mustExist(wallet);
  const { lines, memo } = command;
  refuseFailingLines(wallet, lines, given.at);
  const tokensTotal = lines.reduce((sum, line) => sum + line.tokens, 0);
  refuseShortfall(wallet, tokensTotal);

  const windows = windowsAt(wallet.timeZone, given.at);
  const parts = inParts(lines);
  let available = wallet.available;
  return parts.map((part, index): OrganisationEvent => {
    const tokens = part.reduce((sum, line) => sum + line.tokens, 0);
    available -= tokens;
    const reached = reachedBy(wallet, part, given.at);
    return {
      type: 'TokensAllocated',
      data: {
        at: isoInstant(given.at),
        allocationId: given.newId,
        part: index + 1,
        parts: parts.length,
        tokens,
        tokensTotal,
        lineCount: lines.length,
        ...(memo === undefined ? {} : { memo }),
        windows: { daily: windows.daily.window, monthly: windows.monthly.window },
        lines: part.map((line): AllocationLine => [line.userId, line.tokens, (wallet.members.get(line.userId)?.allocations ?? 0) + 1]),
        ...(Object.keys(reached).length > 0 ? { reached } : {}),
        balanceAfter: balanceOf(available),
      },
    };
  });
};

interface FailingLine {
  index: number;
  userId: string;
  code: 'DUPLICATE_MEMBER' | 'MEMBER_NOT_PERMITTED' | 'MEMBER_SUSPENDED' | 'LIMIT_EXCEEDED';
  [fact: string]: unknown;
}

function refuseFailingLines(wallet: OrganisationWallet, lines: readonly AllocationLineBody[], at: number): void {
  const repeated = repeatedLines(lines);
  const failing: FailingLine[] = [];
  let failedLines = 0;
  lines.forEach((line, index) => {
    const failure = repeated.has(index) ? { code: 'DUPLICATE_MEMBER' as const } : failureOf(wallet, line, at);
    if (!failure) return;
    failedLines += 1;
    if (failing.length < FAILING_LINES_MAX) failing.push({ index, userId: line.userId, ...failure });
  });
  if (failedLines === 0) return;
  const detail = `${failedLines} of ${lines.length} lines cannot be allocated, so nothing was; the first of them is line ${failing[0]?.index} (${failing[0]?.code}).`;
  throw new Refusal('ALLOCATION_REFUSED', detail, { failedLines, lines: failing });
}

function failureOf(wallet: OrganisationWallet, { userId, tokens }: AllocationLineBody, at: number) {
  const status = wallet.members.get(userId)?.status;
  if (status === 'suspended') return { code: 'MEMBER_SUSPENDED' as const };
  if (status !== 'permitted') return { code: 'MEMBER_NOT_PERMITTED' as const };
  const blocking = allocationLimits(wallet, userId, at).filter((limit) => tokens > limit.remaining);
  if (blocking.length === 0) return undefined;
  const limits = blocking.map((limit) => exceeded(wallet.organisationId, userId, 'allocation', limit, tokens));
  return { code: 'LIMIT_EXCEEDED' as const, limits };
}

function refuseShortfall({ organisationId, available }: OrganisationWallet, tokens: number): void {
  if (tokens <= available) return;
  const requested = Math.min(tokens, Number.MAX_SAFE_INTEGER);
  const missing = requested - available;
  throw new Refusal(
    'INSUFFICIENT_TOKENS',
    `The allocation needs ${requested} tokens, ${available} are available; ${missing} are missing.`,
    {
      organisationId,
      requested,
      available,
      missing,
      sources: [{ source: 'purchased', available }],
    },
  );
}

function allocationLimits(wallet: OrganisationWallet, userId: string, at: number): LimitNow[] {
  const { defaults, members, timeZone } = wallet;
  const member = members.get(userId);
  const limits = {
    daily: effectiveLimit(defaults, member?.override, 'allocation', 'daily'),
    monthly: effectiveLimit(defaults, member?.override, 'allocation', 'monthly'),
  };
  return limitsAt(limits, { get: (window) => allocatedTo(wallet, userId, window) }, timeZone, at);
}

function reachedBy(wallet: OrganisationWallet, part: readonly AllocationLineBody[], at: number): Partial<Record<Period, number[]>> {
  const reached: Partial<Record<Period, number[]>> = {};
  part.forEach((line, index) => {
    for (const { period, remaining } of allocationLimits(wallet, line.userId, at)) {
      if (remaining === line.tokens) (reached[period] ??= []).push(index);
    }
  });
  return reached;
}
