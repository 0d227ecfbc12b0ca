import type { Charge, MemberStatus, Period, UserWallet, OrganisationWallet } from '@ledger/wallet';

/** How things are said to a person. */

export const tokens = (count: number): string => `${count.toLocaleString('en')} ${count === 1 ? 'token' : 'tokens'}`;
/** `1 token was`, `5 tokens were`. */
export const tokensWere = (count: number): string => `${tokens(count)} ${count === 1 ? 'was' : 'were'}`;
export const tokensAre = (count: number): string => `${tokens(count)} ${count === 1 ? 'is' : 'are'}`;
export const euros = (cents: number): string => {
  const part = cents % 100;
  return `${((cents - part) / 100).toLocaleString('en')}.${String(part).padStart(2, '0')} EUR`;
};
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

const sourceName = ({ source, organisationId }: Pick<Charge, 'source' | 'organisationId'>): string =>
  source === 'allocated' ? `allocated by ${organisationId}` : source;

export const listed = (parts: readonly string[]): string =>
  parts.length < 2 ? (parts[0] ?? 'nothing') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;

export const charges = (charged: readonly Charge[]): string =>
  charged.length === 0 ? 'nothing' : listed(charged.map((one) => `${one.tokens.toLocaleString('en')} ${sourceName(one)}`));

export const periodName: Readonly<Record<Period, string>> = { daily: 'a day', monthly: 'a month' };

export const statusName = (status: MemberStatus, usable: boolean): string =>
  status === 'removed' && !usable ? 'removed while suspended' : status;

const NAMES_MAX = 10;
/** The first few, and how many more. */
export function few(names: readonly string[]): string {
  const more = names.length - NAMES_MAX;
  return more > 0 ? `${names.slice(0, NAMES_MAX).join(', ')} and ${more.toLocaleString('en')} more` : listed(names);
}

/** What a user's wallet held, a line a bucket. */
export function heldByUser({ free, purchased, relationships, billing }: UserWallet): string[] {
  const lines = [`${tokens(free?.tokens ?? 0)} free${free?.month ? ` of ${free.month}` : ''}`, `${tokens(purchased)} purchased`];
  for (const { organisationId, tokens: held } of relationships.values()) lines.push(`${tokens(held)} allocated by ${organisationId}`);
  if (billing.owed > 0) lines.push(`${tokens(billing.owed)} owed`);
  return lines;
}

export const heldByOrganisation = ({ available, billing }: OrganisationWallet): string[] => [
  `${tokens(available)} available`,
  ...(billing.owed > 0 ? [`${tokens(billing.owed)} owed`] : []),
];

export const factsOfUser = ({ free, purchased, relationships, billing }: UserWallet) => ({
  free: { tokens: free?.tokens ?? 0, month: free?.month ?? '' },
  purchased,
  allocated: [...relationships.values()].map(({ organisationId, tokens: held }) => ({ organisationId, tokens: held })),
  owed: billing.owed,
});
