import { EventStore, NO_POSITION, type StoredEvent } from '@ledger/event-store';
import { eventOf, type WalletEvent, walletOf } from '@ledger/wallet';
import { Clock } from '../wallets/clock';
import { LedgerForSpec } from './ledger-for-spec';
import type { EntryAnswer } from './statements';

/**
 * A random history through the HTTP API, months long, with bills, debts and reversals. Statements must sum to balances, and
 * every balance of the past must be what an arithmetic of this file's own makes of the raw events. `HISTORY_SEED` repeats a run.
 */

const seed = Number(process.env.HISTORY_SEED ?? Date.now() % 2 ** 31);
const COMMANDS = 500;
const INSTANTS = 1_000;
const ZONE = 'Europe/Berlin';
const FREE = 20;
const ORGANISATIONS = ['acme', 'beta'];
const USERS = ['u0', 'u1', 'u2', 'u3', 'u4'];
const DAY_MS = 86_400_000;

/** mulberry32. */
let state = seed;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const below = (end: number): number => Math.floor(random() * end);
const oneOf = <Item>(items: readonly Item[]): Item => items[below(items.length)]!;

interface Fact {
  stream: string;
  position: bigint;
  revision: number;
  at: number;
  event: WalletEvent;
}

describe('what a random history leaves behind', () => {
  let ledger: LedgerForSpec;
  let facts: Fact[];
  let now = Date.parse('2026-10-20T12:00:00.000Z');
  const outcomes: Record<string, number> = {};

  beforeAll(async () => {
    process.stdout.write(`history: HISTORY_SEED=${seed}\n`);
    ledger = await LedgerForSpec.start({ FREE_TOKENS_PER_MONTH: String(FREE), PLATFORM_TIME_ZONE: ZONE });
    // It ticks while it is asked, so that what is allocated is received a little later.
    ledger.app.get(Clock).now = () => (now += random() < 0.5 ? 1 : 0);
    await live();
    facts = (await stored()).map(({ stream, position, revision, type, data, metadata }) => {
      const event = eventOf({ type, data, metadata });
      return { stream, position, revision, at: Date.parse(event.data.at), event };
    });
  }, 60_000);
  afterAll(() => ledger.stop());

  async function stored(): Promise<StoredEvent[]> {
    const all: StoredEvent[] = [];
    for (let after = NO_POSITION; ;) {
      const page = await ledger.app.get(EventStore).readAll(after, 10_000);
      if (page.length === 0) return all;
      all.push(...page);
      after = page.at(-1)!.position;
    }
  }

  async function live(): Promise<void> {
    const usages: [string, string][] = [];
    let position: string | undefined;
    const send = async (method: string, url: string, body?: object) => {
      const answer = await ledger.send(method, `/v1${url}`, body === undefined ? {} : { body });
      const outcome =
        answer.status < 300
          ? `${method} ${url
              .split('/')
              .at(-1)!
              .replace(/^[\w-]{36}$/, '')}`
          : answer.body.code;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      expect(answer.status).toBeLessThan(500);
      position = answer.headers['ledger-position'] ?? position;
      return answer;
    };
    for (const id of ORGANISATIONS) {
      await send('PUT', `/organisations/${id}`, { timeZone: id === 'acme' ? 'America/New_York' : 'UTC' });
      await send('POST', `/organisations/${id}/members/batch`, { members: USERS.map((userId) => ({ userId, status: 'permitted' })) });
      await send('POST', `/organisations/${id}/purchases`, { tokens: 500, paymentReference: 'first' });
    }
    const owner = () => (random() < 0.4 ? `/organisations/${oneOf(ORGANISATIONS)}` : `/users/${oneOf(USERS)}`);
    for (let nth = 0; nth < COMMANDS; nth += 1) {
      now += oneOf([0, 0, 1, 2, 40, 60_000, DAY_MS / 24, DAY_MS / 3]);
      if (random() < 0.01) now += 33 * DAY_MS;
      const onShortfall = oneOf(['decline', 'owe']);
      const dice = random();
      if (dice < 0.05) await send('POST', `${owner()}/purchases`, { tokens: 200 + below(200), paymentReference: `p${nth}` });
      else if (dice < 0.2) {
        const lines = USERS.filter(() => random() < 0.5).map((userId) => ({ userId, tokens: 1 + below(25) }));
        await send('POST', `/organisations/${oneOf(ORGANISATIONS)}/allocations`, { lines, memo: `memo ${nth}` });
      } else if (dice < 0.26) await send('PUT', `/users/${oneOf(USERS)}/free-allowance`, { tokensPerMonth: below(40) });
      else if (dice < 0.32)
        await send('PATCH', `/organisations/${oneOf(ORGANISATIONS)}/limits`, { usage: { daily: oneOf([null, 5, 30]) } });
      else if (dice < 0.4) {
        const month = new Date(now - below(60) * DAY_MS).toISOString().slice(0, 7);
        await send('POST', `${owner()}/bills`, {
          kind: 'hosting',
          month,
          campuses: [5, below(20)],
          courses: [1, 1, 1, below(7)],
          onShortfall,
        });
      } else if (dice < 0.5) {
        const day = new Date(now - below(3) * DAY_MS).toISOString().slice(0, 10);
        await send('POST', `${owner()}/storage`, { day, bytes: 1_000_000_000 * (1 + below(400)), onShortfall });
      } else if (dice < 0.62 && usages.length > 0) {
        const [userId, usageId] = usages.splice(below(usages.length), 1)[0]!;
        await send('POST', `/users/${userId}/usages/${usageId}/reversal`, { reason: 'again' });
      } else {
        const userId = oneOf(USERS);
        const used = await send('POST', `/users/${userId}/usages`, { tokens: 1 + below(30), service: 'chat', reference: `r${nth}` });
        if (used.status === 201) usages.push([userId, used.body.usageId]);
      }
    }
    for (const id of ORGANISATIONS) {
      const { body } = await ledger.send('GET', `/v1/organisations/${id}/allocations?limit=500`, {
        headers: { 'ledger-position': position! },
      });
      for (const allocation of body.data) if (!allocation.settled) await settled(id);
    }
    process.stdout.write(`${JSON.stringify(outcomes)}\n`);
  }

  /** An allocation of its own, whose position waits until it is settled; those before it are settled first. */
  async function settled(organisationId: string): Promise<void> {
    for (let turn = 0; turn < 500; turn += 1) {
      const { body } = await ledger.send('GET', `/v1/organisations/${organisationId}`);
      if (body.inTransit === 0) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error('not settled');
  }

  async function statement(url: string, query = ''): Promise<EntryAnswer[]> {
    const entries: EntryAnswer[] = [];
    for (let cursor = ''; ;) {
      const { status, body } = await ledger.send('GET', `/v1/${url}/entries?limit=37${query}${cursor}`);
      expect(status).toBe(200);
      entries.push(...body.data);
      if (body.nextCursor === null) return entries;
      cursor = `&cursor=${body.nextCursor}`;
    }
  }

  /** Sums of all accounts, by the lines of all events up to an instant. A receipt counts from its allocation's instant on. */
  function replay(at: number) {
    const allocatedAt = new Map<string, number>();
    const accounts = new Map<string, number>();
    const owed = new Map<string, number>();
    const allowance = new Map<string, { perMonth: number; month: string }>();
    const revisions = new Map<string, number>();
    const add = (account: string, tokens: number) => accounts.set(account, (accounts.get(account) ?? 0) + tokens);
    for (const { stream, revision, at: happened, event } of facts) {
      const { id, kind } = walletOf(stream)!;
      const own = (source: string, of?: string) =>
        kind === 'organisation' ? `${id} available` : source === 'allocated' ? `${id} allocated ${of}` : `${id} ${source}`;
      if (event.type === 'TokensAllocated') allocatedAt.set(event.data.allocationId, happened);
      if (event.type === 'AllocationReceived') {
        if (Math.max(happened, allocatedAt.get(event.data.allocationId)!) <= at)
          add(`${event.data.organisationId} inTransit`, -event.data.tokens);
      }
      if (happened > at) continue;
      revisions.set(stream, revision);
      switch (event.type) {
        case 'TokensPurchased':
          add(own('purchased'), event.data.tokens - event.data.owedPaid);
          owed.set(stream, (owed.get(stream) ?? 0) - event.data.owedPaid);
          break;
        case 'TokensAllocated':
          for (const [, tokens] of event.data.lines) {
            add(`${id} available`, -tokens);
            add(`${id} inTransit`, tokens);
          }
          break;
        case 'AllocationReceived':
          add(own('allocated', event.data.organisationId), event.data.tokens);
          break;
        case 'UserWalletOpened':
          allowance.set(id, { perMonth: event.data.freeTokensPerMonth, month: '' });
          break;
        case 'FreeAllowanceGranted':
          add(`${id} free`, event.data.tokens - event.data.lapsed);
          allowance.get(id)!.month = event.data.month;
          break;
        case 'FreeAllowanceSet':
          add(`${id} free`, event.data.added);
          allowance.set(id, { perMonth: event.data.tokensPerMonth, month: event.data.month });
          break;
        case 'TokensUsed':
          for (const { source, organisationId, tokens } of event.data.charged) add(own(source, organisationId), -tokens);
          break;
        case 'UsageReversed':
          for (const { source, organisationId, tokens } of event.data.returned) add(own(source, organisationId), tokens);
          break;
        case 'BillCharged':
        case 'StorageAccrued':
          for (const { source, tokens } of event.data.charged) add(own(source), -tokens);
          owed.set(stream, (owed.get(stream) ?? 0) + event.data.owedTokens);
          break;
        default:
      }
    }
    return { accounts, owed, allowance, revisions };
  }

  function expected(stream: string, at: number): object {
    const { id, kind } = walletOf(stream)!;
    const { accounts, owed, allowance, revisions } = replay(at);
    const told = { at: new Date(at).toISOString(), revision: revisions.get(stream) ?? -1, owed: owed.get(stream) ?? 0 };
    if (kind === 'organisation')
      return { ...told, available: accounts.get(`${id} available`) ?? 0, inTransit: accounts.get(`${id} inTransit`) ?? 0 };
    const month = new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE, year: 'numeric', month: '2-digit' }).format(at);
    const granted = allowance.get(id) ?? { perMonth: FREE, month: '' };
    const tokens = month > granted.month ? granted.perMonth : (accounts.get(`${id} free`) ?? 0);
    const purchased = accounts.get(`${id} purchased`) ?? 0;
    const prefix = `${id} allocated `;
    const allocated = [...accounts]
      .filter(([account]) => account.startsWith(prefix))
      .map(([account, held]) => ({ organisationId: account.slice(prefix.length), tokens: held }));
    const balance = allocated.reduce((sum, { tokens: held }) => sum + held, tokens + purchased);
    const free = { tokens, tokensPerMonth: granted.perMonth, month: month > granted.month ? month : granted.month };
    return { ...told, balance, free: expect.objectContaining(free), purchased, allocated };
  }

  const urlOf = (stream: string) => `${walletOf(stream)!.kind}s/${walletOf(stream)!.id}`;

  it('is a history with all that can happen', () => {
    const types = new Set(facts.map(({ event }) => event.type));
    for (const type of ['BillCharged', 'BillDeclined', 'StorageAccrued', 'UsageReversed', 'LimitReached', 'FreeAllowanceGranted'])
      expect([...types]).toContain(type);
    expect(facts.some(({ event }) => event.type === 'TokensPurchased' && event.data.owedPaid > 0)).toBe(true);
  });

  it('is told by statements: every event once, in order, with lines that sum to zero and tokens that sum to the balance', async () => {
    const accounts = new Map<string, number>();
    for (const stream of new Set(facts.map((fact) => fact.stream))) {
      const entries = await statement(urlOf(stream));
      const own = facts.filter((fact) => fact.stream === stream);
      expect(entries.map(({ revision, type, at }) => [revision, type, at])).toEqual(
        own.map(({ event }, revision) => [revision, event.type, event.data.at]),
      );
      let balance = 0;
      for (const { tokens, lines, balanceAfter } of entries) {
        balance += tokens;
        expect(balanceAfter.balance).toBe(balance);
        expect(lines.reduce((sum, line) => sum + line.tokens, 0)).toBe(0);
        for (const line of lines) accounts.set(line.account, (accounts.get(line.account) ?? 0) + line.tokens);
      }
      const { body: present } = await ledger.send('GET', `/v1/${urlOf(stream)}`);
      const { body: at } = await ledger.send('GET', `/v1/${urlOf(stream)}/balance?at=${own.at(-1)!.event.data.at}`);
      expect(at.balance ?? at.available).toBe(balance);
      const { body: today } = await ledger.send('GET', `/v1/${urlOf(stream)}/balance`);
      for (const field of ['balance', 'available', 'inTransit', 'free', 'purchased', 'owed', 'revision'])
        expect([field, today[field]]).toEqual([field, present[field]]);
      expect(today.allocated ?? []).toEqual(
        (present.allocated ?? []).map(({ organisationId, tokens }: { organisationId: string; tokens: number }) => ({
          organisationId,
          tokens,
        })),
      );
    }
    for (const id of ORGANISATIONS) expect(accounts.get(`organisation:${id}:inTransit`) ?? 0).toBe(0);
    expect([...accounts.values()].reduce((sum, tokens) => sum + tokens, 0)).toBe(0);
  });

  it(`is what an independent replay stopped there says, at ${INSTANTS} random instants`, async () => {
    const streams = [...new Set(facts.map((fact) => fact.stream)), 'userWallet-stranger'];
    const first = facts[0]!.at - 40 * DAY_MS;
    const allocated = facts.filter(({ event }) => event.type === 'TokensAllocated');
    let underWay = 0;
    for (let nth = 0; nth < INSTANTS; nth += 1) {
      const stream = oneOf(streams);
      const near = oneOf(random() < 0.3 ? allocated : facts).at + oneOf([-1, 0, 0, 1, 3]);
      const at = Math.min(now, random() < 0.7 ? near : first + below(now - first));
      const { status, body } = await ledger.send('GET', `/v1/${urlOf(stream)}/balance?at=${new Date(at).toISOString()}`);
      expect([status, stream, body]).toEqual([200, stream, expected(stream, at)]);
      if (body.inTransit > 0) underWay += 1;
    }
    expect(underWay).toBeGreaterThan(5);
  }, 60_000);

  it('is found by type and period, whatever the page', async () => {
    for (let nth = 0; nth < 60; nth += 1) {
      const stream = oneOf(facts).stream;
      const types = [
        'TokensUsed',
        'TokensPurchased',
        'StorageAccrued',
        'TokensAllocated',
        'LimitReached',
        'LimitSet',
        'AllocationReceived',
      ];
      const kind = walletOf(stream)!.kind;
      const possible = new Set(facts.filter((fact) => walletOf(fact.stream)!.kind === kind).map(({ event }) => event.type as string));
      const asked = types.filter((type) => possible.has(type) && random() < 0.4);
      const from = oneOf(facts).at + below(2);
      const to = from + 1 + below(20 * DAY_MS);
      const inQuery = `&from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}${asked.length ? `&type=${asked.join(',')}` : ''}`;
      const entries = await statement(urlOf(stream), inQuery);
      const wanted = facts.filter(
        (fact) => fact.stream === stream && fact.at >= from && fact.at < to && (asked.length === 0 || asked.includes(fact.event.type)),
      );
      expect(entries.map(({ revision }) => revision)).toEqual(wanted.map(({ revision }) => revision));
      const whole = await statement(urlOf(stream));
      expect(entries).toEqual(wanted.map(({ revision }) => whole[revision]));
    }
  }, 60_000);
});
