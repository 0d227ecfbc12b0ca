import type { WalletEvent } from '@ledger/wallet';
import { addUp } from './adding-up';
import { moveBucket, userOf, type Books } from './books';
import { recompute, type StoredFact } from './recompute';
import { Tally } from './tally';

const at = '2026-11-23T12:00:00.000Z';
const windows = { daily: '2026-11-23', monthly: '2026-11' };
const purchase = {
  at,
  purchaseId: 'p1',
  paymentReference: 'r1',
  listPriceCents: 0,
  discountPercent: 0,
  priceCents: 0,
  priceTable: '1',
  owedPaid: 0,
};

/** A small day that adds up: acme buys 1,000 and gives ada 100; she has 20 free, uses 50, and 30 of another use come back. */
function day(): StoredFact[] {
  const considered = (tokens: number, used: number) => [
    {
      organisationId: 'acme',
      revision: 2,
      status: 'permitted' as const,
      usable: true,
      tokens,
      windows: { daily: { window: '2026-11-23', used, limit: 60 }, monthly: { window: '2026-11', used, limit: null } },
    },
  ];
  const allocated = (tokens: number) => [{ organisationId: 'acme', tokens }];
  const charged = (tokens: number) => [{ source: 'allocated' as const, organisationId: 'acme', tokens }];
  const acme: WalletEvent[] = [
    { type: 'OrganisationWalletOpened', data: { at, organisationId: 'acme', timeZone: 'UTC', balanceAfter: { available: 0, balance: 0 } } },
    { type: 'TokensPurchased', data: { ...purchase, tokens: 1_000, balanceAfter: { available: 1_000, balance: 1_000 } } },
    { type: 'MemberPermitted', data: { at, userIds: ['ada'] } },
    {
      type: 'TokensAllocated',
      data: {
        at,
        allocationId: 'a1',
        part: 1,
        parts: 1,
        tokens: 100,
        tokensTotal: 100,
        lineCount: 1,
        windows,
        lines: [['ada', 100, 1]],
        balanceAfter: { available: 900, balance: 900 },
      },
    },
  ];
  const ada: WalletEvent[] = [
    { type: 'UserWalletOpened', data: { at, userId: 'ada', freeTokensPerMonth: 0, balanceAfter: { balance: 0 } } },
    {
      type: 'AllocationReceived',
      data: {
        at,
        organisationId: 'acme',
        allocationId: 'a1',
        number: 1,
        tokens: 100,
        balanceAfter: { allocated: allocated(100), balance: 100 },
      },
    },
    {
      type: 'FreeAllowanceSet',
      data: { at, tokensPerMonth: 20, added: 20, month: '2026-11', balanceAfter: { free: { tokens: 20, month: '2026-11' }, balance: 120 } },
    },
    {
      type: 'TokensUsed',
      data: {
        at,
        usageId: 'u1',
        tokens: 50,
        occurredAt: at,
        charged: [{ source: 'free', tokens: 20 }, ...charged(30)],
        freeMonth: '2026-11',
        considered: considered(30, 30),
        balanceAfter: { free: { tokens: 0, month: '2026-11' }, allocated: allocated(70), balance: 70 },
      },
    },
    {
      type: 'TokensUsed',
      data: {
        at,
        usageId: 'u2',
        tokens: 30,
        occurredAt: at,
        charged: charged(30),
        considered: considered(30, 60),
        balanceAfter: { allocated: allocated(40), balance: 40 },
      },
    },
    {
      type: 'LimitReached',
      data: {
        at,
        organisationId: 'acme',
        meter: 'usage',
        period: 'daily',
        window: '2026-11-23',
        limit: 60,
        used: 60,
        resetsAt: at,
        by: 'draw',
      },
    },
    {
      type: 'UsageReversed',
      data: {
        at,
        usageId: 'u2',
        tokens: 30,
        returned: charged(30),
        lapsed: 0,
        windows: [
          { organisationId: 'acme', window: '2026-11-23', used: 30 },
          { organisationId: 'acme', window: '2026-11', used: 30 },
        ],
        balanceAfter: { allocated: allocated(70), balance: 70 },
      },
    },
  ];
  const stored = (stream: string, events: WalletEvent[]) => events.map((event, revision) => ({ stream, revision, event }));
  return [...stored('organisationWallet-acme', acme), ...stored('userWallet-ada', ada)];
}

function answers(): Tally {
  const tally = new Tally();
  tally.purchasedBy({ organisation: 'acme' }, 1_000);
  tally.allocated('acme', [{ userId: 'ada', tokens: 100 }]);
  tally.granted('ada', 20);
  tally.charged('ada', 50, [
    { source: 'free', tokens: 20 },
    { source: 'allocated', organisationId: 'acme', tokens: 30 },
  ]);
  const twice = [{ source: 'allocated' as const, organisationId: 'acme', tokens: 30 }];
  tally.charged('ada', 30, twice);
  tally.returned('ada', 30, twice);
  return tally;
}

