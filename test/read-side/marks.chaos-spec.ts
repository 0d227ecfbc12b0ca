import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answers, differences, everyAnswer } from './every-answer';
import { expecting, openSchool, organisationCommand, usage, userCommand } from '../support/commands';
import { bodyOf, calmZone, type Door, type Json, LedgerUnderTest, positionOf } from '../support/ledger-under-test';
import { reach } from '../support/clients';

/**
 * The store's mark: a read model, a snapshot or a position that was made from another store, or from this one before it went back
 * to a backup and grew differently, is noticed. Whatever is in the data folder, the answers are those of the store that is there.
 */

/** More than the events after which a wallet is kept as a snapshot. */
const USAGES = 2_200;
const BATCH = 1_100;
const LOOK_MS = 10;
const SUFFIXES = ['', '-wal', '-shm'];
const TOWN = { organisations: ['school'], users: ['ann', 'ben'], references: ['task'] };

/**
 * A part of a history. `tokens` and `tag` tell two of them apart; their shape is the same, event for event, so that nothing but the
 * events' contents says which one it is.
 */
async function live(door: Door, tag: string, tokens: number): Promise<void> {
  const body = { tokens: 100_000 + tokens, paymentReference: `payment-${tag}` };
  await expecting(201, door, userCommand('ann', 'POST', '/purchases', body, `buy-${tag}`));
  const usages = usagesOf(tag, tokens);
  for (let from = 0; from < USAGES; from += BATCH) expect(await send(door, usages.slice(from, from + BATCH))).toEqual(['201 false']);
  await expecting(200, door, organisationCommand('school', 'PUT', '/members/ben/limits', { usage: { daily: tokens } }, `limit-${tag}`));
  for (const userId of ['ann', 'ben']) {
    const allocation = { lines: [{ userId, tokens: 10 * tokens }] };
    await reach(door, await door.ask(organisationCommand('school', 'POST', '/allocations', allocation, `allocate-${tag}-${userId}`)));
  }
}

const usagesOf = (tag: string, tokens: number): object[] =>
  Array.from({ length: USAGES }, (_, n) => ({ key: `${tag}-${n}`, userId: 'ann', tokens, ...(n % 10 === 0 && { reference: 'task' }) }));

/** What became of them: each status with whether it was a replay, once. */
async function send(door: Door, usages: object[]): Promise<string[]> {
  const { results } = await expecting(200, door, { method: 'POST', path: '/v1/usages/batch', body: { usages } });
  return [...new Set((results as Json[]).map(({ status, replayed }) => `${status} ${replayed}`))];
}

async function found(door: Door): Promise<void> {
  await openSchool(door, 'school', { timeZone: calmZone(), tokens: 1_000_000, members: ['ann', 'ben'] });
}

async function ready(door: Door): Promise<void> {
  while ((await door.once({ method: 'GET', path: '/health/ready' })).status !== 200) await pause(LOOK_MS);
}

const now = (): string[] => [new Date().toISOString()];

interface Wanted {
  answers: Answers;
  instants: string[];
  /** Parts of the history that this store does not have: their keys are new to it. */
  lost: string[];
  /** A part that it has, with the tokens of its usages. */
  has: [tag: string, tokens: number];
}

/** Everything that is read, the balance that a command is decided on, and every key, held against what is right. */
async function answersAs(door: Door, { answers, instants, lost, has }: Wanted): Promise<void> {
  await ready(door);
  expect(differences(answers, await everyAnswer(door, TOWN, instants))).toEqual([]);
  expect(await send(door, usagesOf(...has))).toEqual(['201 true']);
  const { balance } = JSON.parse(answers.bodies.get('/v1/users/ann')!) as { balance: number };
  expect((await expecting(201, door, usage('ann', 3, 'afterwards'))).balance).toBe(balance - 3);
  for (const tag of lost) expect([tag, await send(door, usagesOf(tag, 1))]).toEqual([tag, ['201 false']]);
}

/** Copies files of SQLite that nobody has open, and leaves nothing of what was there. */
function replace(from: string, to: string): void {
  for (const suffix of SUFFIXES) rmSync(to + suffix, { force: true });
  copyFileSync(from, to);
}

const filesOf = (ledger: LedgerUnderTest, name: string): Record<'read model' | 'snapshots', string> => ({
  'read model': join(ledger.folder, `read-model-${name}.db`),
  snapshots: join(ledger.folder, `read-model-${name}-snapshots.db`),
});

