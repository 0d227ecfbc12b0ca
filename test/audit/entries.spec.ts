import fs, { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { saysCouldNotRun } from '../../apps/auditor/src/cli/command';
import { BUCKETS, type EarlierEntries, EntryLog } from '../../apps/auditor/src/verify/entries';
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

it('finds the same when most has gone to a file, which has no name', async () => {
  const opened = jest.spyOn(fs, 'openSync');
  const log = filled(new EntryLog(SEED, KEPT_WORDS), 0, COUNT);
  expect(opened.mock.calls).toEqual([[expect.stringContaining(folder), 'wx+', 0o600]]);
  // A file without a name is gone however the process ends.
  expect(readdirSync(folder)).toEqual([]);
  expect(await groupsOf(log)).toEqual([repeated]);
  log.close();
  expect(readdirSync(folder)).toEqual([]);
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

it('says in a sentence that its file has no place, also where a thread says it', () => {
  jest.spyOn(os, 'tmpdir').mockReturnValue(join(folder, 'missing'));
  let said: unknown;
  try {
    filled(new EntryLog(SEED, KEPT_WORDS), 0, COUNT);
  } catch (error) {
    said = error;
  }
  expect(said).toMatchObject({
    name: 'CouldNotRun',
    message: expect.stringMatching(/missing, cannot be written \(ENOENT\): TMPDIR can name another\.$/),
  });
  expect(saysCouldNotRun(Object.assign(new Error('of a thread'), { name: 'CouldNotRun' }))).toBe(true);
});

describe('what an earlier audit has entered', () => {
  /** The words of a log, as a state file gives them back. */
  function keptOf(log: EntryLog): EarlierEntries {
    const buckets = Array.from({ length: BUCKETS }, (_, bucket) => [...log.wordsIn(bucket)].map((words) => words.slice()));
    buckets.forEach((runs, bucket) => expect(log.bytesIn(bucket)).toBe(runs.reduce((sum, { byteLength }) => sum + byteLength, 0)));
    const bytes = buckets.map((_, bucket) => log.bytesIn(bucket));
    return { bytesIn: (bucket) => bytes[bucket]!, wordsIn: (bucket) => buckets[bucket]! };
  }
  const count = (entries: EarlierEntries): number =>
    Array.from({ length: BUCKETS }, (_, bucket) => [...entries.wordsIn(bucket)].reduce((sum, { length }) => sum + length / 6, 0)).reduce((a, b) => a + b); // prettier-ignore

  it.each([
    ['memory', undefined],
    ['files', KEPT_WORDS],
  ])('is met again by what comes later, and goes on with it, from %s', async (_, keptWords) => {
    const opened = jest.spyOn(fs, 'openSync');
    const first = filled(new EntryLog(SEED, keptWords), 0, COUNT / 2);
    expect(opened).toHaveBeenCalledTimes(keptWords === undefined ? 0 : 1);
    // Grouping leaves all where it is.
    await groupsOf(first);
    const earlier = keptOf(first);
    first.close();
    expect(count(earlier)).toBe(COUNT / 2);

    const later = filled(new EntryLog(SEED, keptWords, earlier), COUNT / 2, COUNT);
    expect(await groupsOf(later)).toEqual([repeated]);
    expect(count(keptOf(later))).toBe(COUNT);
    later.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not judged again by itself', async () => {
    const first = new EntryLog(SEED);
    for (const position of [1, 2]) first.add('key', position, 0, 'stream', 'twice');
    first.add('reversal', 3, 0, 'a usage');
    const later = new EntryLog(SEED, undefined, keptOf(first));
    later.add('key', 4, 0, 'stream', 'once');
    const groups: Entry[][] = [];
    const judge = (group: readonly Entry[]): undefined => void groups.push([...group]);
    await later.groups(judge);
    expect(groups).toEqual([]);
    later.add('usage', 5, 7, 'a usage');
    await later.groups(judge);
    expect(groups).toEqual([[{ kind: 'reversal', position: 3, extra: 0 }, { kind: 'usage', position: 5, extra: 7 }]]); // prettier-ignore
  });
});
