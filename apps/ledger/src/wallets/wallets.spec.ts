import { StoreUnavailable } from '@ledger/event-store';
import {
  AllocateTokens,
  allocate,
  receiveAllocation,
  type ReceiveAllocation,
  RECENT_MAX,
  Refusal,
  reverse,
  ReverseUsage,
  setDefaultLimits,
  SetDefaultLimits,
  setFreeAllowance,
  SetFreeAllowance,
  SettlementGap,
  setMember,
  SetMember,
  use,
  UseTokens,
} from '@ledger/wallet';
import type { Commanded } from './commanding';
import { allocateTo, command, endow, eventsOf, type Instance, Instances, storedIn } from './testing/instances';

let instances: Instances;
beforeEach(() => (instances = new Instances()));
afterEach(() => instances.close());

const ORGANISATION = { kind: 'organisation', id: 'acme' } as const;

/** How the commands came out: how many were done, replayed, and refused by which code. */
async function tally(all: Promise<Commanded>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const one of await Promise.allSettled(all)) {
    const reason: unknown = one.status === 'rejected' ? one.reason : undefined;
    if (reason !== undefined && !(reason instanceof Refusal)) throw reason as Error;
    const name = one.status === 'fulfilled' ? (one.value.replayed ? 'replayed' : 'done') : (reason as Refusal).code;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const parallel = <T>(count: number, start: (index: number) => Promise<T>): Promise<T>[] =>
  Array.from({ length: count }, (_, index) => start(index));

const countOf = async ({ store }: Instance, stream: string, type: Parameters<typeof eventsOf>[1]): Promise<number> =>
  eventsOf(await storedIn(store, stream), type).length;

describe.each([1, 2])('64 usages at once, over %i instance(s), with room for', (count) => {
  const start = async (settings = {}): Promise<Instance[]> => Promise.all(parallel(count, () => instances.start(settings)));

  it('40 of them in purchased tokens: 40 are done', async () => {
    const all = await start();
    await all[0]!.buy('ben', 200);
    // Every instance holds the wallet in memory before the rush.
    for (const one of all) await expect(one.use('ben', { tokens: 201 })).rejects.toMatchObject({ code: 'INSUFFICIENT_TOKENS' });
    const told = await tally(parallel(64, (index) => all[index % count]!.use('ben', { tokens: 5 }, `use-${index}`)));
    expect(told).toEqual({ done: 40, INSUFFICIENT_TOKENS: 24 });
    const used = eventsOf(await storedIn(all[0]!.store, 'userWallet-ben'), 'TokensUsed');
    expect(used).toHaveLength(40);
    expect(used.at(-1)?.data.balanceAfter).toEqual({ purchased: 0, balance: 0 });
  });

  it('37 of them under a daily limit: 37 are done, and the limit is recorded once', async () => {
    const all = await start();
    await endow(all[0]!, 'acme', { ben: 1_000 });
    await all[0]!.organisations.execute(command(SetDefaultLimits, ORGANISATION, { usage: { daily: 370 } }, 'limit'), setDefaultLimits);
    const told = await tally(parallel(64, (index) => all[index % count]!.use('ben', { tokens: 10 }, `use-${index}`)));
    expect(told).toEqual({ done: 37, LIMIT_EXCEEDED: 27 });
    expect(await countOf(all[0]!, 'userWallet-ben', 'LimitReached')).toBe(1);
  });

  it('25 of them in the free tokens of a user whom nobody has heard of: 25 are done, on one wallet', async () => {
    const all = await start({ freeTokensPerMonth: 25 });
    const told = await tally(parallel(64, (index) => all[index % count]!.use('ben', { tokens: 1 }, `use-${index}`)));
    expect(told).toEqual({ done: 25, INSUFFICIENT_TOKENS: 39 });
    expect(await countOf(all[0]!, 'userWallet-ben', 'UserWalletOpened')).toBe(1);
    expect(await countOf(all[0]!, 'userWallet-ben', 'FreeAllowanceGranted')).toBe(1);
  });

  it('all of them, at the turn of a month: the allowance is granted once', async () => {
    const all = await start({ freeTokensPerMonth: 100 });
    for (const one of all) await one.use('ben', { tokens: 1 });
    instances.clock.at = Date.parse('2026-09-01T00:00:00.000Z');
    expect(await tally(parallel(64, (index) => all[index % count]!.use('ben', { tokens: 1 }, `use-${index}`)))).toEqual({ done: 64 });
    const granted = eventsOf(await storedIn(all[0]!.store, 'userWallet-ben'), 'FreeAllowanceGranted');
    expect(granted.map(({ data: { month, tokens, lapsed } }) => [month, tokens, lapsed])).toEqual([
      ['2026-06', 100, 0],
      ['2026-09', 100, 100 - count],
    ]);
  });

  it('one: the same key 50 times is one event and 49 replays of it', async () => {
    const all = await start();
    await all[0]!.buy('ben', 200);
    const answers = parallel(50, (index) => all[index % count]!.use('ben', { tokens: 5 }, 'again'));
    expect(await tally(answers)).toEqual({ done: 1, replayed: 49 });
    const events = (await Promise.all(answers)).map((answer) => answer.events);
    expect(new Set(events.map((one) => JSON.stringify(one.map(({ data }) => (data as { usageId: string }).usageId)))).size).toBe(1);
    expect(await countOf(all[0]!, 'userWallet-ben', 'TokensUsed')).toBe(1);
  });

  it('one: a usage is reversed once, whoever asks', async () => {
    const all = await start();
    await all[0]!.buy('ben', 200);
    const [used] = eventsOf((await all[0]!.use('ben', { tokens: 50 }, 'use')).events, 'TokensUsed');
    const back = (key: string) => command(ReverseUsage, { kind: 'user', id: 'ben' }, { usageId: used!.data.usageId }, key);
    const told = parallel(20, (index) => all[index % count]!.users.execute(back(`back-${index % 2}`), reverse));
    const counts = await tally(told);
    expect(counts.done).toBe(1);
    // The key that did it is replayed; the other one comes too late.
    expect(counts).toEqual({ done: 1, replayed: 9, USAGE_ALREADY_REVERSED: 10 });
    expect(await countOf(all[0]!, 'userWallet-ben', 'UsageReversed')).toBe(1);
  });
});

describe('a key', () => {
  it('with other content is refused, at once and later', async () => {
    const one = await instances.start();
    await one.buy('ben', 200);
    const counts = await tally([
      one.use('ben', { tokens: 5 }, 'k'),
      one.use('ben', { tokens: 6 }, 'k'),
      one.use('ben', { tokens: 5 }, 'k'),
    ]);
    expect(counts).toEqual({ done: 1, KEY_REUSED: 1, replayed: 1 });
    await expect(one.buy('ben', 200, 'k')).rejects.toMatchObject({ code: 'KEY_REUSED' });
  });

  it('that was refused is decided afresh', async () => {
    const one = await instances.start();
    await expect(one.use('ben', { tokens: 5 }, 'k')).rejects.toMatchObject({ code: 'INSUFFICIENT_TOKENS' });
    await one.buy('ben', 200);
    expect((await one.use('ben', { tokens: 5 }, 'k')).replayed).toBe(false);
  });

  it('is known to the other instance, though it holds the wallet as it was before', async () => {
    const [one, two] = [await instances.start(), await instances.start()];
    await one.buy('ben', 200);
    await two.use('ben', { tokens: 1 }, 'first');
    const done = await one.use('ben', { tokens: 199 }, 'k');
    // Were it decided on what the second instance holds, it would be charged; on what is stored it would be refused.
    expect(await two.use('ben', { tokens: 199 }, 'k')).toEqual({ ...done, replayed: true });
    expect(await one.use('ben', { tokens: 1 }, 'first')).toMatchObject({ replayed: true });
  });

  it('is answered to the letter after a restart', async () => {
    const one = await instances.start({ freeTokensPerMonth: 3 });
    await endow(one, 'acme', { ben: 100 });
    const body = { tokens: 20, service: 'chat', reference: 'call 7 "é"' };
    const used = await one.use('ben', body, 'use');
    const lines = { lines: [{ userId: 'ben', tokens: 5 }] };
    const allocated = await one.organisations.execute(command(AllocateTokens, ORGANISATION, lines, 'more'), allocate);
    await one.stop();
    instances.clock.at += 90 * 86_400_000;
    const two = await instances.start({ freeTokensPerMonth: 9 });
    // Of the first answer the key's own event is told again; the opening and the grant beside it are not its result.
    const again = await two.use('ben', body, 'use');
    expect(again.replayed).toBe(true);
    expect(again.events).toEqual(eventsOf(used.events, 'TokensUsed'));
    expect(again.events).toHaveLength(1);
    const allocatedAgain = await two.organisations.execute(command(AllocateTokens, ORGANISATION, lines, 'more'), allocate);
    expect(allocatedAgain).toEqual({ ...allocated, replayed: true });
  });

  it('that changes nothing is recorded all the same, so that a late retry undoes nothing', async () => {
    const one = await instances.start();
    const set = (tokensPerMonth: number, key: string) =>
      one.users.execute(command(SetFreeAllowance, { kind: 'user', id: 'ben' }, { tokensPerMonth }, key), setFreeAllowance);
    await set(5, 'a');
    await set(5, 'b');
    await set(7, 'c');
    expect(await set(5, 'b')).toMatchObject({ replayed: true });
    await expect(one.use('ben', { tokens: 8 })).rejects.toMatchObject({ code: 'INSUFFICIENT_TOKENS' });
    expect((await one.use('ben', { tokens: 7 })).replayed).toBe(false);
  });

  it('older than what the wallet remembers is found in the index, which is waited for', async () => {
    const one = await instances.start({ freeTokensPerMonth: 5_000 });
    const old = await one.use('ben', { tokens: 1 }, 'old');
    const usageId = eventsOf(old.events, 'TokensUsed')[0]!.data.usageId;
    await Promise.all(parallel(RECENT_MAX - 1, (index) => one.use('ben', { tokens: 1 }, `use-${index}`)));
    one.index.away = true;
    expect(await one.use('ben', { tokens: 1 }, 'old')).toMatchObject({ replayed: true });
    await one.use('ben', { tokens: 1 }, 'one too many');
    await expect(one.use('ben', { tokens: 1 }, 'old')).rejects.toMatchObject({ code: 'CATCHING_UP' });
    await expect(one.buy('ben', 5_000, 'new-payment')).rejects.toMatchObject({ code: 'CATCHING_UP' });
    one.index.away = false;
    expect(await one.use('ben', { tokens: 1 }, 'old')).toMatchObject({ replayed: true, events: eventsOf(old.events, 'TokensUsed') });
    const back = (key: string) => one.users.execute(command(ReverseUsage, { kind: 'user', id: 'ben' }, { usageId }, key), reverse);
    expect((await back('back')).replayed).toBe(false);
    await expect(back('back-2')).rejects.toMatchObject({ code: 'USAGE_ALREADY_REVERSED' });
    const told = await tally(parallel(40, (index) => one.use('ben', { tokens: 1 }, index % 2 ? 'old' : `new-${index}`)));
    expect(told).toEqual({ done: 20, replayed: 20 });
  });
});

describe('a limit of the organisation', () => {
  it('that one instance lowers binds the very next draw of the other', async () => {
    const [one, two] = [await instances.start(), await instances.start()];
    await endow(one, 'acme', { ben: 1_000 });
    await two.use('ben', { tokens: 10 });
    await one.organisations.execute(command(SetDefaultLimits, ORGANISATION, { usage: { daily: 15 } }, 'lower'), setDefaultLimits);
    await expect(two.use('ben', { tokens: 10 })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect((await two.use('ben', { tokens: 5 })).replayed).toBe(false);
    await one.organisations.execute(command(SetMember, ORGANISATION, { userId: 'ben', status: 'suspended' }, 'suspend'), setMember);
    await expect(two.use('ben', { tokens: 1 }, 'k')).rejects.toMatchObject({ code: 'MEMBER_SUSPENDED' });
    await one.organisations.execute(command(SetDefaultLimits, ORGANISATION, { usage: { daily: null } }, 'lift'), setDefaultLimits);
    await expect(two.use('ben', { tokens: 1 }, 'k')).rejects.toMatchObject({ code: 'MEMBER_SUSPENDED' });
  });

  it('is read once for all the draws that wait', async () => {
    const one = await instances.start();
    const members = Object.fromEntries(parallel(30, async () => 0).map((_, index) => [`member-${index}`, 10]));
    await endow(one, 'acme', members);
    const headOf = jest.spyOn(one.store, 'headOf');
    expect(await tally(Object.keys(members).map((id) => one.use(id, { tokens: 1 })))).toEqual({ done: 30 });
    expect(headOf.mock.calls.filter(([stream]) => stream === 'organisationWallet-acme').length).toBeLessThanOrEqual(2);
  });

  it('is not taken from a look that was under way when the draw came', async () => {
    const [one, two] = [await instances.start(), await instances.start()];
    await endow(one, 'acme', { ben: 100 });
    const dailyLimit = async () => (await two.organisations.policy('acme', 'ben'))?.limits.daily.limit;
    expect(await dailyLimit()).toBeNull();
    const headOf = two.store.headOf.bind(two.store);
    let [looks, answers] = [() => {}, () => {}];
    const looking = new Promise<void>((resolve) => (looks = resolve));
    const answered = new Promise<void>((resolve) => (answers = resolve));
    jest.spyOn(two.store, 'headOf').mockImplementationOnce(async (stream) => {
      const head = await headOf(stream);
      looks();
      await answered;
      return head;
    });
    const before = dailyLimit();
    await looking;
    await one.organisations.execute(command(SetDefaultLimits, ORGANISATION, { usage: { daily: 15 } }, 'lower'), setDefaultLimits);
    const after = dailyLimit();
    answers();
    expect([await before, await after]).toEqual([null, 15]);
  });

  it('is read again after a look that failed', async () => {
    const [one, two] = [await instances.start(), await instances.start()];
    await endow(one, 'acme', { ben: 100 });
    jest.spyOn(two.store, 'readStream').mockRejectedValueOnce(new StoreUnavailable('away'));
    const draws = [two.organisations.policy('acme', 'ben'), two.organisations.policy('acme', 'eva')];
    for (const draw of draws) await expect(draw).rejects.toThrow(StoreUnavailable);
    expect(await two.organisations.policy('acme', 'ben')).toMatchObject({ status: 'permitted' });
  });
});

describe('settlement', () => {
  it('by two instances, in any order over the members, credits each line once', async () => {
    const [one, two] = [await instances.start(), await instances.start()];
    await endow(one, 'acme', { ben: 1, eva: 1, kim: 1 });
    const lines: ReceiveAllocation[] = [];
    for (const round of [2, 3, 4]) {
      lines.push(...(await allocateTo(one.organisations, 'acme', { ben: round, eva: round, kim: round }, `allocate-${round}`)));
    }
    const settle = async ({ users }: Instance, members: string[]): Promise<void> => {
      await Promise.all(
        members.map(async (member) => {
          for (const line of lines.filter(({ wallet }) => wallet.id === member)) await users.execute(line, receiveAllocation);
        }),
      );
    };
    await Promise.all([settle(one, ['ben', 'eva', 'kim']), settle(two, ['kim', 'eva', 'ben']), settle(two, ['eva', 'kim', 'ben'])]);
    for (const member of ['ben', 'eva', 'kim']) {
      const received = eventsOf(await storedIn(one.store, `userWallet-${member}`), 'AllocationReceived');
      expect(received.map(({ data: { number, tokens } }) => [number, tokens])).toEqual([
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 4],
      ]);
      expect(received.at(-1)?.data.balanceAfter.balance).toBe(10);
    }
  });

  it('says nothing of a gap that another instance has closed, and stops at a real one', async () => {
    const [one, two] = [await instances.start(), await instances.start()];
    const first = await endow(one, 'acme', { ben: 1 });
    await two.users.execute(first.lines[0]!, receiveAllocation);
    const [second, third, fourth] = await Promise.all(
      [2, 3, 4].map((n) => allocateTo(one.organisations, 'acme', { ben: n }, `allocate-${n}`)),
    );
    await one.users.execute(second![0]!, receiveAllocation);
    expect((await two.users.execute(third![0]!, receiveAllocation)).events).toHaveLength(1);
    await expect(one.users.execute({ ...fourth![0]!, number: 5 }, receiveAllocation)).rejects.toThrow(SettlementGap);
  });
});

describe('what is asked and not done', () => {
  it('writes nothing, says what would be done now, and looks up no key', async () => {
    const one = await instances.start();
    await one.buy('ben', 200);
    const ask = (tokens: number) => command(UseTokens, { kind: 'user', id: 'ben' }, { tokens }, 'k');
    await one.users.execute(ask(50), use);
    const [event] = eventsOf(await one.users.preview(ask(50), use), 'TokensUsed');
    expect(event?.data.balanceAfter.balance).toBe(100);
    await expect(one.users.preview(ask(151), use)).rejects.toMatchObject({ code: 'INSUFFICIENT_TOKENS' });
    expect(await countOf(one, 'userWallet-ben', 'TokensUsed')).toBe(1);
  });
});

describe('the clock', () => {
  it('that goes back, or differs between instances, never takes the wallet back', async () => {
    const one = await instances.start({ freeTokensPerMonth: 10 });
    await one.use('ben', { tokens: 1 });
    instances.clock.at -= 40 * 86_400_000;
    const two = await instances.start({ freeTokensPerMonth: 10 });
    await two.use('ben', { tokens: 1 });
    await one.use('ben', { tokens: 1 });
    const events = await storedIn(one.store, 'userWallet-ben');
    expect(new Set(events.map(({ data }) => data.at))).toEqual(new Set(['2026-06-15T12:00:00.000Z']));
    expect(eventsOf(events, 'FreeAllowanceGranted')).toHaveLength(1);
  });
});
