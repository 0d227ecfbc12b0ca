import { readFileSync, rmSync } from 'node:fs';
import { auditorHere } from './explain-cli';
import { seedOf } from './explain-world';
import { damaged, type Json } from './odd-json';
import { Dice } from './tamper-forging';
import { randomRows, type Row, Stores } from './tamper-store';

/** Events of a shape that no ledger writes: every command answers or says which one it is, and verify finds each. */

const FORGED = Number(process.env.SHAPES ?? 60);
const JOURNALS = Number(process.env.JOURNALS ?? 150);
const SENTENCE = /^\S[^\n]*\.\n/;
const seed = seedOf('SHAPES_SEED');
const stores = new Stores();
afterAll(() => stores.close());

it('ends no command with a stack', async () => {
  const dice = new Dice(seed);
  const rows = randomRows(seed);
  const types = [...new Set(rows.map(({ type }) => type))];
  const at = rows.map(({ data }) => (JSON.parse(data) as { at: string }).at).sort().at(-1)!; // prettier-ignore
  let refused = 0;
  for (let made = 0; made < FORGED; made += 1) {
    const type = types[made % types.length]!;
    const those = rows.flatMap((row, index) => (row.type === type ? [index] : []));
    const index = those[dice.below(those.length)]!;
    const row = rows[index]!;
    const field = made % 4 === 3 ? 'metadata' : 'data';
    const odd = [...damaged(JSON.parse(row[field]) as Json, (changed) => changed ?? null)];
    const text = made % 10 === 9 ? row[field].slice(1) : JSON.stringify(odd[dice.below(odd.length)]);
    if (text === row[field]) continue;
    const path = await stores.holding(rows.map((one, place) => (place === index ? { ...one, [field]: text } : one)));
    const wallet = row.stream.replace('Wallet-', ':');
    for (const command of [
      ['verify'],
      ['replay', '--at', at],
      ['replay', '--at', at, '--wallet', wallet],
      ['explain', '--wallet', wallet, '--event', String(row.revision)],
      ['export', '--format', 'jsonl', '--out', stores.file('out')],
      ['export', '--format', 'csv', '--out', stores.file('out')],
      ['export', '--format', 'parquet', '--out', stores.file('out')],
      ['export', '--journal', 'hledger', '--out', stores.file('out')],
      ['export', '--journal', 'beancount', '--out', stores.file('out'), '--transactions', '9'],
    ]) {
      const said = `${command.join(' ')} of ${row.stream} ${row.revision}, ${type} with ${field} ${text.slice(0, 2_000)}`;
      const ran = await auditorHere([...command, '--event-store', `sqlite:${path}`]).catch((error: unknown) => ({
        status: 3,
        err: String((error as Error).stack),
      }));
      const { status, err } = ran;
      if (command[0] === 'verify') expect([said, status, err]).toEqual([said, 1, '']);
      else if (status > 1) expect([said, status, err]).toEqual([said, 2, expect.stringMatching(SENTENCE)]);
      if (status === 2) refused += 1;
    }
    rmSync(path);
  }
  expect(refused).toBeGreaterThan(FORGED / 4);
}, 600_000);

/** What a forger writes into texts, so that a journal would say what no event says. */
const INJECTED = ['x\ninclude /etc/passwd\n', 'x"\ninclude "/etc/passwd"\n', 'x\r2026-01-01 * forged\r    a  1 TOK\r', 'x ; comment', 'x"y', 'x\\', 'x\u2028y', 'x  1 TOK', 'x:y', '(x)', '!', '*', '[x]', '"', '']; // prettier-ignore

/** All the lines that the two journals have. */
const HLEDGER_LINE =
  /^$|^; The postings of a token ledger: 1 TOK is one token\.$|^commodity 1000\. TOK$|^account [\w.~:-]+$|^\d{4}-\d\d-\d\d \* \((user|organisation)Wallet-[\w.~-]+@\d+\) \w+ {2}; event:[\w-]+, at:[\d:.TZ-]+$|^ {4}[\w.~:-]+ {2}-?\d+ TOK( = -?\d+ TOK)?$/;
const BEANCOUNT_LINE =
  /^$|^option "title" "The postings of a token ledger"$|^\d{4}-\d\d-\d\d (commodity TOK|open [\w:-]+ TOK|balance [\w:-]+ {2}-?\d+ TOK|\* "(user|organisation)Wallet-[\w.~-]+@\d+" "\w+")$|^ {2}(event: "[\w-]+"|at: "[\d:.TZ-]+")$|^ {2}[\w:-]+ {2}-?\d+ TOK$/;

function* replaced(value: Json, put: (changed: Json) => Json, by: string): Generator<Json> {
  if (typeof value === 'string') yield put(by);
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value))
    for (const [index, one] of value.entries()) yield* replaced(one, (changed) => put(value.with(index, changed)), by);
  else for (const [name, one] of Object.entries(value)) yield* replaced(one, (changed) => put({ ...value, [name]: changed }), by);
}

it('lets no text of an event write a line of a journal', async () => {
  const rows = randomRows(seed).slice(0, 60);
  const forged: Row[][] = [];
  for (const [index, row] of rows.entries())
    for (const by of INJECTED) {
      const put = (change: Partial<Row>) => void forged.push(rows.slice(0, index + 1).with(index, { ...row, ...change }));
      for (const field of ['id', 'type', 'stream'] as const) put({ [field]: field === 'stream' ? `${row.stream}${by}` : by });
      for (const data of replaced(JSON.parse(row.data) as Json, (changed) => changed, by)) put({ data: JSON.stringify(data) });
    }
  const dice = new Dice(seed);
  let written = 0;
  for (let tries = 0; tries < JOURNALS; tries += 1) {
    const path = await stores.holding(forged[dice.below(forged.length)]!);
    for (const [journal, line] of [['hledger', HLEDGER_LINE] as const, ['beancount', BEANCOUNT_LINE] as const]) {
      const file = stores.file(`out.${journal}`);
      const { status, err } = await auditorHere(['export', '--journal', journal, '--out', file, '--event-store', `sqlite:${path}`]);
      if (status !== 0) expect([status, err]).toEqual([2, expect.stringMatching(SENTENCE)]);
      else {
        written += 1;
        expect(readFileSync(file, 'utf8').split('\n').filter((one) => !line.test(one))).toEqual([]); // prettier-ignore
      }
    }
    rmSync(path);
  }
  expect(written).toBeGreaterThan(0);
}, 120_000);
