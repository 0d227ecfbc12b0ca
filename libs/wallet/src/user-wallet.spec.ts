import { bought, granted, received, walletOpened } from './testing/facts';
import { givenUser, givenUserWith } from './testing/given';
import { use } from './usage';
import { purchaseForUser, receiveAllocation, setFreeAllowance, SettlementGap } from './user-wallet';

const NOON = '2026-11-23T12:00:00.000Z';
const LAST = '2026-11-30T23:59:59.999Z';
const FIRST = '2026-12-01T00:00:00.000Z';
const set = (tokensPerMonth: number) => ({ tokensPerMonth });
const grant = (month: string, tokens: number, lapsed: number) =>
  ({ type: 'FreeAllowanceGranted', data: { month, tokens, lapsed } }) as const;
const allowance = (tokensPerMonth: number, added: number, tokens: number, month = '2026-11') =>
  ({ type: 'FreeAllowanceSet', data: { tokensPerMonth, added, month, balanceAfter: { free: { tokens, month } } } }) as const;
const spendFree = (tokens: number) => ({ tokens, sources: ['free' as const] });
const used = { type: 'TokensUsed' } as const;

describe('a purchase for a user', () => {
  it('opens the wallet with the default, grants the month and credits, in one append', () => {
    givenUserWith({ freeTokensPerMonth: 50 })
      .when(purchaseForUser, { tokens: 1_000, paymentReference: 'p1' }, NOON, { key: 'k1' })
      .then([
        { type: 'UserWalletOpened', data: { userId: 'u1', freeTokensPerMonth: 50 } },
        grant('2026-11', 50, 0),
        { type: 'TokensPurchased', data: { purchaseId: 'id-1', priceCents: 950, balanceAfter: { purchased: 1_000, balance: 1_050 } } },
      ])
      .when(purchaseForUser, { tokens: 1_000, paymentReference: 'p1' }, NOON, { key: 'k1' })
      .thenReplayed(2)
      .when(purchaseForUser, { tokens: 1_000, paymentReference: 'p1' }, NOON, { key: 'k2' })
      .thenRefused('PAYMENT_REFERENCE_USED', { paymentReference: 'p1' });
  });

  it('adds to what was bought, and to nothing else', () => {
    givenUser(walletOpened(), bought(300, 'p0'), received('acme', 5))
      .when(purchaseForUser, { tokens: 200, paymentReference: 'p1' }, NOON)
      .then([{ type: 'TokensPurchased', data: { balanceAfter: { purchased: 500, balance: 505 } } }]);
  });

  it('names the free tokens there are, for they go with their month and no event says so', () => {
    const free = { tokens: 70, month: '2026-11' };
    givenUser(walletOpened(100), granted(100, '2026-11'))
      .when(use, spendFree(30), NOON)
      .then([used])
      .when(purchaseForUser, { tokens: 200, paymentReference: 'p1' }, NOON)
      .then([{ type: 'TokensPurchased', data: { balanceAfter: { free, purchased: 200, balance: 270 } } }])
      .when(receiveAllocation, { organisationId: 'acme', allocationId: 'a1', number: 1, tokens: 5 }, NOON)
      .then([{ type: 'AllocationReceived', data: { balanceAfter: { free, balance: 275 } } }])
      .when(use, { tokens: 200, sources: ['purchased'] }, NOON)
      .then([{ type: 'TokensUsed', data: { balanceAfter: { free, purchased: 0, balance: 75 } } }]);
  });

  it('has the same bounds as an organisation', () => {
    givenUser(walletOpened(), bought(10 ** 12 - 200, 'p0'))
      .when(purchaseForUser, { tokens: 199, paymentReference: 'p1' }, NOON)
      .thenRefused('PURCHASE_TOO_SMALL')
      .when(purchaseForUser, { tokens: 201, paymentReference: 'p1' }, NOON)
      .thenRefused('BALANCE_TOO_LARGE')
      .when(purchaseForUser, { tokens: 200, paymentReference: 'p1' }, NOON)
      .then([{ type: 'TokensPurchased' }]);
  });
});

