import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Audited, auditRows, shown } from './audit';
import { reach, settle } from './clients';
import { userCommand } from './commands';
import type { Door, LedgerUnderTest } from './ledger-under-test';
import { readBack } from './mixed-load';
import type { Witness } from './witness';

const DIFFERENCES_MAX = 10;

/** Every allocation is settled and read by this door. */
export async function settled(door: Door, witness: Witness): Promise<void> {
  const allocations = witness.accepted().filter(({ command }) => command.path.endsWith('/allocations'));
  for (const { reply } of allocations) await reach(door, reply);
}

/** The end of a test: the file is audited, every answer is held against it, and what each door reads is what the events say. */
export async function addsUp(ledger: LedgerUnderTest, doors: readonly Door[], witness?: Witness): Promise<Audited> {
  if (witness) for (const door of doors) await settled(door, witness);
  await everythingRead(doors, witness);
  const audited = auditRows(await ledger.rows());
  expect(audited.faults).toEqual([]);
  expect(witness?.faults(audited.rows) ?? []).toEqual([]);
  const { organisations, users } = audited.books;
  const byEvents = shown(audited.books);
  for (const door of doors) {
    const byReads = await readBack(door, [...organisations.keys()], [...users.keys()]);
    expect(differences(byReads, byEvents)).toEqual([]);
  }
  return audited;
}

/** A process learns a little later what another has written; the position of a new event makes each door wait for all. */
async function everythingRead(doors: readonly Door[], witness?: Witness): Promise<void> {
  const [door] = doors;
  if (!door) return;
  const barrier = userCommand('barrier', 'PUT', '/free-allowance', { tokensPerMonth: 0 }, randomUUID());
  const reply = witness ? await settle(witness, barrier, () => Promise.resolve(door)) : await door.ask(barrier);
  for (const each of doors) await reach(each, reply);
}

/** Wallets that two witnesses show differently. Jest's own comparison takes seconds over 10,000 of them. */
function differences(reads: Record<string, unknown>, events: Record<string, unknown>): string[] {
  return [...new Set([...Object.keys(reads), ...Object.keys(events)])]
    .filter((name) => !isDeepStrictEqual(reads[name], events[name]))
    .slice(0, DIFFERENCES_MAX)
    .map((name) => `${name}: the reads say ${JSON.stringify(reads[name])}, the events ${JSON.stringify(events[name])}`);
}
