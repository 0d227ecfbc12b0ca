import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NewEvent, SqliteEventStore, sqlitePath } from '@ledger/event-store';
import { type EventType, type WalletEvent, walletOf, type WalletRef } from '@ledger/wallet';
import { v4 as uuid } from 'uuid';
import { platformOf } from '../../apps/auditor/src/replay/arguments';
import { allEvents, factOf } from '../../apps/auditor/src/replay/facts';
import { Holdings } from '../../apps/auditor/src/replay/holdings';
import { replay } from '../../apps/auditor/src/replay/replay';
import { replayPart } from '../../apps/auditor/src/replay/replay-part';
import { LedgerForSpec } from '../../apps/ledger/src/http/ledger-for-spec';
import { auditorHere } from './explain-cli';
import { randomStores, type RandomStore, seedOf } from './explain-world';

const STORES = 4;
const INSTANTS = 250;
const DAY_MS = 86_400_000;
const WHO: WalletRef = { kind: 'user', id: 'stranger' };

const seed = seedOf('REPLAY_SEED');
let state = seed;
/** mulberry32. */
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const below = (end: number): number => Math.floor(random() * end);
const oneOf = <Item>(items: readonly Item[]): Item => items[below(items.length)]!;

/** The instants of all events, and the wallets that have some. */
async function momentsOf({ store }: RandomStore): Promise<{ moments: number[]; wallets: WalletRef[] }> {
  const moments: number[] = [];
  const streams = new Set<string>();
  for await (const page of allEvents(store)) {
    for (const stored of page) {
      streams.add(stored.stream);
      moments.push(Date.parse(factOf(stored).data.at));
    }
  }
  return { moments, wallets: [...streams].map((stream) => walletOf(stream)!) };
}

const LOOKS_MAX = 10_000;
/** The service reads the store that it finds before it answers. */
async function ready(ledger: LedgerForSpec): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    if ((await ledger.send('GET', '/health/ready')).status === 200) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('the service did not become ready');
}

describe('what wallets held at an instant', () => {
  it(`is what the service says, at ${STORES * INSTANTS} random instants`, async () => {
    let inTransit = 0;
    for await (const random of randomStores(seed, STORES)) {
      const { moments, wallets } = await momentsOf(random);
      const ledger = await LedgerForSpec.start({ EVENT_STORE_URL: random.url, ...random.env });
      try {
        const last = Math.max(...moments) + 40 * DAY_MS;
        ledger.at(new Date(last).toISOString());
        await ready(ledger);
        for (let nth = 0; nth < INSTANTS; nth += 1) {
          const wallet = oneOf([...wallets, WHO]);
          const at = below(10) < 8 ? oneOf(moments) + oneOf([-1, 0, 0, 1, 3]) : last - below(100 * DAY_MS);
          const { body } = await ledger.send('GET', `/v1/${wallet.kind}s/${wallet.id}/balance?at=${new Date(at).toISOString()}`);
          const { holdings } = await replay(random.store, at, { only: wallet });
          const held = wallet.kind === 'user' ? holdings.user(wallet.id, platformOf(random.env)) : holdings.organisation(wallet.id);
          expect([wallet, held]).toEqual([wallet, body]);
          if ('inTransit' in held && held.inTransit > 0) inTransit += 1;
        }
      } finally {
        await ledger.stop();
      }
    }
    expect(inTransit).toBeGreaterThan(5);
  }, 120_000);

  it('is the same for one wallet as among all of them, and adds up to what was issued', async () => {
    for await (const random of randomStores(seed + 1, 2)) {
      const { moments, wallets } = await momentsOf(random);
      for (let nth = 0; nth < 20; nth += 1) {
        const at = oneOf(moments);
        const all = (await replay(random.store, at)).holdings;
        for (const { kind, id } of wallets) {
          const one = (await replay(random.store, at, { only: { kind, id } })).holdings;
          if (kind === 'user') expect(one.user(id, platformOf(random.env))).toEqual(all.user(id, platformOf(random.env)));
          else expect(one.organisation(id)).toEqual(all.organisation(id));
        }
      }
    }
  }, 60_000);
});