describe('the free allowance', () => {
  it('is there until the last millisecond of the month; then the rest lapses and the next comes, as one event', () => {
    givenUser(walletOpened(100), granted(100, '2026-11'))
      .when(use, spendFree(30), LAST)
      .then([used])
      .when(use, spendFree(71), LAST)
      .thenRefused('INSUFFICIENT_TOKENS', { available: 70 })
      .when(use, spendFree(101), FIRST)
      .thenRefused('INSUFFICIENT_TOKENS', { available: 100 })
      .when(use, spendFree(100), FIRST)
      .then([grant('2026-12', 100, 70), { type: 'TokensUsed', data: { freeMonth: '2026-12', balanceAfter: { balance: 0 } } }])
      .when(use, spendFree(1), FIRST)
      .thenRefused('INSUFFICIENT_TOKENS', { available: 0 });
  });

  it('goes by the zone of the platform', () => {
    givenUserWith({ platformTimeZone: 'Europe/Berlin' }, walletOpened(100), granted(100, '2026-11'))
      .when(use, spendFree(1), '2026-11-30T22:59:59.999Z')
      .then([used])
      .when(use, spendFree(1), '2026-11-30T23:00:00.000Z')
      .then([grant('2026-12', 100, 99), used]);
  });

  it('of three idle months is one', () => {
    givenUser(walletOpened(100), granted(100, '2026-11'))
      .when(use, spendFree(100), '2027-02-15T00:00:00.000Z')
      .then([grant('2027-02', 100, 100), used]);
  });

  it('is granted before whatever else happens first in a month', () => {
    const idle = () => givenUser(walletOpened(100), granted(100, '2026-11'));
    idle()
      .when(purchaseForUser, { tokens: 200, paymentReference: 'p1' }, FIRST)
      .then([grant('2026-12', 100, 100), { type: 'TokensPurchased', data: { balanceAfter: { balance: 300 } } }]);
    const line = { organisationId: 'acme', allocationId: 'a1', number: 1, tokens: 5 };
    idle()
      .when(receiveAllocation, line, FIRST)
      .then([grant('2026-12', 100, 100), { type: 'AllocationReceived', data: { balanceAfter: { balance: 105 } } }]);
    idle()
      .when(setFreeAllowance, set(120), FIRST)
      .then([grant('2026-12', 100, 100), allowance(120, 20, 120, '2026-12')]);
  });

  it('is granted by no refusal, and by nothing that says nothing', () => {
    givenUser(walletOpened(100), granted(100, '2026-11'), received('acme', 5))
      .when(use, spendFree(101), FIRST)
      .thenRefused('INSUFFICIENT_TOKENS')
      .when(setFreeAllowance, set(100), FIRST)
      .thenNothing()
      .when(receiveAllocation, { organisationId: 'acme', allocationId: 'a0', number: 1, tokens: 5 }, FIRST)
      .thenNothing();
  });

  it('keeps its month when the clock goes back over the end of it', () => {
    givenUser(walletOpened(100), granted(100, '2026-11'))
      .when(use, spendFree(40), FIRST)
      .then([grant('2026-12', 100, 100), used])
      .when(use, spendFree(60), LAST)
      .then([{ type: 'TokensUsed', data: { at: FIRST, freeMonth: '2026-12' } }])
      .when(use, spendFree(1), FIRST)
      .thenRefused('INSUFFICIENT_TOKENS');
  });

  it('keeps its month when the zone of the platform is set back', () => {
    const granting = givenUserWith({ platformTimeZone: 'Etc/GMT+12' }, walletOpened(100)).and(
      '2026-12-01T00:00:00.000Z',
      granted(100, '2026-12'),
    );
    granting.when(use, spendFree(100), '2026-12-01T00:00:00.000Z').then([used]);
    granting.when(use, spendFree(1), '2026-12-01T11:59:59.999Z').thenRefused('INSUFFICIENT_TOKENS');
    granting.when(use, spendFree(1), '2026-12-01T12:00:00.000Z').thenRefused('INSUFFICIENT_TOKENS');
  });

  it('is frozen when the wallet opens', () => {
    const user = givenUserWith({ freeTokensPerMonth: 50 });
    user.when(use, spendFree(50), NOON).then([{ type: 'UserWalletOpened' }, grant('2026-11', 50, 0), used]);
    user.around.settings.freeTokensPerMonth = 500;
    user.when(use, spendFree(1), NOON).thenRefused('INSUFFICIENT_TOKENS');
    user.when(use, spendFree(50), FIRST).then([grant('2026-12', 50, 0), used]);
  });

  it('never touches what was bought', () => {
    const user = givenUser(walletOpened(100), granted(100, '2026-11'), bought(300));
    user.when(use, spendFree(1), FIRST).then([grant('2026-12', 100, 100), used]);
    expect(user.wallet.purchased).toBe(300);
  });
});

