import type { LedgerMessage } from '@ledger/ledger-consumer';
import type { Charge, LimitOverride, WalletEvent } from '@ledger/wallet';

/** What happened, in words. */

export function wordsOf(message: LedgerMessage): string {
  if ('skipped' in message) return `skipped: ${message.skipped.type} (${message.skipped.reason})`;
  if ('unknownType' in message) return `something that this release does not know: ${message.unknownType}`;
  return happened(message) + left(message.data);
}

function happened(event: WalletEvent): string {
  switch (event.type) {
    case 'OrganisationWalletOpened':
      return `wallet opened, in ${event.data.timeZone}`;
    case 'TimeZoneSet':
      return `follows ${event.data.timeZone} now`;
    case 'TokensPurchased': {
      const { tokens, priceCents, discountPercent, owedPaid } = event.data;
      const debt = owedPaid > 0 ? `, ${number(owedPaid)} of them for a debt` : '';
      return `bought ${amount(tokens)} for ${euros(priceCents)}${discountPercent > 0 ? ` (-${discountPercent} %)` : ''}${debt}`;
    }
    case 'MemberPermitted':
      return `permitted ${people(event.data.userIds)}`;
    case 'MemberSuspended':
      return `suspended ${people(event.data.userIds)}`;
    case 'MemberResumed':
      return `resumed ${people(event.data.userIds)}`;
    case 'MemberRemoved':
      return `removed ${people(event.data.userIds)}`;
    case 'LimitSet': {
      const { default: whole, overrides = [] } = event.data;
      if (whole) return `default limits: ${limits(whole)}`;
      const [first] = overrides;
      const what = overrides.length === 1 && first ? `: ${limits(first.limits)}` : '';
      return `limits of their own for ${people(overrides.map(({ userId }) => userId))}${what}`;
    }
    case 'LimitCleared':
      return `default limits again for ${people(event.data.userIds)}`;
    case 'TokensAllocated': {
      const { tokens, lines, part, parts } = event.data;
      const which = parts > 1 ? ` (part ${part} of ${parts})` : '';
      return `allocated ${amount(tokens)} to ${people(lines.map(([userId]) => userId))}${which}`;
    }
    case 'UserWalletOpened':
      return `wallet opened, with ${number(event.data.freeTokensPerMonth)} free tokens a month`;
    case 'FreeAllowanceSet':
      return `${number(event.data.tokensPerMonth)} free tokens a month from now on, ${number(event.data.added)} of them at once`;
    case 'FreeAllowanceGranted': {
      const { month, tokens, lapsed } = event.data;
      return `was granted ${number(tokens)} free tokens for ${month}${lapsed > 0 ? `, ${number(lapsed)} lapsed` : ''}`;
    }
    case 'AllocationReceived':
      return `received ${amount(event.data.tokens)} from ${event.data.organisationId}`;
    case 'TokensUsed': {
      const { tokens, service, charged, reference } = event.data;
      return `used ${amount(tokens)}${service ? ` for ${service}` : ''}${reference ? ` [${reference}]` : ''} (${sources(charged)})`;
    }
    case 'UsageReversed': {
      const { tokens, returned, lapsed, reason } = event.data;
      const gone = lapsed > 0 ? `${returned.length > 0 ? ', ' : ''}${number(lapsed)} lapsed` : '';
      return `${amount(tokens)} returned${reason ? `, ${reason}` : ''} (${sources(returned)}${gone})`;
    }
    case 'LimitReached': {
      const { period, organisationId, used, limit, by, resetsAt } = event.data;
      const how = by === 'draw' ? 'used up' : 'refused a usage';
      return `${period} limit of ${organisationId} ${how}: ${number(used)} of ${number(limit)}, until ${resetsAt}`;
    }
    case 'BillCharged': {
      const { month, chargedTokens, owedTokens } = event.data;
      return `paid ${amount(chargedTokens)} for hosting in ${month}${owedTokens > 0 ? `, owes ${number(owedTokens)}` : ''}`;
    }
    case 'BillDeclined':
      return `cannot pay ${event.data.kind} of ${event.data.month}: ${number(event.data.missing)} of ${amount(event.data.tokens)} missing`;
    case 'StorageAccrued': {
      const { day, accruedTokens, chargedTokens, declined } = event.data;
      return `storage of ${day} comes to ${accruedTokens} tokens, ${declined ? 'declined' : `${number(chargedTokens)} charged`}`;
    }
    default:
      return event satisfies never;
  }
}

const number = (value: number): string => value.toLocaleString('en');
const amount = (tokens: number): string => `${number(tokens)} ${tokens === 1 ? 'token' : 'tokens'}`;
const euros = (cents: number): string => `${number(Math.trunc(cents / 100))}.${String(cents % 100).padStart(2, '0')} EUR`;
const people = (userIds: readonly string[]): string => (userIds.length === 1 ? (userIds[0] ?? '') : `${number(userIds.length)} members`);

const sources = (charges: readonly Charge[]): string =>
  charges.map(({ source, organisationId, tokens }) => `${number(tokens)} ${organisationId ? `of ${organisationId}` : source}`).join(', ');

function limits({ usage, allocation }: LimitOverride): string {
  const said = (meter: string, values: LimitOverride['usage']): string[] =>
    Object.entries(values ?? {}).map(([period, limit]) => `${meter} ${period} ${limit === null ? 'unlimited' : number(limit)}`);
  return [...said('usage', usage), ...said('allocation', allocation)].join(', ') || 'the default';
}

const left = (data: WalletEvent['data']): string => ('balanceAfter' in data ? `; ${number(data.balanceAfter.balance)} left` : '');
