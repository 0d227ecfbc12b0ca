import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEventStore, SqliteEventStore } from '@ledger/event-store';
import { PRICE_TABLE } from '@ledger/wallet';
import { allEvents } from '../../apps/auditor/src/replay/facts';
import { auditorHere } from './explain-cli';
import { liveSchool, ODD_IDS, type School } from './explain-school';
import { damaged, type Json } from './odd-json';

/** Every command, as nobody means it to be used: an answer or one sentence, and never a stack. */

let school: School;
let wallets: string[];
const streams = new Map<string, { id: string; type: string }[]>();
const file = (name: string): string => join(school.folder, name);
const at = (path = file('events.db')): string[] => ['--event-store', `sqlite:${path}`];
const SENTENCE = /^\S[^\n]*\.\n/;

beforeAll(async () => {
  school = await liveSchool();
  const store = await openEventStore(school.url, { readOnly: true });
  for await (const page of allEvents(store))
    for (const { stream, id, type } of page) streams.set(stream, [...(streams.get(stream) ?? []), { id, type }]);
  await store.close();
  wallets = [...streams.keys()].map((stream) => stream.replace('Wallet-', ':'));
  expect((await auditorHere(['keygen', '--out', file('key.pem')])).status).toBe(0);
  const certified = ['verify', ...at(), '--certificate', file('c.json'), '--signing-key', file('key.pem')];
  expect((await auditorHere(certified, school.env)).status).toBe(0);
  expect(
    (await auditorHere(['prove', '--wallet', 'user:ann', '--certificate', file('c.json'), ...at(), '--out', file('p.json')])).status,
  ).toBe(0);
}, 60_000);
afterAll(() => school.remove());

/** Status and error as they must be of what cannot be answered. */
async function refused(...args: string[]): Promise<void> {
  const { status, out, err } = await auditorHere(args, school.env);
  expect([args, status, out, err]).toEqual([args, 2, '', expect.stringMatching(SENTENCE)]);
}

describe('an instant', () => {
  it.each([
    '',
    ' ',
    'now',
    '2026-13-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-11-24T25:00:00Z',
    '2016-12-31T23:59:60Z',
    '1e99',
    'Infinity',
    '-1',
    '+999999-01-01T00:00:00Z',
    '2026-11-24T00:00:00+99:00',
    '٢٠٢٦-11-24',
    '9999-12-31T23:59:59.999Z',
  ])('that is none (%j) is refused', async (instant) => {
    // prettier-ignore
    await refused('replay', ...at(), '--at', instant);
  });

  it.each(['0000-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z', '2026-11-23T07:59:59.999Z'])(
    'before everything (%s) has wallets that hold nothing',
    async (instant) => {
      const { status, out, err } = await auditorHere(['replay', ...at(), '--at', instant, '--json'], school.env);
      expect([status, err, JSON.parse(out)]).toEqual([0, '', expect.objectContaining({ wallets: [] })]);
    },
  );
});

describe('explain', () => {
  it('answers for every event of every wallet, by revision and by id', async () => {
    const types = new Set<string>();
    for (const wallet of wallets)
      for (const [revision, { id, type }] of streams.get(wallet.replace(':', 'Wallet-'))!.entries()) {
        const by = async (event: string) => auditorHere(['explain', '--wallet', wallet, '--event', event, '--json', ...at()], school.env);
        const one = await by(String(revision));
        expect([wallet, revision, one.status, one.err]).toEqual([wallet, revision, 0, '']);
        expect(await by(id)).toEqual(one);
        types.add(type);
      }
    expect(types.size).toBeGreaterThanOrEqual(15);
  }, 60_000);

  it.each([
    '-1',
    '999',
    '9007199254740993',
    '1e3',
    '0x1',
    '1.5',
    '',
    ' ',
    'null',
    '٣',
    '__proto__',
    'x'.repeat(10_000),
    "' or 1 = 1",
    '00000000-0000-0000-0000-000000000000',
  ])('says of an event that is not there (%j) that it is not', async (event) => {
    // prettier-ignore
    await refused('explain', '--wallet', 'user:ann', `--event=${event}`, ...at());
  });

  it.each(['user:', 'user:nobody', `user:${'x'.repeat(65)}`, 'organisation:ann', 'ann', '', 'user:a b', 'user:../x', 'users:ann'])(
    'and of a wallet (%j)',
    async (wallet) => {
      await refused('explain', '--wallet', wallet, '--event', '0', ...at());
      await refused('prove', '--wallet', wallet, '--certificate', file('c.json'), ...at());
    },
  );

  it('and of a refusal', async () => {
    for (const request of ['', 'nothing', 'x'.repeat(10_000)]) await refused('explain', '--refusal', request, ...at());
  });
});

