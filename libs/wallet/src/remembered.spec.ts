import { allocate } from './allocation';
import { type Given, judge, Missing } from './decision';
import type { Remembered, RememberedEntry } from './remembered';
import { setDefaultLimits, setMember } from './members';
import { openOrganisation, purchaseForOrganisation } from './organisation-wallet';
import { RECENT_MAX, remember, rememberedNothing } from './remembered';
import { bought, opened, permitted, purchased, walletOpened } from './testing/facts';
import { given, givenUser } from './testing/given';
import { SETTINGS } from './testing/log';
import { reverse, use } from './usage';
import { purchaseForUser } from './user-wallet';

const NOON = '2026-11-23T12:00:00.000Z';
const used = { type: 'TokensUsed' } as const;
const pay = (paymentReference: string, tokens = 200) => ({ tokens, paymentReference });

describe('a key', () => {
  it('answers the first result for the same content, and refuses other content', () => {
    given(opened())
      .when(purchaseForOrganisation, pay('p1'), NOON, { key: 'k1' })
      .then([{ type: 'TokensPurchased' }])
      .when(purchaseForOrganisation, pay('p1'), NOON, { key: 'k1' })
      .thenReplayed(1)
      .when(purchaseForOrganisation, pay('p1', 201), NOON, { key: 'k1' })
      .thenRefused('KEY_REUSED', { key: 'k1' })
      .when(purchaseForOrganisation, pay('p2'), NOON, { key: 'K1' })
      .then([{ type: 'TokensPurchased' }]);
  });

  it('is scoped to the wallet across all operations', () => {
    const acme = given(opened(), purchased(1_000), permitted('u1')).when(allocate, { lines: [{ userId: 'u1', tokens: 5 }] }, NOON, {
      key: 'k1',
    });
    const after = acme.then([{ type: 'TokensAllocated' }]);
    after.when(setDefaultLimits, {}, NOON, { key: 'k1' }).thenRefused('KEY_REUSED');
    after.when(setMember, { userId: 'u2', status: 'permitted' }, NOON, { key: 'k1' }).thenRefused('KEY_REUSED');
    after.when(purchaseForOrganisation, pay('p1'), NOON, { key: 'k1' }).thenRefused('KEY_REUSED');
    after.when(openOrganisation, {}, NOON, { key: 'k1' }).thenRefused('KEY_REUSED');
    given(opened())
      .when(setDefaultLimits, {}, NOON, { key: 'k1' })
      .then([{ type: 'LimitSet' }]);
  });

  it('comes before anything that looks at the clock, the state or what exists', () => {
    const occurredAt = '2026-11-23T11:00:00.000Z';
    const user = givenUser(walletOpened(), bought(10));
    user
      .when(use, { tokens: 10, occurredAt }, NOON, { key: 'k1' })
      .then([used])
      .when(use, { tokens: 10, occurredAt }, '2027-11-23T12:00:00.000Z', { key: 'k1' })
      .thenReplayed(2)
      .when(use, { tokens: 11, occurredAt, organisationId: 'ghost' }, '2027-11-23T12:00:00.000Z', { key: 'k1' })
      .thenRefused('KEY_REUSED');
    expect(user.log.asked).toEqual([]);
  });

  it('of a refusal is not used up', () => {
    const user = givenUser(walletOpened(), bought(10));
    user
      .when(use, { tokens: 11 }, NOON, { key: 'k1' })
      .thenRefused('INSUFFICIENT_TOKENS')
      .and(NOON, bought(1, 'p1'))
      .when(use, { tokens: 11 }, NOON, { key: 'k1' })
      .then([used])
      .when(use, { tokens: 11 }, NOON, { key: 'k1' })
      .thenReplayed(3);
  });

  it('is carried by the result alone, and by every part of it', () => {
    const user = givenUser();
    user.around.settings = { ...SETTINGS, freeTokensPerMonth: 5 };
    user.when(use, { tokens: 5 }, NOON, { key: 'k1' }).then([{ type: 'UserWalletOpened' }, { type: 'FreeAllowanceGranted' }, used]);
    const keys = user.log.events.map(({ sealed }) => (JSON.parse(sealed.metadata) as { key?: string }).key);
    expect(keys).toEqual([undefined, undefined, 'k1']);
    const lines = Array.from({ length: 1_001 }, (_, index) => ({ userId: `m${index}`, tokens: 1 }));
    const acme = given(opened(), purchased(2_000), permitted(...lines.map(({ userId }) => userId)));
    acme.when(allocate, { lines }, NOON, { key: 'k1' }).then([{ type: 'TokensAllocated' }, { type: 'TokensAllocated' }]);
    expect(acme.log.events.slice(3).map(({ sealed }) => (JSON.parse(sealed.metadata) as { key?: string }).key)).toEqual(['k1', 'k1']);
    acme.when(allocate, { lines }, NOON, { key: 'k1' }).thenReplayed(3);
  });

  it('lets a bug be a bug: what is no refusal is thrown', () => {
    const broken = () => {
      throw new TypeError('a bug');
    };
    const wallet = { keys: rememberedNothing() };
    const envelope = { actor: 'a', role: 'r', requestId: 'q', correlationId: 'c' };
    const nothing: Given = {
      at: 0,
      newId: 'id',
      settings: SETTINGS,
      policies: new Map(),
      older: new Map(),
      stored: new Map(),
      memberships: new Map(),
    };
    expect(() => judge(wallet, { wallet: { kind: 'user', id: 'u1' }, envelope }, nothing, broken)).toThrow('a bug');
  });
});

