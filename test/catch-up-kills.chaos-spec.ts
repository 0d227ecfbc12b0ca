import { setTimeout as pause } from 'node:timers/promises';
import { SqliteEventStore } from '@ledger/event-store';
import Sqlite from 'better-sqlite3';
import { join } from 'node:path';
import { rebuild } from '../apps/ledger/src/cli/rebuild';
import { type Answers, differences, everyAnswer } from './read-side/every-answer';
import { FREE_TOKENS, settleTown, type Town } from './read-side/town';
import { Choices } from './support/choices';
import { bodyOf, calmZone, type Door, LedgerUnderTest, seedOf } from './support/ledger-under-test';

/** The service is killed again and again while it catches up; in the end every answer is as if it had been left in peace. */

const EVENTS = 150_000;
const KILLS = 20;
/** The kills are spread over so much of the way, so that none comes too late. */
const SPREAD_PERCENT = 70;
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
    town = await settleTown(store, { events: EVENTS, seed: choices.below(1_000_000), timeZone: calmZone() });
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

  /** Position of the last commit; -1 before the first. */
  function committed(): number {
    const db = new Sqlite(join(ledger.folder, 'read-model-killed.db'), { readonly: true });
    try {
      return Number(db.prepare('select position from checkpoint').pluck().get() ?? -1);
    } finally {
      db.close();
    }
  }

  it(
    `gives the same answers after ${KILLS} kills`,
    async () => {
      const killedAt: number[] = [];
      const positions: number[] = [];
      for (let kill = 0; kill < KILLS; kill += 1) {
        const door = await ledger.start('killed');
        for (;;) {
          const percent = await behind(door);
          if (percent === undefined) throw new Error(`the service was ready before kill ${kill} came; kills at ${killedAt.join(', ')} %`);
          if (percent >= (kill * SPREAD_PERCENT) / KILLS) {
            killedAt.push(percent);
            break;
          }
          await pause(LOOK_MS);
        }
        await ledger.kill(door);
        positions.push(committed());
      }
      process.stdout.write(`killed at ${killedAt.join(', ')} %; committed ${[...new Set(positions)].join(', ')} of ${EVENTS}\n`);
      // Nothing that was committed is lost by a kill, and some of the lives went on where another had ended.
      expect(positions).toEqual([...positions].sort((a, b) => a - b));
      expect(positions.at(-1)).toBeGreaterThan(0);

      const door = await ledger.start('killed');
      await ready(door);
      const after = await everyAnswer(door, town, instants);
      process.stdout.write(`${after.bodies.size} answers with ${after.rows} rows were compared\n`);
      expect(after.rows).toBeGreaterThan(EVENTS);
      expect(differences(before, after)).toEqual([]);
      await ledger.stop();
      const said: string[] = [];
      const say = (line: string) => said.push(line);
      const environment = { DATA_DIR: ledger.folder, READ_MODEL_PATH: join(ledger.folder, 'read-model-killed.db') };
      expect([await rebuild(['--check'], environment, say, say), said.at(-1)]).toEqual([0, expect.stringMatching(/no difference/)]);
    },
    MINUTES_MAX * 60_000,
  );
});
