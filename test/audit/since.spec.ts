import { Dice } from './tamper-forging';
import { contentOf, endsOf, outcomeOf, verified } from './since-run';
import { randomRows, type Row, Stores } from './tamper-store';

/** An audit that goes on from where the last clean one ended comes to what a whole audit comes to. */

const WORLDS = 4;
const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);
const stores = new Stores();
const dice = new Dice(seed);

beforeAll(() => void process.stdout.write(`going on: TAMPER_SEED=${seed}\n`));
afterAll(() => stores.close());

/** Three points at random, and the end. */
const pointsOf = (rows: readonly Row[]): number[] => {
  const ends = endsOf(rows);
  const some = [1, 2, 3].map((third) => ends[Math.floor(((third - 1) * ends.length) / 3) + dice.below(Math.floor(ends.length / 3))]!);
  return [...some, rows.length];
};

describe.each([
  ['a file', false],
  ['the port', true],
])('a chain of audits, each of which goes on from the one before, through %s', (name, port) => {
  it.each(Array.from({ length: WORLDS }, (_, world) => world))(
    'comes to what whole audits come to, and knows what they know: world %i',
    async (world) => {
      // Positions may have gaps.
      const rows = randomRows(seed + world).map((row, index) => ({ ...row, position: index * (1 + (world % 2) * 6) + 1 }));
      let since: string | undefined;
      for (const [step, point] of pointsOf(rows).entries()) {
        const path = await stores.holding(rows.slice(0, point));
        const certificate = stores.file(`${name}-${world}-${step}.json`);
        const { result, told } = await verified(path, { since, certificate, port });
        expect(told).toEqual([]);
        expect(result.wentOnFrom !== undefined).toBe(since !== undefined);
        expect(result.findings.kept).toEqual([]);
        const known = contentOf(certificate);
        const whole = await verified(path, { certificate: stores.file('whole.json'), seed: known.seed, port });
        expect(outcomeOf(result)).toEqual(outcomeOf(whole.result));
        expect(known).toEqual(contentOf(stores.file('whole.json')));
        since = certificate;
      }
    },
  );
});

it('goes on from any of the earlier certificates, also from one of the very end', async () => {
  const rows = randomRows(seed);
  const whole = await stores.holding(rows);
  const expected = outcomeOf((await verified(whole)).result);
  for (const point of [...pointsOf(rows), 1]) {
    const certificate = stores.file(`at-${point}.json`);
    await verified(await stores.holding(rows.slice(0, point)), { certificate });
    const { result, told } = await verified(whole, { since: certificate });
    expect([told, result.wentOnFrom]).toEqual([[], { position: point, events: point }]);
    expect(outcomeOf(result)).toEqual(expected);
  }
});
