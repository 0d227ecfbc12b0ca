import type { WalletEvent } from './events';
import type { WalletRef } from './wallet-ref';
import { postings } from './postings';

const at = '2026-11-23T12:00:00.000Z';
const organisation: WalletRef = { kind: 'organisation', id: 'acme' };
const user: WalletRef = { kind: 'user', id: 'u1' };
const priced = { at, purchaseId: 'p', paymentReference: 'r', listPriceCents: 0, discountPercent: 0, priceCents: 0, priceTable: 't' };
const balanceAfter = { balance: 0, available: 0 };

const lines = (wallet: WalletRef, event: WalletEvent) => postings(wallet, event).map(({ account, tokens }) => `${account} ${tokens}`);

describe('postings', () => {
  it('of a purchase come from the world; what paid a debt goes on to the bills', () => {
    const data = { ...priced, tokens: 300, owedPaid: 0, balanceAfter };
    expect(lines(organisation, { type: 'TokensPurchased', data })).toEqual(['world -300', 'organisation:acme:available 300']);
    expect(lines(user, { type: 'TokensPurchased', data })).toEqual(['world -300', 'user:u1:purchased 300']);
    expect(lines(user, { type: 'TokensPurchased', data: { ...data, owedPaid: 120 } })).toEqual([
      'world -300',
      'user:u1:purchased 180',
      'platform:bills 120',
    ]);
  });

  it('of an allocation rest in transit until the member has it', () => {
    const allocated = {
      at,
      allocationId: 'a',
      part: 2,
      parts: 2,
      tokens: 30,
      tokensTotal: 99,
      lineCount: 9,
      windows: { daily: '', monthly: '' },
    };
    expect(lines(organisation, { type: 'TokensAllocated', data: { ...allocated, lines: [['u1', 30, 1]], balanceAfter } })).toEqual([
      'organisation:acme:available -30',
      'organisation:acme:inTransit 30',
    ]);
    const receipt = { at, organisationId: 'acme', allocationId: 'a', number: 1, tokens: 30, balanceAfter };
    expect(lines(user, { type: 'AllocationReceived', data: receipt })).toEqual([
      'organisation:acme:inTransit -30',
      'user:u1:allocated:acme 30',
    ]);
  });

  it('of the free allowance come from the world and lapse', () => {
    const month = '2026-11';
    expect(lines(user, { type: 'FreeAllowanceGranted', data: { at, month, tokens: 50, lapsed: 20, balanceAfter } })).toEqual([
      'user:u1:free -20',
      'lapsed 20',
      'world -50',
      'user:u1:free 50',
    ]);
    expect(lines(user, { type: 'FreeAllowanceGranted', data: { at, month, tokens: 50, lapsed: 0, balanceAfter } })).toHaveLength(2);
    expect(lines(user, { type: 'FreeAllowanceSet', data: { at, month, tokensPerMonth: 60, added: 10, balanceAfter } })).toEqual([
      'world -10',
      'user:u1:free 10',
    ]);
    expect(lines(user, { type: 'FreeAllowanceSet', data: { at, month, tokensPerMonth: 6, added: 0, balanceAfter } })).toEqual([]);
  });

  it('of a usage go to the platform, and back with its reversal', () => {
    const charged = [
      { source: 'free' as const, tokens: 1 },
      { source: 'allocated' as const, organisationId: 'acme', tokens: 2 },
      { source: 'purchased' as const, tokens: 3 },
    ];
    expect(
      lines(user, { type: 'TokensUsed', data: { at, usageId: 'u', tokens: 6, occurredAt: at, charged, considered: [], balanceAfter } }),
    ).toEqual([
      'user:u1:free -1',
      'platform:usage 1',
      'user:u1:allocated:acme -2',
      'platform:usage 2',
      'user:u1:purchased -3',
      'platform:usage 3',
    ]);
    const reversed = { at, usageId: 'u', tokens: 6, returned: charged.slice(1), lapsed: 1, windows: [], balanceAfter };
    expect(lines(user, { type: 'UsageReversed', data: reversed })).toEqual([
      'platform:usage -2',
      'user:u1:allocated:acme 2',
      'platform:usage -3',
      'user:u1:purchased 3',
      'platform:usage -1',
      'user:u1:free 1',
      'user:u1:free -1',
      'lapsed 1',
    ]);
  });

  it('are none where nothing moves', () => {
    const nothing: WalletEvent[] = [
      { type: 'OrganisationWalletOpened', data: { at, organisationId: 'acme', timeZone: 'UTC', balanceAfter } },
      { type: 'TimeZoneSet', data: { at, timeZone: 'UTC' } },
      { type: 'MemberPermitted', data: { at, userIds: ['u1'] } },
      { type: 'MemberSuspended', data: { at, userIds: ['u1'] } },
      { type: 'MemberResumed', data: { at, userIds: ['u1'] } },
      { type: 'MemberRemoved', data: { at, userIds: ['u1'] } },
      { type: 'LimitSet', data: { at } },
      { type: 'LimitCleared', data: { at, userIds: ['u1'] } },
    ];
    expect(nothing.flatMap((event) => lines(organisation, event))).toEqual([]);
    expect(lines(user, { type: 'UserWalletOpened', data: { at, userId: 'u1', freeTokensPerMonth: 5, balanceAfter } })).toEqual([]);
    const reached = {
      at,
      organisationId: 'acme',
      meter: 'usage',
      period: 'daily',
      window: 'w',
      limit: 1,
      used: 1,
      resetsAt: at,
      by: 'draw',
    } as const;
    expect(lines(user, { type: 'LimitReached', data: reached })).toEqual([]);
  });
});
