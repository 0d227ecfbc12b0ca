import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SqliteEventStore } from '@ledger/event-store';
import { type Answers, differences, everyAnswer } from './read-side/every-answer';
import { FREE_TOKENS, settleTown, type Town } from './read-side/town';
import { Choices } from './support/choices';
import { bodyOf, BUILT, calmZone, type Door, LedgerUnderTest, seedOf } from './support/ledger-under-test';

/** The service is killed again and again while it catches up; in the end every answer is as if it had been left in peace. */

const run = promisify(execFile);

const EVENTS = 80_000;
const KILLS = 20;
/** The kills of one read model are spread over so much of what it has to read, so that none comes too late. */
const SPREAD_PERCENT = 60;
const LOOK_MS = 5;
const INSTANTS = 3;
const DAY_MS = 86_400_000;
const MINUTES_MAX = 8;

describe('the service, killed while it catches up', () => {
  const ledger = new LedgerUnderTest({ FREE_TOKENS_PER_MONTH: String(FREE_TOKENS), PLATFORM_TIME_ZONE: 'UTC' });
  let town: Town;
  let before: Answers;
  let instants: string[];
  afterAll(() => ledger.end());

  beforeAll(async () => {
    const choices = new Choices(seedOf('CATCH_UP_SEED'));
    const store = await SqliteEventStore.open(ledger.store);
    /** This one has read the first half, and was stopped in peace. */
    const halfway = async () => {
      await ready(await ledger.start('half'));
      await ledger.stop();
    };
    town = await settleTown(store, { events: EVENTS, seed: choices.below(1_000_000), timeZone: calmZone(), halfway });
    await store.close();
    instants = Array.from({ length: INSTANTS }, () => new Date(Date.now() - choices.below(40 * DAY_MS)).toISOString());
    const door = await ledger.start('in-peace');
    await ready(door);
    before = await everyAnswer(door, town, instants);
    await ledger.kill(door);
  }, MINUTES_MAX * 60_000);

  /** How far it is in percent; undefined once it is ready. */
  async function behind(door: Door): Promise<number | undefined> {
    const reply = await door.once({ method: 'GET', path: '/health/ready' });
    if (reply.status === 200) return undefined;
    expect(bodyOf(reply)).toMatchObject({ code: 'CATCHING_UP', percent: expect.any(Number) });
    return Number(bodyOf(reply).percent);
  }

  async function ready(door: Door): Promise<void> {
    while ((await behind(door)) !== undefined) await pause(LOOK_MS);
  }

  it.each([
    ['from nothing', 'nothing', 0],
    ['from the middle', 'half', 50],
  ])(
    `${KILLS / 2} times %s, it gives the same answers`,
    async (_, name, from) => {
      const killedAt: number[] = [];
      for (let kill = 0; kill < KILLS / 2; kill += 1) {
        const target = from + (kill * SPREAD_PERCENT * (100 - from)) / 100 / (KILLS / 2);
        const door = await ledger.start(name);
        for (let percent: number | undefined = -1; percent < target; await pause(LOOK_MS)) {
          percent = await behind(door);
          // A kill that comes to a service that is ready shows nothing.
          if (percent === undefined)
            throw new Error(`the service was ready before it came to ${target} %; kills at ${killedAt.join(', ')} %`);
          if (percent >= target) killedAt.push(percent);
        }
        await ledger.kill(door);
      }
      expect(killedAt).toHaveLength(KILLS / 2);
      expect(killedAt[0]).toBeGreaterThanOrEqual(from);

      const door = await ledger.start(name);
      await ready(door);
      const after = await everyAnswer(door, town, instants);
      process.stdout.write(`killed at ${killedAt.join(', ')} %; ${after.bodies.size} answers with ${after.rows} rows were compared\n`);
      expect(after.rows).toBeGreaterThan(EVENTS);
      expect(differences(before, after)).toEqual([]);
      await ledger.stop();
      const environment = { DATA_DIR: ledger.folder, READ_MODEL_PATH: join(ledger.folder, `read-model-${name}.db`) };
      const rebuild = [join(BUILT, 'cli/rebuild.js'), '--check'];
      expect((await run(process.execPath, rebuild, { env: { ...process.env, ...environment } })).stdout).toMatch(/no difference\.?\n$/);
    },
    MINUTES_MAX * 60_000,
  );
});