describe('what was made from another store', () => {
  const mine = new LedgerUnderTest();
  const theirs = new LedgerUnderTest();
  const kept = join(mine.folder, 'kept.db');
  let position: string;
  let wanted: Wanted;
  afterAll(async () => {
    await mine.end();
    await theirs.end();
  });

  beforeAll(async () => {
    const other = await theirs.start('foreign');
    await found(other);
    await live(other, 'theirs', 2);
    await live(other, 'theirs-too', 4);
    position = positionOf(await other.ask(usage('ann', 1, 'last')))!;
    await theirs.stop();
    const own = await mine.start('own');
    await found(own);
    await live(own, 'mine', 1);
    await live(own, 'mine-too', 3);
    // As long as theirs and a little longer: more would wash a foreign snapshot out of the wallet.
    for (const key of ['last', 'one-more']) await expecting(201, own, usage('ann', 1, key));
    await ready(own);
    const instants = now();
    wanted = { answers: await everyAnswer(own, TOWN, instants), instants, lost: ['theirs', 'theirs-too'], has: ['mine-too', 3] };
    await mine.stop();
    copyFileSync(mine.store, kept);
  }, 120_000);

  it.each([[['read model']], [['snapshots']], [['read model', 'snapshots']]] as ('read model' | 'snapshots')[][][])(
    '%j: every answer is that of the store that is there',
    async (kinds) => {
      replace(kept, mine.store);
      for (const file of Object.values(filesOf(mine, 'foreign'))) for (const suffix of SUFFIXES) rmSync(file + suffix, { force: true });
      for (const kind of kinds) replace(filesOf(theirs, 'foreign')[kind], filesOf(mine, 'foreign')[kind]);
      await answersAs(await mine.start('foreign'), wanted);
      await mine.stop();
    },
    120_000,
  );

  it('a position is 400', async () => {
    const door = await mine.start('own');
    const reply = await door.once({ method: 'GET', path: '/v1/users/ann', position });
    expect([reply.status, bodyOf(reply).code]).toEqual([400, 'VALIDATION_FAILED']);
    await mine.stop();
  }, 120_000);
});

describe('a store that went back to a backup', () => {
  const ledger = new LedgerUnderTest();
  const backup = join(ledger.folder, 'backup.db');
  let lost: string;
  let shared: string;
  let atBackup: Answers;
  let instants: string[];
  const grown = join(ledger.folder, 'grown.db');
  let afterGrowth: Wanted;
  afterAll(() => ledger.end());

  beforeAll(async () => {
    let door = await ledger.start('a');
    await found(door);
    await live(door, 'one', 1);
    shared = positionOf(await door.ask(usage('ann', 1, 'one-last')))!;
    await ready(door);
    instants = now();
    atBackup = await everyAnswer(door, TOWN, instants);
    await ledger.stop();
    copyFileSync(ledger.store, backup);
    door = await ledger.start('a');
    await live(door, 'two', 2);
    lost = positionOf(await door.ask(usage('ann', 1, 'two-last')))!;
    await ledger.stop();
    for (const kind of ['read model', 'snapshots'] as const) replace(filesOf(ledger, 'a')[kind], filesOf(ledger, 'stale')[kind]);
  }, 120_000);

  it('answers as it did then, and a position of what is lost is not reached', async () => {
    replace(backup, ledger.store);
    const door = await ledger.start('a');
    const reply = await door.once({ method: 'GET', path: '/v1/users/ann', position: lost });
    expect([reply.status, bodyOf(reply).code]).toEqual([503, 'POSITION_NOT_REACHED']);
    await answersAs(door, { answers: atBackup, instants, lost: ['two'], has: ['one', 1] });
    await ledger.stop();
  }, 120_000);

  it('and grew differently, beyond where it had been: every answer is that of the store that is there', async () => {
    replace(backup, ledger.store);
    const other = await ledger.start('other');
    await live(other, 'three', 3);
    for (const key of ['three-last', 'one-more']) await expecting(201, other, usage('ann', 1, key));
    await ready(other);
    const later = now();
    const answers = await everyAnswer(other, TOWN, later);
    await ledger.stop();
    copyFileSync(ledger.store, grown);
    afterGrowth = { answers, instants: later, lost: ['two'], has: ['three', 3] };
    const door = await ledger.start('stale');
    await answersAs(door, afterGrowth);
    // The store has come further than the lost position, and has another event there; what both futures share is good.
    for (const asked of [
      { method: 'GET', path: '/v1/users/ann', position: lost },
      { method: 'GET', path: `/v1/events?from=${lost}` },
    ] as const) {
      const reply = await door.once(asked);
      expect([reply.status, bodyOf(reply)]).toEqual([
        400,
        expect.objectContaining({ errors: [expect.objectContaining({ message: expect.stringContaining('history') })] }),
      ]);
    }
    await expecting(200, door, { method: 'GET', path: '/v1/users/ann', position: shared });
    await ledger.stop();
  }, 120_000);

  /**
   * docs/operations says to stop the service first. One that runs on has the file that it opened, whatever bears its name now: it
   * goes on with that, mixes nothing, and what it wrote goes with it.
   */
  it('and is put in its place under a running service: that answers as before, and the next start from what is there', async () => {
    replace(backup, ledger.store);
    const door = await ledger.start('running');
    await ready(door);
    expect(differences(atBackup, await everyAnswer(door, TOWN, instants))).toEqual([]);
    renameSync(grown, ledger.store);
    expect(differences(atBackup, await everyAnswer(door, TOWN, instants))).toEqual([]);
    const { balance } = JSON.parse(atBackup.bodies.get('/v1/users/ann')!) as { balance: number };
    const used = await door.ask(usage('ann', 7, 'into-the-old-file'));
    if (used.status === 201) {
      expect(bodyOf(used).balance).toBe(balance - 7);
      const read = await expecting(200, door, { method: 'GET', path: '/v1/users/ann', position: positionOf(used) });
      expect(read.balance).toBe(balance - 7);
    } else expect([used.status, bodyOf(used).code]).toEqual([503, 'STORE_UNAVAILABLE']);
    await ledger.stop();
    const next = await ledger.start('running');
    await answersAs(next, afterGrowth);
    await ledger.stop();
  }, 120_000);
});
