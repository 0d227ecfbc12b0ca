import { allocate } from './allocation';
import type { EventOf } from './events';
import { setMembers } from './members';
import { allocated, defaultLimits, opened, permitted, purchased } from './testing/facts';
import { given, type Scenario } from './testing/given';
import type { OrganisationWallet } from './organisation-wallet';

const NOON = '2026-11-23T12:00:00.000Z';
const LINES = 10_000;
/** What EventStoreDB takes in one append; and what an event counts towards it. */
const APPEND_BYTES = 1_048_576;
const bytesFrom = ({ log }: Scenario<OrganisationWallet>, revision: number): number =>
  log.events
    .slice(revision)
    .reduce(
      (sum, { sealed: { data, metadata, type } }) => sum + Buffer.byteLength(data) + Buffer.byteLength(metadata) + 2 * type.length,
      0,
    );

const ids = Array.from({ length: LINES }, (_, index) => `member-${index}`.padEnd(64, '~'));
const KEY = { key: 'k'.repeat(200), contentHash: 'c'.repeat(64) };

describe('an allocation of 10,000 lines', () => {
  /** Ids of 64 characters, the largest amount of a body, both limits of every line reached, and numbers of four digits. */
  const allocateAll = (tokens: number, memo?: string) => {
    const acme = given(opened(), purchased(10 ** 12), permitted(...ids), defaultLimits({ allocation: { daily: tokens, monthly: tokens } }));
    for (const member of acme.wallet.members.values()) member.allocations = 1_000;
    const from = acme.log.events.length;
    const outcome = acme.when(allocate, { lines: ids.map((userId) => ({ userId, tokens })), ...(memo ? { memo } : {}) }, NOON, KEY);
    return { outcome, acme, from, events: outcome.verdict.events as EventOf<'TokensAllocated'>[] };
  };

  it('is ten events of one id, whose parts add up', () => {
    const { events } = allocateAll(3);
    expect(events.map(({ data }) => [data.part, data.parts, data.lines.length, data.tokens, data.balanceAfter.available])).toEqual(
      Array.from({ length: 10 }, (_, index) => [index + 1, 10, 1_000, 3_000, 10 ** 12 - 3_000 * (index + 1)]),
    );
    expect(new Set(events.map(({ data }) => data.allocationId))).toEqual(new Set(['id-1']));
    expect(events.every(({ data }) => data.tokensTotal === 30_000 && data.lineCount === LINES)).toBe(true);
    expect(events.flatMap(({ data }) => data.lines.map(([userId]) => userId))).toEqual(ids);
    expect(events.every(({ data }) => data.reached?.daily?.length === 1_000 && data.reached.monthly?.length === 1_000)).toBe(true);
  });

  it.each([1, 10 ** 7, 10 ** 8])('fits one append with %d tokens a line', (tokens) => {
    const { acme, from } = allocateAll(tokens, '€'.repeat(200));
    expect(bytesFrom(acme, from)).toBeLessThan(APPEND_BYTES);
  });

  it('replays from its first event', () => {
    const { acme, from } = allocateAll(3);
    acme.when(allocate, { lines: ids.map((userId) => ({ userId, tokens: 3 })) }, NOON, KEY).thenReplayed(from);
  });

  it('splits at 1,000 lines', () => {
    const partsOf = (count: number) =>
      given(opened(), purchased(LINES), permitted(...ids.slice(0, count)))
        .when(allocate, { lines: ids.slice(0, count).map((userId) => ({ userId, tokens: 1 })) }, NOON)
        .verdict.events.map((event) => (event as EventOf<'TokensAllocated'>).data.lines.length);
    expect(partsOf(999)).toEqual([999]);
    expect(partsOf(1_000)).toEqual([1_000]);
    expect(partsOf(1_001)).toEqual([1_000, 1]);
  });

  it('is all or nothing at the last line too', () => {
    const acme = given(opened(), purchased(10 ** 6), permitted(...ids.slice(0, -1)), allocated([ids[0] ?? '', 1]));
    const before = acme.log.events.length;
    acme
      .when(allocate, { lines: ids.map((userId) => ({ userId, tokens: 1 })) }, NOON)
      .thenRefused('ALLOCATION_REFUSED', { failedLines: 1, lines: [{ index: 9_999, code: 'MEMBER_NOT_PERMITTED' }] });
    expect(acme.log.events).toHaveLength(before);
  });
});

describe('a batch of 10,000 members', () => {
  it('fits one append with a state for each', () => {
    const acme = given(opened());
    acme.when(setMembers, { members: ids.map((userId) => ({ userId, status: 'permitted' })) }, NOON, KEY);
    expect(bytesFrom(acme, 1)).toBeLessThan(APPEND_BYTES);
  });

  it('fits one append with an override for each of 5,000; 10,000 of them are over it, and the mailbox refuses them whole', () => {
    const bytesOf = (count: number) => {
      const acme = given(opened());
      const members = ids.slice(0, count).map((userId) => ({ userId, status: 'permitted' as const, limits: { usage: { daily: 500 } } }));
      acme.when(setMembers, { members }, NOON, KEY);
      return bytesFrom(acme, 1);
    };
    expect(bytesOf(5_000)).toBeLessThan(APPEND_BYTES);
    expect(bytesOf(LINES)).toBeGreaterThan(APPEND_BYTES);
  });
});
