import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEventStore, type StoredEvent } from '@ledger/event-store';
import { auditor, auditorHere } from './explain-cli';
import { allEvents } from '../../apps/auditor/src/replay/facts';
import { liveSchool, type School } from './explain-school';

describe('diff, as an auditor calls it', () => {
  let school: School;
  let folder: string;
  let events: StoredEvent[];
  let names = 0;

  beforeAll(async () => {
    school = await liveSchool();
    folder = mkdtempSync(join(tmpdir(), 'ledger-audit-'));
    const store = await openEventStore(school.url, { mustExist: true });
    events = [];
    for await (const page of allEvents(store)) events.push(...page);
    await store.close();
  }, 60_000);
  afterAll(() => {
    school.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A store of these events, written stream by stream: its positions are other ones. */
  async function storeOf(kept: readonly StoredEvent[]): Promise<string> {
    const url = `sqlite:${join(folder, `${(names += 1)}.db`)}`;
    const store = await openEventStore(url);
    for (const stream of new Set(kept.map((event) => event.stream))) {
      await store.append(
        stream,
        -1,
        kept.filter((event) => event.stream === stream),
      );
    }
    await store.close();
    return url;
  }
  const diff = (...args: string[]) => auditorHere(['diff', ...args]);

  it('finds a copy the same, and a store with the same events in another order too', async () => {
    const copy = join(folder, 'copy.db');
    copyFileSync(school.url.slice('sqlite:'.length), copy);
    const streams = new Set(events.map(({ stream }) => stream)).size;
    const same = { status: 0, out: `The two stores are the same: ${streams} streams, ${events.length} events.\n`, err: '' };
    expect(await auditor(['diff', school.url, `sqlite:${copy}`])).toEqual(same);
    expect(await diff(school.url, await storeOf(events))).toEqual(same);
  }, 30_000);

  it('names streams of only one side, and streams where one side has more', async () => {
    const last = events.findLast(({ stream }) => stream === 'userWallet-ann')!;
    const url = await storeOf(events.filter((event) => event.stream !== 'userWallet-~~' && event !== last));
    const { status, out } = await diff(school.url, url);
    expect(status).toBe(1);
    const common = last.revision;
    expect(out.split('\n')).toEqual([
      `userWallet-ann has 1 event more in the first store, after ${common} that are the same.`,
      `userWallet-~~ is only in the first store, with ${events.filter(({ stream }) => stream === 'userWallet-~~').length} events.`,
      `2 of ${new Set(events.map(({ stream }) => stream)).size} streams differ.`,
      '',
    ]);
    expect((await diff(url, school.url)).out).toContain('userWallet-~~ is only in the second store');
    expect((await diff(url, school.url)).out).toContain('1 event more in the second store');
  });

  it.each([
    ['data', (event: StoredEvent) => ({ ...event, data: event.data.replace('"tokens":', '"tokens":1') })],
    ['metadata', (event: StoredEvent) => ({ ...event, metadata: event.metadata.replace('"actor":"', '"actor":"not ') })],
    ['type', (event: StoredEvent) => ({ ...event, type: 'TokensUsee' })],
    ['id', (event: StoredEvent) => ({ ...event, id: `${event.id.startsWith('0') ? '1' : '0'}${event.id.slice(1)}` })],
  ])('shows both sides of the first event whose %s differs, and no later one', async (field, change) => {
    const changed = events.find(({ stream, type }) => stream === 'userWallet-ann' && type === 'TokensUsed')!;
    const url = await storeOf(events.map((event) => (event === changed ? change(event) : event)));
    const { status, out } = await diff(school.url, url);
    expect(status).toBe(1);
    expect(out).toContain(`userWallet-ann differs first at revision ${changed.revision} (TokensUsed), in ${field}:`);
    expect(out).toContain(`${field} of the first:  `);
    expect(out).toMatch(/1 of \d+ streams differ\.\n$/);
    const [difference, summary] = (await diff(school.url, url, '--json')).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Json);
    expect(difference).toMatchObject({ stream: 'userWallet-ann', kind: 'different', revision: changed.revision, fields: [field] });
    expect([difference!.first[field], difference!.second[field]]).toEqual([changed[field as 'data'], change(changed)[field as 'data']]);
    expect(summary).toMatchObject({ same: false, differences: 1 });
  });

  it.each([
    [[], 'Name two stores'],
    [['sqlite:a', 'sqlite:b', 'sqlite:c'], 'Name two stores'],
    [['sqlite:/nowhere/a.db', 'sqlite:/nowhere/b.db'], 'there is no event store at /nowhere/a.db'],
    [['postgres://secret@host', 'sqlite:b'], 'must be sqlite:<path of a file>'],
  ])('refuses %j with a sentence and status 2', async (args, sentence) => {
    const { status, out, err } = await diff(...args);
    expect([status, out, err]).toEqual([2, '', expect.stringContaining(sentence)]);
    expect(err).not.toContain('secret');
  });
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a program reads, looked into by expectations
type Json = Record<string, any>;