describe('a replay that threads share', () => {
  const parted = (random: RandomStore, at: number, parts: number): Holdings => {
    const holdings = new Holdings(at);
    const path = sqlitePath(random.url);
    for (let part = 0; part < parts; part += 1) holdings.merge(replayPart({ path, part, parts, until: 1_000_000, at })!.holdings);
    return holdings;
  };
  const seen = (holdings: Holdings, env: RandomStore['env']) => ({
    accounts: new Map([...holdings.accounts()].filter(([, tokens]) => tokens !== 0)),
    held: holdings.known().map(({ kind, id }) => (kind === 'user' ? holdings.user(id, platformOf(env)) : holdings.organisation(id))),
  });

  it('finds what one alone finds, in however many parts', async () => {
    for await (const random of randomStores(seed + 3, 4)) {
      const { moments } = await momentsOf(random);
      for (let nth = 0; nth < 30; nth += 1) {
        const at = oneOf(moments) + oneOf([-1, 0, 1]);
        const alone = seen((await replay(random.store, at)).holdings, random.env);
        for (const parts of [1, 2, 3]) expect(seen(parted(random, at, parts), random.env)).toEqual(alone);
      }
    }
  }, 60_000);

  it('finds the receipts in one part that an allocation in another came after', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ledger-replay-'));
    const path = join(folder, 'events.db');
    const store = await SqliteEventStore.open(path);
    try {
      const event = (type: EventType, data: object) => ({ id: uuid(), type, data: JSON.stringify(data), metadata: '{}' });
      const [allocated, received] = ['2026-11-23T12:00:00.000Z', '2026-11-23T11:00:00.000Z'];
      const allocation = { allocationId: 'one', tokens: 10 };
      await store.append('organisationWallet-acme', -1, [event('TokensAllocated', { at: allocated, ...allocation })]);
      await store.append('userWallet-ann', -1, [event('AllocationReceived', { at: received, organisationId: 'acme', ...allocation })]);
      const holdings = new Holdings(Date.parse(received));
      for (const part of [0, 1]) holdings.merge(replayPart({ path, part, parts: 2, until: 2, at: Date.parse(received) })!.holdings);
      expect([holdings.organisation('acme').inTransit, holdings.user('ann', platformOf({})).balance]).toEqual([0, 10]);
    } finally {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('leaves an event that is none of a ledger to the way that names it', async () => {
    const forger = (_: string, event: NewEvent) => (event.type === 'TokensPurchased' ? { ...event, type: 'TokensFound' } : event);
    for await (const random of randomStores(seed + 4, 1, forger)) {
      const path = sqlitePath(random.url);
      const parts = [0, 1].map((part) => replayPart({ path, part, parts: 2, until: 1_000_000, at: Date.now() }));
      expect(parts).toContain(undefined);
      await expect(replay(random.store, Date.now())).rejects.toThrow(/is no event of a ledger/);
    }
  });
});

describe('a receipt on a clock that is behind', () => {
  const acme: WalletRef = { kind: 'organisation', id: 'acme' };
  const ann: WalletRef = { kind: 'user', id: 'ann' };
  /** Allocated at 12:00 by the organisation's clock, received at 11:00 by the member's. */
  const heldAt = (at: string) => {
    const holdings = new Holdings(Date.parse(at));
    const add = (wallet: WalletRef, revision: number, type: EventType, data: object) =>
      holdings.add(wallet, revision, { type, data } as WalletEvent);
    add(acme, 0, 'TokensPurchased', { at: '2026-11-23T10:00:00.000Z', tokens: 100, owedPaid: 0 });
    add(acme, 1, 'TokensAllocated', { at: '2026-11-23T12:00:00.000Z', allocationId: 'one', tokens: 10 });
    add(ann, 0, 'AllocationReceived', { at: '2026-11-23T11:00:00.000Z', allocationId: 'one', organisationId: 'acme', tokens: 10 });
    const { available, inTransit } = holdings.organisation('acme');
    return { available, inTransit, received: holdings.user('ann', platformOf({})).balance };
  };

  it('takes nothing out of transit before it was put there, as the service has it', () => {
    expect(heldAt('2026-11-23T10:30:00.000Z')).toEqual({ available: 100, inTransit: 0, received: 0 });
    expect(heldAt('2026-11-23T11:30:00.000Z')).toEqual({ available: 100, inTransit: 0, received: 10 });
    expect(heldAt('2026-11-23T12:00:00.000Z')).toEqual({ available: 90, inTransit: 0, received: 10 });
  });
});

describe('replay, as an auditor calls it', () => {
  const stores = randomStores(seed + 2, 1);
  let random: RandomStore;
  let latest: string;
  beforeAll(async () => {
    random = (await stores.next()).value as RandomStore;
    latest = new Date(Math.max(...(await momentsOf(random)).moments)).toISOString();
  });
  afterAll(async () => void (await stores.return(undefined)));
  const call = (...args: string[]) => auditorHere(['replay', '--event-store', random.url, ...args], random.env);

  it('tells all wallets as JSON that a program reads whole, with totals that are accounted for', async () => {
    const { status, out } = await call('--at', latest, '--json');
    expect(status).toBe(0);
    const { wallets, totals } = JSON.parse(out) as { wallets: Record<string, number>[]; totals: Record<string, number> };
    expect(wallets.map(({ wallet }) => wallet)).toEqual(expect.arrayContaining(['organisation:acme', 'user:u0']));
    // Free tokens of a month that has passed read as the new month's allowance, which nobody has been granted yet: so accounts are summed.
    const { holdings } = await replay(random.store, Date.parse(latest));
    expect(totals.issued).toBe(-(holdings.platform.get('world') ?? 0));
    expect([...holdings.accounts()].reduce((sum, [, tokens]) => sum + tokens, 0)).toBe(0);
  });

  it('tells one wallet as a table, and as JSON', async () => {
    // Of one wallet nothing is known behind its own last event, and these events lie ahead of the clock.
    const lastAt = async (stream: string) => factOf((await random.store.readStream(stream, 0, 10_000)).at(-1)!).data.at;
    const { out } = await call('--at', await lastAt('userWallet-u0'), '--wallet', 'user:u0');
    expect(out).toMatch(/^user:u0 at \S+Z, after its event \d+:\n/);
    for (const row of ['free, of ', 'purchased', 'allocated by acme', 'balance', 'owed']) expect(out).toContain(row);
    const acme = await call('--at', await lastAt('organisationWallet-acme'), '--wallet', 'organisation:acme', '--json');
    const json = JSON.parse(acme.out) as object;
    expect(Object.keys(json)).toEqual(['wallet', 'at', 'revision', 'available', 'inTransit', 'owed']);
  });

  it.each([
    [[], '--at is missing'],
    [['--at', '2026-11-23T12:00:00.000Z', '--workers', 'many'], '--workers takes a number from 1 to 64; "many" is none.'],
    [['--at', 'yesterday'], '--at must be an instant in UTC such as 1970-01-01T00:00:00.000Z, and is "yesterday".'],
    [['--at', '9000-01-01T00:00:00.000Z'], '--at must not lie in the future'],
    [['--at', '2026-11-01T00:00:00.000Z', '--wallet', 'u1'], '--wallet must be user:<id> or organisation:<id>'],
    [['--when', 'now'], "Unknown option '--when'"],
  ])('refuses %j with a sentence and status 2', async (args, sentence) => {
    const { status, out, err } = await call(...args);
    expect([status, out, err]).toEqual([2, '', expect.stringContaining(sentence)]);
  });
});