const texts = (path: string): string[] => {
  const whole = JSON.parse(readFileSync(path, 'utf8')) as Json;
  return [
    ...[...damaged(whole, (changed) => changed ?? null)].filter((one) => JSON.stringify(one) !== JSON.stringify(whole)).map((one) => JSON.stringify(one)), // prettier-ignore
    ...['', '{', '[]', 'null', '"', '\u0000', '['.repeat(100_000), `${JSON.stringify(whole)}x`, '{"__proto__":{}}'],
  ];
};

describe('a file that somebody has damaged', () => {
  it('proves nothing', async () => {
    for (const text of texts(file('p.json'))) {
      writeFileSync(file('bad.json'), text);
      const { status, out, err } = await auditorHere(['check-proof', '--proof', file('bad.json'), '--public-key', file('key.pub.pem')]);
      const said = status === 1 ? out : err;
      expect([text.slice(0, 3_000), [1, 2].includes(status), said]).toEqual([text.slice(0, 3_000), true, expect.stringMatching(SENTENCE)]);
    }
  }, 60_000);

  it('is no certificate, to any command', async () => {
    for (const text of texts(file('c.json'))) {
      writeFileSync(file('bad.json'), text);
      for (const args of [
        ['verify', ...at(), '--against', file('bad.json'), '--public-key', file('key.pub.pem')],
        ['verify', ...at(), '--since', file('bad.json'), '--public-key', file('key.pub.pem')],
        ['prove', '--wallet', 'user:ann', '--certificate', file('bad.json'), ...at()],
      ]) {
        const { status, out, err } = await auditorHere(args, school.env);
        const said = status === 1 ? out : err;
        expect([text.slice(0, 3_000), args[0], [1, 2].includes(status), said]).toEqual([text.slice(0, 3_000), args[0], true, expect.stringMatching(SENTENCE)]); // prettier-ignore
        expect(said.length).toBeLessThan(3_000);
      }
    }
  }, 60_000);

  it('of heads is as good as none', async () => {
    const heads = readFileSync(file('c.json.heads'), 'utf8');
    const line = JSON.parse(heads.split('\n')[0]!) as Json;
    const odd = [...damaged(line, (changed) => changed ?? null)].map(
      (one) => `${JSON.stringify(one)}\n${heads.slice(heads.indexOf('\n') + 1)}`,
    );
    for (const text of ['', 'null\n', '{}\n', '\n', '{"a":1', ...odd]) {
      writeFileSync(file('c.json.heads'), text);
      const proved = await auditorHere(['prove', '--wallet', 'user:ann', '--certificate', file('c.json'), ...at()], school.env);
      const verified = await auditorHere(['verify', '--against', file('c.json'), '--public-key', file('key.pub.pem'), ...at()], school.env);
      expect([text.slice(0, 200), proved, verified.status]).toEqual([
        text.slice(0, 200),
        expect.objectContaining({ status: 0, err: '' }),
        0,
      ]);
    }
    writeFileSync(file('c.json.heads'), heads);
  }, 60_000);

  it('of prices is refused, or judges the events', async () => {
    writeFileSync(file('good.json'), JSON.stringify(PRICE_TABLE));
    for (const text of texts(file('good.json'))) {
      writeFileSync(file('prices.json'), text);
      const { status, out, err } = await auditorHere(['verify', '--price-table', file('prices.json'), ...at()], school.env);
      expect([text.slice(0, 3_000), status < 2 || SENTENCE.test(err), status < 2 ? out !== '' : out === '']).toEqual([
        text.slice(0, 3_000),
        true,
        true,
      ]);
    }
  }, 60_000);
});

