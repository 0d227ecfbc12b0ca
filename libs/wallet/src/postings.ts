import type { Charge, WalletEvent } from './events';
import type { WalletRef } from './wallet-ref';

/** One line of double entry: plus means that the account gains. */
export interface Posting {
  account: string;
  tokens: number;
}

/**
 * Double-entry lines of an event of this wallet, between the accounts `world`, `organisation:<id>:available`,
 * `organisation:<id>:inTransit`, `user:<id>:free|purchased|allocated:<organisationId>`, `platform:usage`, `platform:bills`
 * and `lapsed`. They sum to zero for every event; events that move nothing have none. (Design section 3, Postings.)
 */
export function postings(wallet: WalletRef, event: WalletEvent): Posting[] {
  return linesOf(wallet, event).filter(({ tokens }) => tokens !== 0);
}

function linesOf(wallet: WalletRef, event: WalletEvent): Posting[] {
  const free = `user:${wallet.id}:free`;
  switch (event.type) {
    case 'TokensPurchased': {
      const { tokens, owedPaid } = event.data;
      const bucket = bucketOf(wallet, { source: 'purchased', tokens });
      return [line('world', -tokens), line(bucket, tokens - owedPaid), line('platform:bills', owedPaid)];
    }
    case 'TokensAllocated':
      return move(`organisation:${wallet.id}:available`, `organisation:${wallet.id}:inTransit`, event.data.tokens);
    case 'AllocationReceived': {
      const { organisationId, tokens } = event.data;
      return move(`organisation:${organisationId}:inTransit`, `user:${wallet.id}:allocated:${organisationId}`, tokens);
    }
    case 'FreeAllowanceGranted':
      return [...move(free, 'lapsed', event.data.lapsed), ...move('world', free, event.data.tokens)];
    case 'FreeAllowanceSet':
      return move('world', free, event.data.added);
    case 'TokensUsed':
      return event.data.charged.flatMap((charge) => move(bucketOf(wallet, charge), 'platform:usage', charge.tokens));
    case 'UsageReversed':
      return [
        ...event.data.returned.flatMap((charge) => move('platform:usage', bucketOf(wallet, charge), charge.tokens)),
        ...move('platform:usage', free, event.data.lapsed),
        ...move(free, 'lapsed', event.data.lapsed),
      ];
    case 'BillCharged':
    case 'StorageAccrued':
      return event.data.charged.flatMap((charge) => move(bucketOf(wallet, charge), 'platform:bills', charge.tokens));
    case 'BillDeclined':
    case 'OrganisationWalletOpened':
    case 'TimeZoneSet':
    case 'MemberPermitted':
    case 'MemberSuspended':
    case 'MemberResumed':
    case 'MemberRemoved':
    case 'LimitSet':
    case 'LimitCleared':
    case 'UserWalletOpened':
    case 'LimitReached':
      return [];
    default:
      return event satisfies never;
  }
}

const line = (account: string, tokens: number): Posting => ({ account, tokens });
const move = (from: string, to: string, tokens: number): Posting[] => [line(from, -tokens), line(to, tokens)];

function bucketOf(wallet: WalletRef, { source, organisationId }: Charge): string {
  if (wallet.kind === 'organisation') return `organisation:${wallet.id}:available`;
  return source === 'allocated' ? `user:${wallet.id}:allocated:${organisationId}` : `user:${wallet.id}:${source}`;
}
