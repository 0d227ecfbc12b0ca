import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SqliteEventStore } from '@ledger/event-store';
import { rebuild } from '../../apps/ledger/src/cli/rebuild';
import { parseCsv } from '../../apps/ledger/src/http/testing/parse-csv';
import { balanceOf } from '../../apps/demo/src/books';
import { recompute } from '../../apps/demo/src/recompute';
import { Choices } from '../support/choices';
import { expecting } from '../support/commands';
import { type Door, type Json, LedgerUnderTest, seedOf } from '../support/ledger-under-test';
import { type StoredRow, storedRows } from '../support/stored-rows';
import { readDoubled } from './doubled';

/**
 * What a person can add up by hand after the demo, for every wallet of it. TRACE names a file of conversations for the demo; without
 * it they are generated. Nothing of the ledger's arithmetic is used: statements are summed, and the past is recomputed by the demo's.
 */

const DEMO = resolve(__dirname, '../../dist/apps/demo/src/main.js');
const TRACE = process.env['TRACE'];
const INSTANTS = 1_000;
const AT_ONCE = 16;
const PAGE = 500;
const MINUTES_MAX = 6;
const WAIT_MS = 120_000;

interface Wallet {
  kind: 'organisation' | 'user';
  id: string;
  path: string;
  rows: StoredRow[];
}

