import fc from 'fast-check';
import { NAMESPACE } from '../../../wallet/src/testing/hashing';
import { move, ORGANISATIONS, STARTS, USERS, ZONES, type Move } from '../../../wallet/src/testing/moves';
import { World } from '../../../wallet/src/testing/world';
import type { StoredEvent } from '@ledger/event-store';
import { streamOf } from '@ledger/wallet';
import { v5 } from 'uuid';

/** What the wallets write under random commands, as a store would hold it: wallet by wallet, positions counted. */
export function randomEvents(runs: number, seed: number): StoredEvent[] {
  const arbitrary = fc.record({
    start: fc.constantFrom(...STARTS),
    platformTimeZone: fc.constantFrom(...ZONES),
    freeTokensPerMonth: fc.constantFrom(0, 15),
    moves: fc.array(move, { minLength: 110, maxLength: 110 }),
  });
  const events: StoredEvent[] = [];
  for (const { start, platformTimeZone, freeTokensPerMonth, moves } of fc.sample(arbitrary, { numRuns: runs, seed })) {
    const world = new World(Date.parse(start), platformTimeZone, freeTokensPerMonth);
    for (const one of [...beginning, ...moves]) world.perform(one);
    world.settleAll();
    for (const { ref, events: log } of [...world.organisations.values(), ...world.users.values()]) {
      log.forEach(({ sealed }, revision) => {
        events.push({ ...sealed, data: withRealIds(sealed.data), stream: streamOf(ref), revision, position: BigInt(events.length) });
      });
    }
  }
  return events;
}

/** The wallets' tests name what they generate `id-7`; the service takes UUIDs of version 7. */
const withRealIds = (data: string): string => data.replace(/"id-\d+"/g, (name) => `"${v5(name, NAMESPACE).replace(/^(.{14})./, '$17')}"`);

/** Everybody is there and has something, so that few commands fail for lack of it. */
const beginning: Move[] = ORGANISATIONS.flatMap((organisationId, index): Move[] => [
  { kind: 'open', organisationId, timeZone: ZONES[index] ?? 'UTC', keyed: false },
  { kind: 'buy', organisationId, tokens: 250, payment: 0, keyed: true },
  { kind: 'members', organisationId, lines: USERS.map((userId) => ({ userId, status: 'permitted' })), keyed: true },
  { kind: 'allocate', organisationId, lines: USERS.map((userId) => ({ userId, tokens: 40 })), keyed: true },
]);