const reads = (): Books => ({
  witness: 'reads',
  organisations: new Map([['acme', { available: 900, inTransit: 0 }]]),
  users: new Map([['ada', { free: 0, purchased: 0, allocated: new Map([['acme', 70]]) }]]),
});

/** Changes one stored fact; the index is that of `day`. */
function spoiled(index: number, change: (data: Record<string, unknown>) => void): StoredFact[] {
  const facts = structuredClone(day());
  change(facts[index]!.event.data as unknown as Record<string, unknown>);
  return facts;
}

describe('the recomputation', () => {
  it('finds where all tokens are', () => {
    const books = recompute(day());
    expect(books.faults).toEqual([]);
    expect(books).toMatchObject({ purchased: 1_000, granted: 20, spent: 50, lapsed: 0, events: 11, streams: 2 });
    expect(books.organisations.get('acme')).toEqual({ available: 900, inTransit: 0 });
    expect(books.users.get('ada')).toEqual({ free: 0, purchased: 0, allocated: new Map([['acme', 70]]) });
  });

  it.each<[string, number, (data: Record<string, unknown>) => void, string]>([
    ['a purchase of another size', 1, (data) => (data.tokens = 999), 'balance'],
    ['an allocation unlike its lines', 3, (data) => (data.tokens = 101), 'lines'],
    ['a credit of another size', 5, (data) => (data.tokens = 99), 'balance'],
    ['a credit twice', 5, (data) => (data.number = 2), 'number of ada of acme'],
    ['a charge unlike its parts', 7, (data) => (data.tokens = 51), 'charged'],
    ['a balance that is off by one', 8, (data) => (data.balanceAfter = { balance: 41 }), 'balance 41'],
    ['a reversal of more than was charged', 10, (data) => (data.tokens = 31), 'returned and lapsed'],
  ])('sees %s', (_, index, change, sentence) => {
    expect(recompute(spoiled(index, change)).faults.join('\n')).toContain(sentence);
  });

  it('sees a limit that was passed, and nothing at the limit itself', () => {
    const limited = (limit: number) =>
      spoiled(8, (data) => ((data.considered as { windows: { daily: { limit: number } } }[])[0]!.windows.daily.limit = limit));
    expect(recompute(limited(59)).faults.join('\n')).toContain('passes the limit of 59');
    expect(recompute(limited(60)).faults).toEqual([]);
  });

  it('sees a missing event, and a credit that never came', () => {
    const gap = day();
    gap.splice(4, 1);
    expect(recompute(gap).faults.join('\n')).toContain('comes where revision 0 should be');
    expect(recompute(day().slice(0, 5)).faults.join('\n')).toContain('credited up to allocation 0 of 1');
  });

  it('sees an event of a type that it does not know, and a stream of no wallet', () => {
    const [first] = day();
    const strange = { ...first!, event: { type: 'TokensForgotten', data: {} } as unknown as WalletEvent };
    expect(recompute([strange]).faults.join('\n')).toContain('does not know');
    expect(recompute([{ ...first!, stream: 'campus-1' }]).faults.join('\n')).toContain('no wallet');
  });
});

describe('adding up', () => {
  it('finds that answers, reads and events agree', () => {
    const { faults, rows, wallets } = addUp(answers().books, reads(), recompute(day()));
    expect(faults).toEqual([]);
    expect(wallets).toBe(2);
    expect(rows).toContainEqual(['held by members', 70, 70, 70]);
    expect(rows).toContainEqual(['spent', 50, '', 50]);
  });

  it('names the wallet whose read is off by one token, also when the totals agree', () => {
    const wrong = reads();
    moveBucket(userOf(wrong, 'ada'), 'allocated', 'acme', -1);
    moveBucket(userOf(wrong, 'ben'), 'purchased', undefined, 1);
    const { faults } = addUp(answers().books, wrong, recompute(day()));
    expect(faults).toContain('ada allocated by acme: answers say 70, reads say 69.');
    expect(faults).toContain('ben purchased: events say 0, reads say 1.');
    expect(faults.some((fault) => fault.startsWith('held by members'))).toBe(false);
  });

  it('sees a charge that was answered and never stored', () => {
    const tally = answers();
    tally.charged('ada', 1, [{ source: 'allocated', organisationId: 'acme', tokens: 1 }]);
    const { faults } = addUp(tally.books, reads(), recompute(day()));
    expect(faults).toContain('spent: answers say 51, reads say nothing, events say 50.');
  });

  it('sees tokens from nowhere', () => {
    const tally = answers();
    tally.books.purchased += 1;
    expect(addUp(tally.books, reads(), recompute(day())).faults).toContain(
      'By the answers 1021 tokens were issued, and 1020 are accounted for.',
    );
  });
});