describe(`the statements of the demo, ${TRACE === undefined ? 'of generated conversations' : `of ${TRACE}`}`, () => {
  const ledger = new LedgerUnderTest({ PLATFORM_TIME_ZONE: 'UTC', FREE_TOKENS_PER_MONTH: '0' });
  const wallets: Wallet[] = [];
  let door: Door;
  let token: string;
  let rows: StoredRow[];
  afterAll(() => ledger.end());

  beforeAll(async () => {
    if (!existsSync(DEMO)) throw new Error('dist lacks the demo, and these tests run the built one: "npm run build" makes it.');
    const options = ['--data', ledger.folder, '--json', '--seed', '11', ...(TRACE === undefined ? [] : ['--trace', resolve(TRACE)])];
    const child = spawn(process.execPath, [DEMO, ...options], { stdio: ['ignore', 'ignore', 'inherit'] });
    expect(await new Promise((done) => child.once('close', done))).toBe(0);
    rows = storedRows(ledger.store);
    // The read model of the demo's service stays as it was left; this one is built from the events.
    door = await ledger.start('anew');
    token = await door.service.token({ role: 'auditor' });
    const byStream = new Map<string, StoredRow[]>();
    for (const row of rows) byStream.set(row.stream, [...(byStream.get(row.stream) ?? []), row]);
    for (const [stream, own] of byStream) {
      const kind = stream.startsWith('user') ? 'user' : 'organisation';
      const id = stream.slice(stream.indexOf('-') + 1);
      wallets.push({ kind, id, path: `/v1/${kind}s/${id}`, rows: own });
    }
    expect(wallets.length).toBeGreaterThan(400);
  }, MINUTES_MAX * 60_000);

  const get = (path: string): Promise<Json> => expecting(200, door, { method: 'GET', path });

  async function forAll<Item>(items: readonly Item[], action: (item: Item) => Promise<void>): Promise<void> {
    const left = items[Symbol.iterator]();
    const lane = async () => {
      for (let next = left.next(); !next.done; next = left.next()) await action(next.value);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  async function entriesOf({ path }: Wallet): Promise<Json[]> {
    const all: Json[] = [];
    for (let cursor = ''; ;) {
      const { data, nextCursor } = await get(`${path}/entries?limit=${PAGE}${cursor}`);
      all.push(...(data as Json[]));
      if (nextCursor === null) return all;
      cursor = `&cursor=${nextCursor}`;
    }
  }

  async function csvOf({ path }: Wallet): Promise<Record<string, string>[]> {
    const all: Record<string, string>[] = [];
    for (let cursor = ''; ;) {
      const headers = { authorization: `Bearer ${token}`, accept: 'text/csv' };
      const reply = await fetch(`${door.service.url}${path}/entries?limit=${PAGE}${cursor}`, { headers });
      expect([reply.status, reply.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/csv/)]);
      const [names = [], ...lines] = parseCsv(await reply.text());
      all.push(...lines.map((cells) => Object.fromEntries(cells.map((cell, index) => [names[index], cell]))));
      const next = reply.headers.get('next-cursor');
      if (next === null) return all;
      cursor = `&cursor=${next}`;
    }
  }

  /** What is in the buckets of a wallet by its live read, under the names of the accounts. */
  function read({ kind, id }: Wallet, answer: Json): { balance: number; accounts: [string, number][] } {
    if (kind === 'organisation') return { balance: answer.available, accounts: [[`organisation:${id}:available`, answer.available]] };
    const allocated = (answer.allocated as Json[]).map(({ organisationId, tokens }): [string, number] => [
      `user:${id}:allocated:${organisationId}`,
      tokens,
    ]);
    return {
      balance: answer.balance,
      accounts: [[`user:${id}:free`, answer.free.tokens], [`user:${id}:purchased`, answer.purchased], ...allocated],
    };
  }

  it(
    'sum to the balances that are read, as JSON and as CSV, account by account, for every wallet',
    async () => {
      const accounts = new Map<string, number>();
      const wanted = new Map<string, number>();
      let entries = 0;
      await forAll(wallets, async (wallet) => {
        const answer = await get(wallet.path);
        const { balance, accounts: held } = read(wallet, answer);
        for (const [name, tokens] of held) wanted.set(name, tokens);
        if (wallet.kind === 'organisation') wanted.set(`organisation:${wallet.id}:inTransit`, answer.inTransit);

        const json = await entriesOf(wallet);
        entries += json.length;
        expect(json.map(({ revision }) => revision)).toEqual(wallet.rows.map(({ revision }) => revision));
        expect([wallet.id, sum(json.map(({ tokens }) => tokens)), json.at(-1)?.balanceAfter.balance]).toEqual([
          wallet.id,
          balance,
          balance,
        ]);
        for (const { lines } of json)
          for (const { account, tokens } of lines) accounts.set(account, (accounts.get(account) ?? 0) + (tokens as number));

        const csv = await csvOf(wallet);
        expect(csv.length).toBe(json.length);
        expect([wallet.id, sum(csv.map(({ tokens }) => Number(tokens)))]).toEqual([wallet.id, balance]);
        const cells = csv.flatMap(({ lines }) => (lines === '' ? [] : lines!.split('; ')).map((cell) => cell.split(' ')));
        const fromLines = json.flatMap(({ lines }) => (lines as Json[]).map(({ account, tokens }) => [account, String(tokens)]));
        expect(cells).toEqual(fromLines);
      });
      expect(entries).toBe(rows.length);
      const ours = [...accounts].filter(([name, tokens]) => /^(user|organisation):/.test(name) && (tokens !== 0 || wanted.has(name)));
      for (const name of wanted.keys()) if (!accounts.has(name)) ours.push([name, 0]);
      expect(Object.fromEntries(ours.sort())).toEqual(Object.fromEntries([...wanted].sort()));
    },
    MINUTES_MAX * 60_000,
  );

  /** Tokens allocated up to an instant and received after it, by the events alone. */
  function inTransitAt(organisationId: string, at: string): number {
    const allocatedAt = new Map<string, string>();
    let tokens = 0;
    for (const { stream, event } of rows) {
      if (event.type === 'TokensAllocated' && stream === `organisationWallet-${organisationId}`) {
        allocatedAt.set(event.data.allocationId, event.data.at);
        if (event.data.at <= at) tokens += event.data.tokens;
      } else if (event.type === 'AllocationReceived' && event.data.organisationId === organisationId) {
        const since = allocatedAt.get(event.data.allocationId)!;
        if (event.data.at <= at && since <= at) tokens -= event.data.tokens;
      }
    }
    return tokens;
  }

  it(
    `agree with balance?at= at ${INSTANTS} chosen instants, each against a replay that stops there`,
    async () => {
      const choices = new Choices(seedOf('INSTANTS_SEED'));
      const began = Date.parse(rows[0]!.event.data.at) - 1_000;
      const span = Date.parse(rows.at(-1)!.event.data.at) + 1_000 - began;
      const asked = Array.from({ length: INSTANTS }, () => {
        const wallet = choices.chance(20) ? choices.of(wallets.filter(({ kind }) => kind === 'organisation')) : choices.of(wallets);
        // An event's own instant counts it, and the millisecond before does not.
        const own = Date.parse(choices.of(wallet.rows).event.data.at) - choices.below(2);
        return { wallet, at: new Date(choices.chance(60) ? own : began + choices.below(span)).toISOString() };
      });
      await forAll(asked, async ({ wallet, at }) => {
        const past = wallet.rows.filter(({ event }) => event.data.at <= at);
        const books = recompute(past);
        const answer = await get(`${wallet.path}/balance?at=${at}`);
        const name = `${wallet.kind} ${wallet.id}`;
        expect([name, answer.at, answer.revision, answer.owed]).toEqual([name, at, past.length - 1, books.owed.get(name) ?? 0]);
        if (wallet.kind === 'organisation') {
          const available = books.organisations.get(wallet.id)?.available ?? 0;
          expect([name, at, answer.available, answer.inTransit]).toEqual([name, at, available, inTransitAt(wallet.id, at)]);
          return;
        }
        const holding = books.users.get(wallet.id) ?? { free: 0, purchased: 0, allocated: new Map<string, number>() };
        const allocated = (answer.allocated as Json[]).map(({ organisationId, tokens }) => [organisationId, tokens]);
        expect([name, at, answer.balance, answer.free.tokens, answer.purchased]).toEqual([
          name,
          at,
          balanceOf(holding),
          holding.free,
          holding.purchased,
        ]);
        expect(Object.fromEntries(allocated)).toEqual(Object.fromEntries(holding.allocated));
      });
    },
    MINUTES_MAX * 60_000,
  );

  it(
    'are made from the same rows, whether read live by the demo, built anew, or with every event twice',
    async () => {
      await ledger.stop();
      const doubled = join(ledger.folder, 'read-model-doubled.db');
      const store = await SqliteEventStore.open(ledger.store);
      await readDoubled(store, doubled, new Choices(seedOf('CUTS_SEED')), WAIT_MS).finally(() => store.close());
      for (const READ_MODEL_PATH of ['read-model.db', 'read-model-anew.db', 'read-model-doubled.db']) {
        const said: string[] = [];
        const say = (line: string) => said.push(line);
        const environment = { DATA_DIR: ledger.folder, READ_MODEL_PATH: join(ledger.folder, READ_MODEL_PATH) };
        const status = await rebuild(['--check'], environment, say, say);
        expect([READ_MODEL_PATH, status, said.at(-1)]).toEqual([READ_MODEL_PATH, 0, expect.stringMatching(/no difference/)]);
      }
    },
    MINUTES_MAX * 60_000,
  );
});

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