describe('setting the free allowance', () => {
  it('opens the wallet with the figure that is set, over the default that held before', () => {
    givenUserWith({ freeTokensPerMonth: 50 })
      .when(setFreeAllowance, set(80), NOON)
      .then([{ type: 'UserWalletOpened', data: { freeTokensPerMonth: 50 } }, grant('2026-11', 50, 0), allowance(80, 30, 80)]);
    givenUser()
      .when(setFreeAllowance, set(80), NOON)
      .then([{ type: 'UserWalletOpened', data: { freeTokensPerMonth: 0 } }, allowance(80, 80, 80)])
      .when(use, spendFree(80), NOON)
      .then([used])
      .when(setFreeAllowance, set(80), NOON)
      .thenNothing();
  });

  it('higher adds the difference at once, once', () => {
    givenUser(walletOpened(100), granted(100, '2026-11'))
      .when(use, spendFree(90), NOON)
      .then([used])
      .when(setFreeAllowance, set(150), NOON)
      .then([allowance(150, 50, 60)])
      .when(setFreeAllowance, set(150), NOON)
      .thenNothing()
      .when(setFreeAllowance, set(150), NOON, { key: 'k1' })
      .then([allowance(150, 0, 60)])
      .when(setFreeAllowance, set(151), NOON)
      .then([allowance(151, 1, 61)])
      .when(use, spendFree(1), FIRST)
      .then([grant('2026-12', 151, 61), used]);
  });

  it('lower counts from the next month', () => {
    givenUser(walletOpened(100), granted(100, '2026-11'))
      .when(setFreeAllowance, set(50), NOON)
      .then([allowance(50, 0, 100)])
      .when(use, spendFree(90), LAST)
      .then([used])
      .when(use, spendFree(50), FIRST)
      .then([grant('2026-12', 50, 10), used]);
  });

  it('up and down again and again mints nothing', () => {
    const user = givenUser(walletOpened(100), granted(100, '2026-11'));
    user.when(use, spendFree(100), NOON).then([used]);
    for (let round = 0; round < 5; round += 1) {
      user.when(setFreeAllowance, set(50), NOON).then([allowance(50, 0, 0)]);
      user.when(setFreeAllowance, set(100), NOON).then([allowance(100, 0, 0)]);
    }
    user.when(setFreeAllowance, set(0), NOON).then([allowance(0, 0, 0)]);
    user.when(setFreeAllowance, set(110), NOON).then([allowance(110, 10, 10)]);
    user.when(setFreeAllowance, set(0), NOON).then([allowance(0, 0, 10)]);
    user.when(setFreeAllowance, set(110), NOON).then([allowance(110, 0, 10)]);
  });

  it('from nothing, in a month that granted nothing, adds once', () => {
    givenUser(walletOpened(0))
      .when(setFreeAllowance, set(40), NOON)
      .then([allowance(40, 40, 40)])
      .when(setFreeAllowance, set(0), NOON)
      .then([allowance(0, 0, 40)])
      .when(setFreeAllowance, set(40), NOON)
      .then([allowance(40, 0, 40)])
      .when(setFreeAllowance, set(0), NOON)
      .then([allowance(0, 0, 40)])
      .when(setFreeAllowance, set(40), FIRST)
      .then([grant('2026-12', 0, 40), allowance(40, 40, 40, '2026-12')]);
  });

  it('in a month that was granted nothing counts from nothing, whatever the month before was granted', () => {
    givenUser(walletOpened(100), granted(100, '2026-11'))
      .when(use, spendFree(100), NOON)
      .then([used])
      .when(setFreeAllowance, set(0), NOON)
      .then([allowance(0, 0, 0)])
      .when(setFreeAllowance, set(40), FIRST)
      .then([allowance(40, 40, 40, '2026-12')])
      .when(setFreeAllowance, set(60), FIRST)
      .then([allowance(60, 20, 60, '2026-12')]);
  });

  it('is not undone by a late retry', () => {
    const user = givenUser(walletOpened(100), granted(100, '2026-11'));
    user
      .when(setFreeAllowance, set(100), NOON, { key: 'k1' })
      .then([allowance(100, 0, 100)])
      .when(setFreeAllowance, set(30), NOON, { key: 'k2' })
      .then([allowance(30, 0, 100)])
      .when(setFreeAllowance, set(100), NOON, { key: 'k1' })
      .thenReplayed(2);
    expect(user.wallet.free?.tokensPerMonth).toBe(30);
  });
});

