import { outcomeOf, endsOf, verified } from './since-run';
import { AMOUNT_KINDS, POLICY_KINDS } from './tamper-clever';
import { CROSS_KINDS } from './tamper-cross';
import { Dice, type Expected, type Kind } from './tamper-forging';
import { CHAIN_KINDS, SHAPE_KINDS } from './tamper-plain';
import { isNamed } from './tamper-run';
import { randomRows, type Row, Stores } from './tamper-store';

/** What is forged behind a certificate is found by an audit that goes on from there, just as by a whole one. */

const WORLDS = 8;
/** A kind finds a place in few of the worlds, and must leave a command before it that can be certified. */
const TRIES = 2_000;
/** After so many tries there is one world more. */
const WORLD_AFTER = 40;
const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);

const stores = new Stores();
const dice = new Dice(seed);
const worlds = Array.from({ length: WORLDS }, (_, world) => randomRows(seed + world));

beforeAll(() => void process.stdout.write(`forged behind a certificate: TAMPER_SEED=${seed}\n`));
afterAll(() => stores.close());

interface Forged {
  rows: Row[];
  expected: Expected;
  /** All before it is as it was, and it is the end of a command. */
  point: number;
}

/** Forges, and answers the last point before what was changed. */
function forged(kind: Kind): Forged | undefined {
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (tries % WORLD_AFTER === WORLD_AFTER - 1) worlds.push(randomRows(seed + worlds.length));
    const clean = dice.of(worlds)!;
    const rows = clean.map((row, index) => ({ ...row, position: index + 1 }));
    const expected = kind.forge(rows, dice);
    const first = clean.findIndex((row, index) => !sameRow(row, rows[index]));
    const point = endsOf(clean).findLast((end) => end <= (first < 0 ? clean.length : first));
    if (!expected || point === undefined) continue;
    rows.forEach((row, index) => (row.position = index + 1));
    return { rows, expected, point };
  }
  return undefined;
}

const sameRow = (one: Row, other: Row | undefined): boolean =>
  other !== undefined && (['stream', 'revision', 'id', 'type', 'data', 'metadata'] as const).every((name) => one[name] === other[name]);

it.each([...CHAIN_KINDS, ...SHAPE_KINDS, ...AMOUNT_KINDS, ...POLICY_KINDS, ...CROSS_KINDS])('finds it when: $name', async (kind) => {
  const { rows, expected, point } = forged(kind)!;
  const certificate = stores.file('c.json');
  expect((await verified(await stores.holding(rows.slice(0, point)), { certificate })).result.findings.kept).toEqual([]);
  const path = await stores.holding(rows);
  const whole = await verified(path);
  for (const port of [false, true]) {
    const since = await verified(path, { since: certificate, port });
    expect([since.told, since.result.wentOnFrom?.position]).toEqual([[], point]);
    const named = since.result.findings.kept.filter((finding) => isNamed(finding, expected));
    expect(named).not.toEqual([]);
    // What is there twice was there for the first time before the point.
    for (const { found } of named) expect(Number(/first at position (\d+)/.exec(found)?.[1] ?? 0)).toBeLessThanOrEqual(point);
    expect(outcomeOf(since.result)).toEqual(outcomeOf(whole.result));
  }
});
