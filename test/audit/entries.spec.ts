import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { EntryLog } from '../../apps/auditor/src/verify/entries';
import type { Entry } from '../../apps/auditor/src/verify/entry';
import type { Seed } from '../../apps/auditor/src/verify/fingerprint';

/** What must be unique for ever is found again, whether it was kept in memory or went to files. */

const SEED: Seed = [7, 11];
/** Several chunks of each of the 64 buckets. */
const COUNT = 200_000;
const REPEATED_EVERY = 1_000;
/** A few chunks, so that nearly all goes to files, in several turns. */
const KEPT_WORDS = 40 * 6_144;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(os.tmpdir(), 'entries-'));
  jest.spyOn(os, 'tmpdir').mockReturnValue(folder);
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

/** Positions and extras above 2^32 show that every word of an entry comes back. */
function filled(log: EntryLog, from: number, to: number): EntryLog {
  for (let n = from; n < to; n += 1) log.add('key', 2 ** 40 + n, 2 ** 48 + n, 'stream', `key-${n % REPEATED_EVERY === 0 ? 'again' : n}`);
  return log;
}

async function groupsOf(log: EntryLog): Promise<Entry[][]> {
  const groups: Entry[][] = [];
  await log.groups((group) => {
    groups.push([...group]);
    return undefined;
  });
  return groups.filter(({ length }) => length > 1);
}

const repeated = Array.from({ length: COUNT / REPEATED_EVERY }, (_, nth): Entry => {
  const n = nth * REPEATED_EVERY;
  return { kind: 'key', position: 2 ** 40 + n, extra: 2 ** 48 + n };
});

it('finds what was entered again, when all is in memory', async () => {
  const log = filled(new EntryLog(SEED), 0, COUNT);
  expect(readdirSync(folder)).toEqual([]);
  expect(await groupsOf(log)).toEqual([repeated]);
  log.close();
});

it('finds the same when most has gone to files, and leaves none of them behind', async () => {
  const log = filled(new EntryLog(SEED, KEPT_WORDS), 0, COUNT);
  expect(readdirSync(folder)).toHaveLength(1);
  expect(await groupsOf(log)).toEqual([repeated]);
  log.close();
  expect(readdirSync(folder)).toEqual([]);
});

it('puts its files below the folder that it is given', () => {
  const home = mkdtempSync(join(folder, 'home-'));
  const log = filled(new EntryLog(SEED, KEPT_WORDS, home), 0, COUNT);
  expect([readdirSync(home).length, readdirSync(folder).length]).toEqual([1, 1]);
  log.close();
  expect(readdirSync(home)).toEqual([]);
});

it('finds the same when threads hand over what they kept and what they put into files', async () => {
  const parts = [filled(new EntryLog(SEED, KEPT_WORDS), 0, COUNT / 2), filled(new EntryLog(SEED), COUNT / 2, COUNT)];
  const whole = new EntryLog(SEED, KEPT_WORDS);
  for (const part of parts) {
    whole.take(structuredClone(part.handOver()));
    part.close();
  }
  expect(await groupsOf(whole)).toEqual([repeated]);
  whole.close();
  expect(readdirSync(folder)).toEqual([]);
});
