import { createHash } from 'node:crypto';
import { canonical, type EventOf, type Source, type UserWallet, type UseTokens } from '@ledger/wallet';
import type { Fact } from './command-group';

/**
 * A usage may be restricted by its caller to some sources, or to one organisation. The event does not say so; but its content hash is
 * that of the body as it was sent, so what was sent is found by trying what can have been.
 */

export type UsageBody = Omit<UseTokens, 'wallet' | 'envelope'>;

/** Orders too: a hash is of the text. */
const ORDERS: readonly (Source[] | undefined)[] = [
  undefined,
  ['free', 'allocated', 'purchased'],
  ['free', 'purchased', 'allocated'],
  ['allocated', 'free', 'purchased'],
  ['allocated', 'purchased', 'free'],
  ['purchased', 'free', 'allocated'],
  ['purchased', 'allocated', 'free'],
  ['free', 'allocated'],
  ['allocated', 'free'],
  ['free', 'purchased'],
  ['purchased', 'free'],
  ['allocated', 'purchased'],
  ['purchased', 'allocated'],
  ['free'],
  ['allocated'],
  ['purchased'],
];

/** What differs in effect, the freest first. */
const SUBSETS: readonly (Source[] | undefined)[] = [
  undefined,
  ['free', 'allocated'],
  ['free', 'purchased'],
  ['allocated', 'purchased'],
  ['free'],
  ['allocated'],
  ['purchased'],
];

/** The body whose content hash the event carries; undefined when none of those that are possible has it, or when there is no key. */
export function provenBody({ event, metadata }: Fact & { event: EventOf<'TokensUsed'> }, wallet: UserWallet): UsageBody | undefined {
  const { contentHash } = metadata;
  if (contentHash === undefined) return undefined;
  for (const occurredAt of [undefined, ...spellings(event.data.occurredAt)]) {
    for (const body of bodies(event.data, wallet.relationships.keys(), ORDERS)) {
      const sent = { ...body, ...(occurredAt !== undefined && { occurredAt }) };
      if (hashOf(wallet.userId, sent) === contentHash) return sent;
    }
  }
  return undefined;
}

/** Bodies that can have led to the usage, the freest first. */
export function possibleBodies({ data }: EventOf<'TokensUsed'>): UsageBody[] {
  // A usage that names an organisation considers no other; one that free tokens funded is the same without the name.
  const named = data.considered.length === 1 ? data.considered.map(({ organisationId }) => organisationId) : [];
  return [...bodies(data, named, SUBSETS)].map((body) => ({ ...body, occurredAt: data.occurredAt }));
}

function* bodies(data: EventOf<'TokensUsed'>['data'], organisationIds: Iterable<string>, orders: typeof ORDERS): Generator<UsageBody> {
  const { tokens, variableCostEuros, service, reference } = data;
  const base = {
    ...(variableCostEuros === undefined ? { tokens } : { variableCostEuros }),
    ...(service !== undefined && { service }),
    ...(reference !== undefined && { reference }),
  };
  for (const organisationId of [undefined, ...organisationIds]) {
    for (const sources of orders) {
      yield { ...base, ...(organisationId !== undefined && { organisationId }), ...(sources && { sources: [...sources] }) };
    }
  }
}

/** As a key's content is hashed: operation, ids of the path, and the body as it was sent. */
const hashOf = (userId: string, body: UsageBody): string =>
  createHash('sha256')
    .update(canonical({ operation: 'UseTokens', ids: { userId }, body }))
    .digest('hex');

/** An instant may have been sent with zero to three digits of a second's fraction. */
function spellings(at: string): string[] {
  const [whole = '', fraction = ''] = at.replace('Z', '').split('.');
  const texts = [at];
  for (let digits = fraction; digits.endsWith('0');) {
    digits = digits.slice(0, -1);
    texts.push(digits === '' ? `${whole}Z` : `${whole}.${digits}Z`);
  }
  return texts;
}