const EACH: readonly (readonly string[])[] = [
  ['verify'],
  ['verify', '--json'],
  ['replay', '--at', '2026-11-24T00:00:00.000Z'],
  ['replay', '--at', '2026-11-24T00:00:00.000Z', '--wallet', 'user:ann'],
  ['export', '--format', 'jsonl'],
  ['export', '--format', 'csv'],
  ['export', '--format', 'parquet', '--out', 'out.parquet'],
  ['export', '--journal', 'hledger'],
  ['export', '--journal', 'beancount', '--out', 'out.beancount', '--transactions', '1'],
  ['explain', '--wallet', 'user:ann', '--event', '0'],
  ['explain', '--refusal', 'x'],
];

async function answers(path: string): Promise<[string, number, boolean][]> {
  const given: [string, number, boolean][] = [];
  for (const command of EACH) {
    const args = command.map((arg, index) => (command[index - 1] === '--out' ? file(arg) : arg));
    const { status, err } = await auditorHere([...args, ...at(path)], school.env);
    given.push([command.join(' '), status, status < 2 || SENTENCE.test(err)]);
  }
  return given;
}

describe('a store', () => {
  it('without events is answered by every command', async () => {
    const path = file('empty.db');
    await (await SqliteEventStore.open(path)).close();
    for (const [command, status, told] of await answers(path))
      expect([command, status, told]).toEqual([command, command.startsWith('explain') ? 2 : 0, true]);
    await refused('verify', ...at(path), '--certificate', file('none.json'), '--signing-key', file('key.pem'));
    await refused('prove', '--wallet', 'user:ann', '--certificate', file('c.json'), ...at(path));
    const against = await auditorHere(['verify', ...at(path), '--against', file('c.json')], school.env);
    expect([against.status, against.out]).toEqual([1, expect.stringContaining('the first event')]);
  });

  it('of one event is answered by every command, certified and proved', async () => {
    const path = file('one.db');
    await older(path, 1);
    for (const [command, status, told] of await answers(path)) {
      expect([command, status, told]).toEqual([command, command.startsWith('explain') ? 2 : 0, true]);
    }
    const certificate = ['--certificate', file('one.json')];
    expect((await auditorHere(['verify', ...at(path), ...certificate, '--signing-key', file('key.pem')], school.env)).status).toBe(0);
    const [wallet = ''] = wallets;
    expect((await auditorHere(['prove', '--wallet', wallet, ...certificate, ...at(path), '--out', file('one-proof.json')])).status).toBe(0);
    expect((await auditorHere(['check-proof', '--proof', file('one-proof.json')])).status).toBe(0);
  });

  it('differs from an older copy of it by what came since, whichever is named first', async () => {
    const path = file('older.db');
    await older(path, 40);
    const urls = [`sqlite:${path}`, school.url];
    const [forward, back] = [await auditorHere(['diff', ...urls]), await auditorHere(['diff', ...urls.reverse()])];
    expect([forward.status, back.status, forward.err + back.err]).toEqual([1, 1, '']);
    expect(forward.out).toMatch(/ more in the second store, after \d+ that are the same\./);
    expect(forward.out).not.toMatch(/in the first store|differs first/);
    expect(back.out).toBe(forward.out.replaceAll('the second store', 'the first store'));
    const empty = await auditorHere(['diff', `sqlite:${file('empty.db')}`, `sqlite:${file('empty.db')}`]);
    expect([empty.status, empty.out]).toEqual([0, 'The two stores are the same: 0 streams, 0 events.\n']);
  });

  it('answers for ids of every length and character that an id may have', async () => {
    for (const id of ODD_IDS) {
      const wallet = `user:${id}`;
      for (const args of [
        ['explain', '--wallet', wallet, '--event', '0', ...at()],
        ['replay', '--at', '2026-11-24T00:00:00.000Z', '--wallet', wallet, ...at()],
        ['prove', '--wallet', wallet, '--certificate', file('c.json'), ...at()],
      ])
        expect([wallet, args[0], await auditorHere(args, school.env)]).toEqual([
          wallet,
          args[0],
          expect.objectContaining({ status: 0, err: '' }),
        ]);
    }
  });
});

/** The store as it was after so many events. */
async function older(path: string, events: number): Promise<void> {
  const [from, to] = [await openEventStore(school.url, { readOnly: true }), await SqliteEventStore.open(path)];
  for (const { stream, revision, id, type, data, metadata } of await from.readAll(-1n, events))
    await to.append(stream, revision - 1, [{ id, type, data, metadata }]);
  await Promise.all([from.close(), to.close()]);
}
