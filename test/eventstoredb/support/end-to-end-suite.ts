import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { addsUp } from '../../support/adds-up';
import { reach } from '../../support/clients';
import { expecting, openSchool, organisationCommand, usage, userCommand } from '../../support/commands';
import { bodyOf, calmZone, type Door, isReplay, LedgerUnderTest } from '../../support/ledger-under-test';
import { ServerRows } from './server-rows';

/** More than one append can hold of single lines: they go out in parts of a thousand. */
const MANY = 10_000;
const LONGEST_ID = 64;
const PUPILS = ['e2e-anna', 'e2e-ben', 'e2e-cem'];

/** The main job through real processes of the service on an EventStoreDB. All events of it are audited: contract tests must come later. */
export function endToEndSuite(name: string, url: () => string): void {
  describe(name, () => {
    let ledger: LedgerUnderTest;
    let rows: ServerRows;
    let door: Door;
    beforeAll(async () => {
      rows = new ServerRows(url());
      ledger = new LedgerUnderTest({ EVENT_STORE_URL: url() }, rows);
      door = await ledger.start('a');
    }, 90_000);
    afterAll(async () => {
      await ledger.end();
      await rows.close();
    });

    const restarted = async (how: 'stop' | 'kill', forget = false): Promise<void> => {
      if (how === 'stop') await ledger.stop();
      else await ledger.kill(door);
      if (forget) for (const suffix of ['', '-wal', '-shm']) rmSync(join(ledger.folder, `read-model-a.db${suffix}`), { force: true });
      door = await ledger.start('a');
    };

    it('is ready', async () => {
      expect(await expecting(200, door, { method: 'GET', path: '/health/ready' })).toMatchObject({ status: 'ready' });
    });

    it('sells, permits, allocates, settles and charges, and repeats the first answer for a key', async () => {
      await openSchool(door, 'e2e-school', { timeZone: calmZone(), tokens: 100_000, members: PUPILS });
      const limits = { usage: { daily: 50 } };
      await expecting(200, door, organisationCommand('e2e-school', 'PATCH', '/limits', limits, 'limits'));
      const lines = PUPILS.map((userId) => ({ userId, tokens: 1_000 }));
      await reach(door, await door.ask(organisationCommand('e2e-school', 'POST', '/allocations', { lines }, 'allocate')));
      const first = await door.ask(usage('e2e-anna', 50, 'all-of-it'));
      expect(first.status).toBe(201);
      expect(await expecting(422, door, usage('e2e-anna', 1, 'one-more'))).toMatchObject({ code: 'LIMIT_EXCEEDED' });
      const again = await door.ask(usage('e2e-anna', 50, 'all-of-it'));
      expect([again.status, again.text, isReplay(again)]).toEqual([201, first.text, true]);
      await addsUp(ledger, [door]);
    }, 60_000);

    it.each([
      ['stopped', 'stop', false],
      ['killed', 'kill', false],
      ['stopped and its read model deleted', 'stop', true],
    ] as const)(
      'remembers everything after it was %s',
      async (_, how, forget) => {
        const first = await door.ask(usage('e2e-ben', 1, `before-${how}-${forget}`));
        await restarted(how, forget);
        const again = await door.ask(usage('e2e-ben', 1, `before-${how}-${forget}`));
        expect([again.status, again.text, isReplay(again)]).toEqual([201, first.text, true]);
        await addsUp(ledger, [door]);
      },
      60_000,
    );

    it(`allocates to ${MANY} members with ids of ${LONGEST_ID} characters in one command`, async () => {
      const members = Array.from({ length: MANY }, (_, n) => `e2e-${n}-`.padEnd(LONGEST_ID, 'm'));
      await openSchool(door, 'e2e-crowd', { timeZone: calmZone(), tokens: 1_000_000, members });
      const lines = members.map((userId) => ({ userId, tokens: 3 }));
      const allocated = await door.ask(organisationCommand('e2e-crowd', 'POST', '/allocations', { lines }, 'all'));
      expect([allocated.status, bodyOf(allocated)]).toMatchObject([201, { tokens: 3 * MANY, lineCount: MANY }]);
      const again = await door.ask(organisationCommand('e2e-crowd', 'POST', '/allocations', { lines }, 'all'));
      expect([again.text, isReplay(again)]).toEqual([allocated.text, true]);
      const received = userCommand(members[MANY - 1]!, 'POST', '/usages', { tokens: 3, service: 'e2e' }, 'spend');
      // A settlement of so many takes longer than one read waits for it.
      for (let looks = 0; looks < SETTLE_LOOKS_MAX; looks += 1) {
        const path = `/v1/organisations/e2e-crowd/allocations/${bodyOf(allocated).allocationId}?limit=1`;
        if ((await expecting(200, door, { method: 'GET', path })).settled === true) break;
        await reach(door, again).catch(() => undefined);
      }
      await expecting(201, door, received);
      await addsUp(ledger, [door]);
    }, 240_000);
  });
}

const SETTLE_LOOKS_MAX = 40;
