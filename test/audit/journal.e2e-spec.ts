import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EventStore, openEventStore } from '@ledger/event-store';
import { accountName, dashedId, plainId } from '../../apps/auditor/src/export/accounts';
import { movesTokens } from '../../apps/auditor/src/export/journal';
import { hledgerParts, partName, writeParts } from '../../apps/auditor/src/export/journal-parts';
import { replay } from '../../apps/auditor/src/replay/replay';
import { auditor, auditorHere, present, run } from './explain-cli';
import { liveSchool, ODD_IDS, ORGANISATION, type School } from './explain-school';
import { randomStores, seedOf } from './explain-world';

const HLEDGER = 'the Debian package hledger has it';
const BEANCOUNT = 'the PyPI package beancount has it';
const STORES = 3;
/** Behind every event of these histories. */
const END = Date.parse('9000-01-01T00:00:00.000Z');

describe('the names of accounts', () => {
  it('are never the same for two ids, and what each tool takes', () => {
    const ids = [...ODD_IDS, '--', '-h', 'h', 'd', '.d', 'a-b', 'a.b', 'a_b', 'a~b', 'ahb', 'a-hb'];
    const accounts = ids.flatMap((id) => [
      `user:${id}:free`,
      `user:${id}:allocated:${id}`,
      `organisation:${id}:available`,
      `organisation:${id}:inTransit`,
    ]);
    for (const naming of [plainId, dashedId])
      expect(new Set(accounts.map((account) => accountName(account, naming))).size).toBe(accounts.length);
    for (const account of accounts) expect(accountName(account, dashedId)).toMatch(/^Assets(:[A-Z0-9][A-Za-z0-9-]*)+$/);
    expect(accountName('user:a.b_c~d-e:allocated:x', dashedId)).toBe('Assets:User:Ua-db-uc-td-he:Allocated:Ox');
  });
});

