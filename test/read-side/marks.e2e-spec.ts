import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answers, differences, everyAnswer } from './every-answer';
import { expecting, openSchool, organisationCommand, usage, userCommand } from '../support/commands';
import { bodyOf, calmZone, type Door, isReplay, type Json, LedgerUnderTest, positionOf } from '../support/ledger-under-test';
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

/** `tokens` and `tag` tell histories apart: the same wallets, with other figures and keys. */
async function live(door: Door, tag: string, tokens: number, usages = USAGES): Promise<void> {
  const body = { tokens: 100_000 + tokens, paymentReference: `payment-${tag}` };
  await expecting(201, door, userCommand('ann', 'POST', '/purchases', body, `buy-${tag}`));
  for (let from = 0; from < usages; from += BATCH) {
    const lines = Array.from({ length: Math.min(BATCH, usages - from) }, (_, n) => ({
      key: `${tag}-${from + n}`,
      userId: 'ann',
      tokens,
      ...(n % 10 === 0 && { reference: 'task' }),
    }));
    const { results } = await expecting(200, door, { method: 'POST', path: '/v1/usages/batch', body: { usages: lines } });
    expect(new Set((results as Json[]).map(({ status }) => status as number))).toEqual(new Set([201]));
  }
  await expecting(200, door, organisationCommand('school', 'PUT', '/members/ben/limits', { usage: { daily: tokens } }, `limit-${tag}`));
  const lines = [
    { userId: 'ann', tokens: 10 * tokens },
    { userId: 'ben', tokens },
  ];
  await reach(door, await door.ask(organisationCommand('school', 'POST', '/allocations', { lines }, `allocate-${tag}`)));
}

async function found(door: Door): Promise<void> {
  await openSchool(door, 'school', { timeZone: calmZone(), tokens: 1_000_000, members: ['ann', 'ben'] });
}

async function ready(door: Door): Promise<void> {
  while ((await door.once({ method: 'GET', path: '/health/ready' })).status !== 200) await pause(LOOK_MS);
}

const now = (): string[] => [new Date().toISOString()];

/** Everything that is read and the balance that the next command is decided on, held against what is right. */
async function answersAs(door: Door, truth: Answers, instants: string[], key: string): Promise<void> {
  await ready(door);
  expect(differences(truth, await everyAnswer(door, TOWN, instants))).toEqual([]);
  const { balance } = JSON.parse(truth.bodies.get('/v1/users/ann')!) as { balance: number };
  expect((await expecting(201, door, usage('ann', 3, key))).balance).toBe(balance - 3);
}

describe('what was made from another store', () => {
  const mine = new LedgerUnderTest();
  const theirs = new LedgerUnderTest();
  let position: string;
  let truth: Answers;
  let instants: string[];
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
    await live(own, 'mine-too', 3, USAGES + 500);
    await ready(own);
    instants = now();
    truth = await everyAnswer(own, TOWN, instants);
    await mine.stop();
  }, 120_000);

  it.each([
    ['read model', ['']],
    ['snapshots', ['-snapshots']],
    ['read model and snapshots', ['', '-snapshots']],
  ])(
    '%s: the answers are those of the store that is there',
    async (what, kinds) => {
      for (const kind of ['', '-snapshots'])
        for (const suffix of SUFFIXES) rmSync(join(mine.folder, `read-model-foreign${kind}.db${suffix}`), { force: true });
      for (const kind of kinds)
        copyFileSync(join(theirs.folder, `read-model-foreign${kind}.db`), join(mine.folder, `read-model-foreign${kind}.db`));
      const door = await mine.start('foreign');
      await answersAs(door, truth, instants, `after-${what.replaceAll(' ', '-')}`);
      truth = await everyAnswer(door, TOWN, instants);
      await mine.stop();
    },
    60_000,
  );

  it('a position is 400', async () => {
    const door = await mine.start('own');
    const reply = await door.once({ method: 'GET', path: '/v1/users/ann', position });
    expect([reply.status, bodyOf(reply).code]).toEqual([400, 'VALIDATION_FAILED']);
    await mine.stop();
  }, 60_000);
});

describe('a store that went back to a backup', () => {
  const ledger = new LedgerUnderTest();
  const backup = join(ledger.folder, 'backup.db');
  let lost: string;
  let atBackup: Answers;
  let instants: string[];
  afterAll(() => ledger.end());

  function restore(): void {
    for (const suffix of SUFFIXES) rmSync(ledger.store + suffix, { force: true });
    copyFileSync(backup, ledger.store);
  }

  /** What a read model and snapshots looked like after the part that is lost. */
  const stale = (from: string, to: string): void => {
    for (const kind of ['', '-snapshots'])
      copyFileSync(join(ledger.folder, `read-model-${from}${kind}.db`), join(ledger.folder, `read-model-${to}${kind}.db`));
  };

  beforeAll(async () => {
    let door = await ledger.start('a');
    await found(door);
    await live(door, 'one', 1);
    await ready(door);
    instants = now();
    atBackup = await everyAnswer(door, TOWN, instants);
    await ledger.stop();
    copyFileSync(ledger.store, backup);
    door = await ledger.start('a');
    await live(door, 'two', 2);
    lost = positionOf(await door.ask(usage('ann', 1, 'two-last')))!;
    await ledger.stop();
    stale('a', 'kept');
  }, 120_000);

  it('answers as it did then, and a position of what is lost is not reached', async () => {
    restore();
    const door = await ledger.start('a');
    const reply = await door.once({ method: 'GET', path: '/v1/users/ann', position: lost });
    expect([reply.status, bodyOf(reply).code]).toEqual([503, 'POSITION_NOT_REACHED']);
    await answersAs(door, atBackup, instants, 'after-restore');
    await ledger.stop();
  }, 60_000);

  it('and grew differently, beyond where it had been: reads, commands and keys are those of the store that is there', async () => {
    restore();
    const other = await ledger.start('other');
    await live(other, 'three', 3, USAGES + 1_000);
    await ready(other);
    const later = now();
    const truth = await everyAnswer(other, TOWN, later);
    await ledger.stop();
    stale('kept', 'b');
    const door = await ledger.start('b');
    await answersAs(door, truth, later, 'after-growth');
    // Keys of the lost part are free again, those of the new one are known.
    const again = await door.ask(usage('ann', 2, 'two-0'));
    expect([again.status, isReplay(again)]).toEqual([201, false]);
    const known = await door.ask(usage('ann', 3, 'three-5'));
    expect([known.status, isReplay(known)]).toEqual([201, true]);
    // The store has come further than the lost position: the read is of what is there.
    const read = await expecting(200, door, { method: 'GET', path: '/v1/users/ann', position: lost });
    expect(read.balance).toBe(bodyOf(again).balance);
    await ledger.stop();
  }, 60_000);
});