describe('what is unique for ever', () => {
  it('is remembered up to a bound, the oldest dropped first', () => {
    const kept = rememberedNothing();
    for (let revision = 0; revision < RECENT_MAX; revision += 1) remember(kept, `e${revision}`, { revision });
    expect([kept.recent.size, kept.droppedRevision]).toEqual([RECENT_MAX, -1]);
    remember(kept, 'one more', { revision: RECENT_MAX });
    expect([kept.recent.size, kept.recent.has('e0'), kept.recent.has('e1'), kept.droppedRevision]).toEqual([RECENT_MAX, false, true, 0]);
  });

  it('is remembered by one wallet alone, though those that remember nothing share it, in a snapshot too', () => {
    const fresh: [Remembered, Remembered] = [rememberedNothing(), rememberedNothing()];
    for (const [one, other] of [fresh, structuredClone(fresh)]) {
      remember(one, 'e', { revision: 0 });
      expect([one.recent.size, other.recent.size]).toEqual([1, 0]);
    }
    expect(rememberedNothing().recent.size).toBe(0);
  });

  it('is as recent as its last change, and an index must have read as far as that', () => {
    const kept = rememberedNothing();
    remember(kept, 'reversed', { revision: 0 });
    for (let revision = 1; revision < RECENT_MAX; revision += 1) remember(kept, `e${revision}`, { revision });
    remember(kept, 'reversed', { revision: 0, reversedRevision: 5_000 });
    remember(kept, 'x', { revision: 5_001 });
    expect([kept.recent.has('e1'), kept.recent.has('reversed'), kept.droppedRevision]).toEqual([false, true, 1]);
    for (let revision = 6_000; kept.recent.has('reversed'); revision += 1) remember(kept, `e${revision}`, { revision });
    expect(kept.droppedRevision).toBe(5_000);
  });

  /** Makes the wallet forget its first entries: one for each of `count` more. */
  const crowd = (count: number) => {
    const user = givenUser(walletOpened(), bought(10 ** 9, 'p0'));
    user.when(use, { tokens: 7 }, NOON, { key: 'first' }).then([used]);
    for (let index = 1; index < count; index += 1) user.when(use, { tokens: 1 }, NOON, { key: `k${index}` }).then([used]);
    return user;
  };

  it('asks nobody as long as nothing was dropped', () => {
    const user = crowd(RECENT_MAX);
    user.when(use, { tokens: 7 }, NOON, { key: 'first' }).thenReplayed(2);
    user.when(use, { tokens: 1 }, NOON, { key: 'new' }).then([used]);
    expect(user.log.asked).toEqual([]);
  });

  it('is asked of the index once something was: a dropped key replays, other content is refused, a new key is new', () => {
    const user = crowd(RECENT_MAX + 1);
    expect(user.wallet.keys.recent.has('first')).toBe(false);
    user.when(use, { tokens: 7 }, NOON, { key: 'first' }).thenReplayed(2);
    expect(user.log.asked).toEqual(['key:first']);
    user.when(use, { tokens: 8 }, NOON, { key: 'first' }).thenRefused('KEY_REUSED');
    user.when(use, { tokens: 1 }, NOON, { key: 'k1' }).thenReplayed(3);
    expect(user.log.asked).toEqual([]);
    user.when(use, { tokens: 1 }, NOON, { key: 'new' }).then([used]);
    expect(user.log.asked).toEqual(['key:new']);
  });

  it('reverses a dropped usage, once', () => {
    const user = crowd(RECENT_MAX + 1);
    user.when(reverse, { usageId: 'id-1' }, NOON).then([{ type: 'UsageReversed', data: { tokens: 7 } }]);
    expect(user.log.asked).toEqual(['usage:id-1', 'revision:2']);
    user.when(reverse, { usageId: 'id-1' }, NOON).thenRefused('USAGE_ALREADY_REVERSED');
    expect(user.log.asked).toEqual([]);
    for (let index = 0; index <= RECENT_MAX; index += 1) user.when(use, { tokens: 1 }, NOON).then([used]);
    user.when(reverse, { usageId: 'id-1' }, NOON).thenRefused('USAGE_ALREADY_REVERSED');
    expect(user.log.asked).toEqual(['usage:id-1']);
    user.when(reverse, { usageId: 'never' }, NOON).thenRefused('USAGE_NOT_FOUND');
    expect(user.log.asked).toEqual(['usage:never']);
  });

  it('credits a dropped payment never again', () => {
    const user = givenUser(walletOpened());
    for (let index = 0; index <= RECENT_MAX; index += 1)
      user.when(purchaseForUser, pay(`p${index}`), NOON).then([{ type: 'TokensPurchased' }]);
    user.when(purchaseForUser, pay('p0'), NOON).thenRefused('PAYMENT_REFERENCE_USED');
    expect(user.log.asked).toEqual(['payment:p0']);
    user.when(purchaseForUser, pay('p1'), NOON).thenRefused('PAYMENT_REFERENCE_USED');
    expect(user.log.asked).toEqual([]);
    const acme = given(opened());
    for (let index = 0; index <= RECENT_MAX; index += 1)
      acme.when(purchaseForOrganisation, pay(`p${index}`), NOON).then([{ type: 'TokensPurchased' }]);
    acme.when(purchaseForOrganisation, pay('p0'), NOON).thenRefused('PAYMENT_REFERENCE_USED');
  });

  it('says how far the index must have read, and waits for its answer', () => {
    const user = crowd(RECENT_MAX + 3);
    const envelope = { actor: 'a', role: 'r', requestId: 'q', correlationId: 'c', key: 'asked', contentHash: 'h' };
    const command = { tokens: 1, wallet: { kind: 'user', id: 'u1' } as const, envelope };
    const judged = (older: Map<string, RememberedEntry | null>) =>
      judge(
        user.wallet,
        command,
        { at: Date.parse(NOON), newId: 'id', settings: SETTINGS, policies: new Map(), older, stored: new Map(), memberships: new Map() },
        use,
      );
    // The keys of revisions 2, 3 and 4 were dropped.
    expect(judged(new Map())).toEqual(new Missing({ entry: { kind: 'key', entry: 'asked', droppedRevision: 4 } }));
    expect(judged(new Map([['usage:asked', null]]))).toBeInstanceOf(Missing);
    expect(judged(new Map([['key:asked', { revision: 3, contentHash: 'h' }]]))).toEqual({ events: [], replayOf: 3 });
    expect(judged(new Map([['key:asked', { revision: 3, contentHash: 'other' }]]))).toMatchObject({ refusal: { code: 'KEY_REUSED' } });
    expect(judged(new Map([['key:asked', null]]))).toMatchObject({ events: [{ type: 'TokensUsed' }] });
  });
});
