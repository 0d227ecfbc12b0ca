import { expecting, openSchool, organisationCommand } from '../support/commands';
import { bodyOf, calmZone, type Door, LedgerUnderTest, positionOf } from '../support/ledger-under-test';
import { grownBy, StoreReader } from '../support/stored-rows';

/** A service that is killed after it answered an allocation settles the rest of it at its next start, without any command to wake it. */

/** Kills come when so many parts of the members have received theirs, of as many as there are kills. */
const KILLS = 3;
const MEMBERS = 2_500;
const members = Array.from({ length: MEMBERS }, (_, n) => `member-${n}`);

it('settles after a kill what it had answered, while nothing else is written', async () => {
  const ledger = new LedgerUnderTest();
  try {
    let door: Door = await ledger.start('a');
    await openSchool(door, 'school', { timeZone: calmZone(), tokens: 1_000_000, members });
    let left = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const lines = members.map((userId) => ({ userId, tokens: 1 + kill }));
      const answer = await door.ask(organisationCommand('school', 'POST', '/allocations', { lines }, `allocate-${kill}`));
      await grownBy(ledger.store, Math.floor((kill * MEMBERS) / KILLS));
      await ledger.kill(door);
      expect(answer.status).toBe(201);
      const { allocationId } = bodyOf(answer);
      const received = receivedOf(ledger.store, String(allocationId));
      left += MEMBERS - received;

      door = await ledger.start('a', door.port);
      const path = `/v1/organisations/school/allocations/${allocationId}`;
      const read = await expecting(200, door, { method: 'GET', path, position: positionOf(answer) });
      expect(read).toMatchObject({ settled: true, settledLines: MEMBERS });
      expect(receivedOf(ledger.store, String(allocationId))).toBe(MEMBERS);
    }
    // Kills that come when everything is settled show nothing.
    expect(left).toBeGreaterThan(0);
  } finally {
    await ledger.end();
  }
}, 180_000);

function receivedOf(file: string, allocationId: string): number {
  const reader = new StoreReader(file);
  let received = 0;
  for (const { event } of reader.rows()) if (event.type === 'AllocationReceived' && event.data.allocationId === allocationId) received += 1;
  reader.close();
  return received;
}
