import type { Charge, UserBalance } from './events';
import type { FreeTokens, UserWallet } from './user-wallet';

/** What a user holds, with the free tokens as they are at the decision. */

/** free + purchased + all allocated. */
export function balanceOfUser(wallet: UserWallet, free: FreeTokens): number {
  let balance = free.tokens + wallet.purchased;
  for (const { tokens } of wallet.relationships.values()) balance += tokens;
  return balance;
}

/**
 * The free tokens as an event names them that does not touch them: with their month, for they are gone when it ends, and no event
 * says so. Left out when there are none, so that a reader of any one event knows them.
 */
export const freeHeld = ({ tokens, month }: FreeTokens): Pick<UserBalance, 'free'> => (tokens > 0 ? { free: { tokens, month } } : {});

/** The balance after charges are taken (-1) or returned (1): the buckets they touch, the free tokens there are, and the total. */
export function balanceAfter(wallet: UserWallet, free: FreeTokens, charges: readonly Charge[], sign: 1 | -1): UserBalance {
  const after: UserBalance = { ...freeHeld(free), balance: balanceOfUser(wallet, free) + sign * sumOf(charges) };
  for (const { source, organisationId = '', tokens } of charges) {
    if (source === 'free') after.free = { tokens: free.tokens + sign * tokens, month: free.month };
    if (source === 'purchased') after.purchased = wallet.purchased + sign * tokens;
    if (source !== 'allocated') continue;
    const held = wallet.relationships.get(organisationId)?.tokens ?? 0;
    (after.allocated ??= []).push({ organisationId, tokens: held + sign * tokens });
  }
  return after;
}

export const sumOf = (parts: readonly { tokens: number }[]): number => parts.reduce((sum, { tokens }) => sum + tokens, 0);