describe('receiving an allocation', () => {
  const line = (number: number, tokens = 10, organisationId = 'acme') => ({ organisationId, allocationId: `a${number}`, number, tokens });
  const receipt = (number: number, held: number, balance: number) =>
    ({
      type: 'AllocationReceived',
      data: {
        organisationId: 'acme',
        allocationId: `a${number}`,
        number,
        balanceAfter: { allocated: [{ organisationId: 'acme', tokens: held }], balance },
      },
    }) as const;

  it('takes the next number, ignores what it has, and stops at a gap', () => {
    const user = givenUser();
    user
      .when(receiveAllocation, line(1), NOON)
      .then([{ type: 'UserWalletOpened' }, receipt(1, 10, 10)])
      .when(receiveAllocation, line(1), NOON)
      .thenNothing()
      .when(receiveAllocation, line(2, 5), NOON)
      .then([receipt(2, 15, 15)])
      .when(receiveAllocation, line(1), NOON)
      .thenNothing()
      .when(receiveAllocation, line(2, 5), NOON)
      .thenNothing();
    expect(() => user.when(receiveAllocation, line(4), NOON)).toThrow(SettlementGap);
    expect(user.wallet.relationships.get('acme')).toMatchObject({ tokens: 15, received: 2 });
    user.when(receiveAllocation, line(3), NOON).then([receipt(3, 25, 25)]);
  });

  it('begins at 1', () => {
    expect(() => givenUser().when(receiveAllocation, line(2), NOON)).toThrow('has received allocation 0 of acme and is offered 2');
  });

  it('numbers each organisation by itself, in whatever order they come', () => {
    const user = givenUser(walletOpened());
    for (const organisationId of ['b', 'a', 'c'])
      user.when(receiveAllocation, line(1, 10, organisationId), NOON).then([{ type: 'AllocationReceived' }]);
    user.when(receiveAllocation, line(2, 10, 'a'), NOON).then([{ type: 'AllocationReceived' }]);
    expect([...user.wallet.relationships.keys()]).toEqual(['b', 'a', 'c']);
  });

  it('is never refused, whatever has become of the member', () => {
    givenUser(walletOpened())
      .when(receiveAllocation, line(1, 10 ** 12), NOON)
      .then([receipt(1, 10 ** 12, 10 ** 12)]);
  });
});
