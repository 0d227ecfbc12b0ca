import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NO_STREAM, SqliteEventStore } from '@ledger/event-store';
import { streamOf } from '@ledger/wallet';
import fc from 'fast-check';
import { rebuild } from '../../apps/ledger/src/cli/rebuild';
import { SqliteReadModel } from '../../apps/ledger/src/views/sqlite-read-model';
import { type Move, move, ORGANISATIONS, STARTS, USERS, ZONES } from '../../libs/wallet/src/testing/moves';
import { World } from '../../libs/wallet/src/testing/world';
import { Choices } from '../support/choices';
import { seedOf } from '../support/ledger-under-test';
import { doubled, readDoubled } from './doubled';

/**
 * The wallets' own random sequences (libs/wallet, wallet.property.spec.ts), with every kind of command, through the read model: read
 * live while they are written, built anew, and either with every event twice in batches of chance sizes, the rows are the same.
 */

const RUNS = 12;
const MOVES = 150;
const WAIT_MS = 20_000;

const beginning: Move[] = ORGANISATIONS.flatMap((organisationId, index): Move[] => [
  { kind: 'open', organisationId, timeZone: ZONES[index] ?? 'UTC', keyed: false },
  { kind: 'buy', organisationId, tokens: 250, payment: 0, keyed: true },
  { kind: 'members', organisationId, lines: USERS.map((userId) => ({ userId, status: 'permitted' })), keyed: true },
  { kind: 'allocate', organisationId, lines: USERS.map((userId) => ({ userId, tokens: 40 })), keyed: true },
]);

const runs = fc.record({
  start: fc.constantFrom(...STARTS),
  platformTimeZone: fc.constantFrom(...ZONES),
  freeTokensPerMonth: fc.constantFrom(0, 15),
  moves: fc.array(move, { minLength: MOVES, maxLength: MOVES }),
  cuts: fc.nat(),
});

/** Writes what has come to each wallet since it was asked last. */
function writer(world: World, store: SqliteEventStore): () => Promise<number> {
  const written = new Map<string, number>();
  return async () => {
    for (const { ref, events } of [...world.organisations.values(), ...world.users.values()]) {
      const stream = streamOf(ref);
      const from = written.get(stream) ?? 0;
      if (events.length === from) continue;
      const fresh = events.slice(from).map(({ sealed }) => sealed);
      await store.append(stream, from === 0 ? NO_STREAM : from - 1, fresh);
      written.set(stream, events.length);
    }
    return [...written.values()].reduce((sum, count) => sum + count, 0);
  };
}

it('the rows are the same read live, built anew, and with every event twice, after random sequences of every command', async () => {
  const seed = seedOf('SEQUENCES_SEED');
  let events = 0;
  await fc.assert(
    fc.asyncProperty(runs, async ({ start, platformTimeZone, freeTokensPerMonth, moves, cuts }) => {
      const folder = mkdtempSync(join(tmpdir(), 'ledger-sequences-'));
      const store = await SqliteEventStore.open(join(folder, 'events.db'));
      try {
        const world = new World(Date.parse(start), platformTimeZone, freeTokensPerMonth);
        const live = new SqliteReadModel(store, join(folder, 'read-model.db'));
        await live.start();
        const liveDoubled = join(folder, 'live-doubled.db');
        const doubling = new SqliteReadModel(doubled(store, new Choices(cuts + 1)), liveDoubled);
        await doubling.start();
        const write = writer(world, store);
        for (const one of [...beginning, ...moves]) {
          world.perform(one);
          await write();
        }
        world.settleAll();
        events += await write();
        expect(await live.reached(await store.headPosition(), WAIT_MS)).toBe(true);
        await live.stop();
        expect(await doubling.reached(await store.headPosition(), WAIT_MS)).toBe(true);
        await doubling.stop();
        const builtDoubled = join(folder, 'built-doubled.db');
        await readDoubled(store, builtDoubled, new Choices(cuts), WAIT_MS);

        for (const READ_MODEL_PATH of [join(folder, 'read-model.db'), liveDoubled, builtDoubled]) {
          const environment = { DATA_DIR: folder, READ_MODEL_PATH };
          const said: string[] = [];
          const say = (line: string) => said.push(line);
          const status = await rebuild(['--check'], environment, say, say);
          expect([READ_MODEL_PATH, status, said.at(-1)]).toEqual([READ_MODEL_PATH, 0, expect.stringMatching(/no difference/)]);
        }
      } finally {
        await store.close();
        rmSync(folder, { recursive: true, force: true });
      }
    }),
    { numRuns: RUNS, seed, endOnFailure: true },
  );
  expect(events).toBeGreaterThan(RUNS * MOVES * 0.3);
}, 180_000);