describe('a journal', () => {
  let school: School;
  beforeAll(async () => {
    school = await liveSchool();
  }, 60_000);
  afterAll(() => school.remove());
  const journalOf = async (kind: string, url: string, name: string) => {
    const path = join(school.folder, name);
    const { status, err } = await auditorHere(['export', '--journal', kind, '--event-store', url, '--out', path]);
    expect([status, err]).toEqual([0, expect.stringContaining('was written')]);
    return path;
  };

  /** Every account by its own name, as the ledger's events come to. */
  async function balances(url: string, naming: typeof plainId): Promise<Record<string, number>> {
    const store = await openEventStore(url, { mustExist: true });
    const { holdings } = await replay(store, END);
    await store.close();
    const named = [...holdings.accounts()].map(([account, tokens]): [string, number] => [accountName(account, naming), tokens]);
    return Object.fromEntries(named.filter(([, tokens]) => tokens !== 0));
  }

  it('has one transaction for each event that moves tokens, and says which', async () => {
    const { out } = await auditor(['export', '--journal', 'hledger'], school.env);
    expect(out).toContain(`2026-11-23 * (organisationWallet-${ORGANISATION}@1) TokensPurchased  ; event:`);
    expect(out).toContain('    Assets:User:a.b_c~d-e:Free  -10 TOK = 0 TOK\n');
  }, 30_000);

  /** What hledger comes to. */
  async function balancesIn(path: string): Promise<Record<string, number>> {
    const { out } = await run('hledger', ['-f', path, 'balance', '--flat', '--output-format', 'csv']);
    const rows = out.trim().split('\n').slice(1).map((row) => JSON.parse(`[${row}]`) as [string, string]); // prettier-ignore
    return Object.fromEntries(
      rows
        .filter(([account]) => account !== 'total' && account !== 'Total:')
        .map(([account, amount]) => [account, Number(amount.replace(' TOK', ''))]),
    );
  }

  /** In files of so many transactions. */
  async function partsOf(url: string, name: string, transactions: number, kind = 'hledger'): Promise<string[]> {
    const path = join(school.folder, name);
    const { status, err } = await auditorHere(['export', '--journal', kind, '--event-store', url, '--out', path, '--transactions', String(transactions)]); // prettier-ignore
    expect([status, err]).toEqual([0, expect.stringContaining('files were written')]);
    const count = Number(/(\d+) files were written/.exec(err)?.[1]);
    return Array.from({ length: count }, (_, index) => partName(path, index + 1));
  }

  it('of hledger passes its strict check, and comes to the same balances', async () => {
    if (!(await present('hledger', ['--version'], HLEDGER))) return;
    const check = async (url: string, name: string) => {
      const path = await journalOf('hledger', url, name);
      expect(await run('hledger', ['-f', path, 'check', '--strict'])).toEqual({ status: 0, out: '', err: '' });
      const found = await balancesIn(path);
      expect(found).toEqual(await balances(url, plainId));
      expect(Object.keys(found).length).toBeGreaterThan(5);
      return path;
    };
    const path = await check(school.url, 'school.journal');
    for await (const { url } of randomStores(seedOf('JOURNAL_SEED'), STORES)) await check(url, 'random.journal');

    // A check that cannot fail would check nothing.
    const changed = readFileSync(path, 'utf8').replace('-10 TOK = 0 TOK', '-10 TOK = 1 TOK');
    writeFileSync(path, changed);
    const { status, err } = await run('hledger', ['-f', path, 'check', '--strict']);
    expect([status, err]).toEqual([1, expect.stringContaining('balance assertion')]);
  }, 60_000);

  const TRANSACTION = /^\d{4}-\d\d-\d\d \* \(.*@\d+\)/gm;
  it('of hledger has the same transactions when it is cut into files, each begun by what the ones before it come to', async () => {
    const whole = readFileSync(await journalOf('hledger', school.url, 'whole.journal'), 'utf8').match(TRANSACTION)!;
    const parts = (await partsOf(school.url, 'cut.journal', 3)).map((path) => readFileSync(path, 'utf8'));
    const each = parts.map((text) => text.match(TRANSACTION) ?? []);
    expect(each.flat()).toEqual(whole);
    expect(each.slice(0, -1).map(({ length }) => length)).toEqual(Array.from({ length: parts.length - 1 }, () => 3));
    expect(parts.length).toBeGreaterThan(3);
    expect(parts.map((text) => text.includes('Opening balances'))).toEqual(parts.map((_, index) => index > 0));
    const held = new Map<string, number>();
    for (const [index, text] of parts.entries()) {
      const [before = '', ...behind] = text.split(/(?=^\d{4}-\d\d-\d\d \* \()/m);
      const opening = new Map([...before.matchAll(/^ {4}(\S+) {2}(-?\d+) TOK = \2 TOK$/gm)].map(([, account, tokens]) => [account!, Number(tokens)])); // prettier-ignore
      if (index > 0) expect(opening).toEqual(new Map([...held].filter(([, tokens]) => tokens !== 0)));
      for (const [, account, tokens] of behind.join('').matchAll(/^ {4}(\S+) {2}(-?\d+) TOK/gm))
        held.set(account!, (held.get(account!) ?? 0) + Number(tokens));
    }
  }, 30_000);

  it('of hledger begins no file for events that move nothing', async () => {
    const store = await openEventStore(school.url, { mustExist: true });
    const all = await store.readAll(-1n, 1_000);
    await store.close();
    const end = all.findIndex((event, index) => index > 5 && !movesTokens(event));
    // The store as it was then.
    const then = { headPosition: () => Promise.resolve(all[end]!.position), readAll: () => Promise.resolve(all) } as unknown as EventStore;
    const transactions = all.slice(0, end).filter(movesTokens).length;
    const whole = await writeParts(then, hledgerParts(join(school.folder, 'then.journal')), transactions);
    expect([end > 5, whole.events, whole.files.length]).toEqual([true, end + 1, 1]);
    expect((await writeParts(then, hledgerParts(join(school.folder, 'then.journal')), transactions - 1)).files.length).toBe(2);
  });

  it("of hledger passes the check in parts, each alone, and the last one comes to the ledger's balances", async () => {
    if (!(await present('hledger', ['--version'], HLEDGER))) return;
    const check = async (url: string, name: string, transactions: number) => {
      const parts = await partsOf(url, name, transactions);
      expect(parts.length).toBeGreaterThan(2);
      for (const part of parts)
        expect([part, await run('hledger', ['-f', part, 'check', '--strict'])]).toEqual([part, { status: 0, out: '', err: '' }]);
      expect(await balancesIn(parts.at(-1)!)).toEqual(await balances(url, plainId));
    };
    await check(school.url, 'school.journal', 4);
    for await (const { url } of randomStores(seedOf('JOURNAL_SEED'), 1)) await check(url, 'random.journal', 20);
  }, 60_000);

  /** The program that checks journals of beancount, if it is here. */
  async function beanCheck(): Promise<string | undefined> {
    const bean = process.env.BEAN_CHECK ?? 'bean-check';
    if (process.env.BEAN_CHECK === undefined && process.env.CI_REQUIRED === '1') return undefined;
    return (await present(bean, ['--version'], BEANCOUNT)) ? bean : undefined;
  }

  /** What its balance directives say, without those of nothing. */
  const asserted = (text: string): Record<string, number> => {
    const found = [...text.matchAll(/ balance (\S+) {2}(-?\d+) TOK/g)].map(([, account, tokens]): [string, number] => [account!, Number(tokens)]); // prettier-ignore
    return Object.fromEntries(found.filter(([, tokens]) => tokens !== 0));
  };
  const wrongly = (text: string): string => text.replace(/balance (\S+) {2}(\d+) TOK/, 'balance $1  $21 TOK');

  it('of beancount passes its check, balances included', async () => {
    const bean = await beanCheck();
    if (bean === undefined) return;
    const path = await journalOf('beancount', school.url, 'school.beancount');
    expect(await run(bean, [path])).toMatchObject({ status: 0, out: '' });
    const text = readFileSync(path, 'utf8');
    expect(asserted(text)).toEqual(await balances(school.url, dashedId));
    writeFileSync(path, wrongly(text));
    expect((await run(bean, [path])).status).not.toBe(0);
  }, 60_000);

  it('of beancount has the same transactions when it is cut into files, each begun by what the ones before it come to', async () => {
    const transactions = (text: string) => text.match(/^\d{4}-\d\d-\d\d \* ".*@\d+" .*\n(?: .*\n)+/gm) ?? [];
    const whole = transactions(readFileSync(await journalOf('beancount', school.url, 'one.beancount'), 'utf8'));
    const parts = await partsOf(school.url, 'cut.beancount', 3, 'beancount');
    const included = parts.map((_, index) => `cut.transactions.${String(index + 1).padStart(4, '0')}.beancount`);
    const each = included.map((name) => transactions(readFileSync(join(school.folder, name), 'utf8')));
    expect([parts.length > 3, whole.length > 9, each.flat()]).toEqual([true, true, whole]);
    expect(each.slice(0, -1).map(({ length }) => length)).toEqual(Array.from({ length: parts.length - 1 }, () => 3));
    const includes = (text: string) => [...text.matchAll(/^include "(.*)"$/gm)].map(([, name]) => name);
    const all = readFileSync(join(school.folder, 'cut.beancount'), 'utf8');
    expect([includes(all), asserted(all)]).toEqual([included, await balances(school.url, dashedId)]);
    const held = new Map<string, number>();
    const add = (lines: string): void => {
      for (const [, account, tokens] of lines.matchAll(/^ {2}([A-Z]\S+) {2}(-?\d+) TOK$/gm))
        held.set(account!, (held.get(account!) ?? 0) + Number(tokens));
    };
    for (const [index, path] of parts.entries()) {
      const text = readFileSync(path, 'utf8');
      const opening = [...text.matchAll(/^ {2}([A-Z]\S+) {2}(-?\d+) TOK$/gm)].map(([, account, tokens]) => [account!, Number(tokens)]);
      expect([includes(text), new Map(opening as [string, number][])]).toEqual([
        [included[index]],
        new Map([...held].filter(([, tokens]) => tokens !== 0)),
      ]);
      add(each[index]!.join(''));
      const said = asserted(text);
      for (const [account, tokens] of Object.entries(said)) expect([path, account, tokens]).toEqual([path, account, held.get(account)]);
    }
  }, 30_000);

  it('of beancount passes the check in parts, each alone and all together, also under a name that has a meaning for it', async () => {
    const bean = await beanCheck();
    if (bean === undefined) return;
    const check = async (url: string, name: string, transactions: number) => {
      const parts = await partsOf(url, name, transactions, 'beancount');
      expect(parts.length).toBeGreaterThan(1);
      for (const path of [...parts, join(school.folder, name)]) {
        expect([path, await run(bean, [path])]).toEqual([path, { status: 0, out: '', err: '' }]);
        const text = readFileSync(path, 'utf8');
        writeFileSync(path, wrongly(text));
        expect([path, (await run(bean, [path])).status]).toEqual([path, 1]);
      }
    };
    await check(school.url, 'odd [1]* "name".beancount', 8);
    for await (const { url } of randomStores(seedOf('JOURNAL_SEED'), 1)) await check(url, 'random.beancount', 20);
  }, 120_000);
});
