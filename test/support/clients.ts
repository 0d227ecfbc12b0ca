import { setTimeout as pause } from 'node:timers/promises';
import type { Reply } from '../../apps/demo/src/http-client';
import { bodyOf, type Door, isLater, positionOf } from './ledger-under-test';
import type { Command, Witness } from './witness';

/** A command that is not answered in so many attempts is a defect, whatever is killed meanwhile. */
const ATTEMPTS_MAX = 200;
const PAUSE_MS = 10;
const PAUSE_MS_MAX = 500;

/** Sends until there is a final answer, each time through the door that is open then. @throws when there is none */
export async function settle(witness: Witness, command: Command, door: () => Promise<Door>, waitMs?: number): Promise<Reply> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const reply = await witness.send(await door(), command, waitMs);
    if (reply && !isLater(reply)) return reply;
    await pause(Math.min(PAUSE_MS_MAX, PAUSE_MS * attempt));
  }
  throw new Error(`${command.method} ${command.path} with ${command.key} has no answer after ${ATTEMPTS_MAX} attempts`);
}

/** Sends all, each until it has its final answer, with at most `atOnce` under way. */
export async function settleAll(witness: Witness, commands: Iterable<Command>, door: () => Promise<Door>, atOnce = 32): Promise<void> {
  const left = commands[Symbol.iterator]();
  const lane = async () => {
    for (let next = left.next(); !next.done; next = left.next()) await settle(witness, next.value, door);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** Waits until an instance has read as far as an answer's position, and, of an allocation, until it is settled there. */
export async function reach(door: Door, reply: Reply): Promise<void> {
  const position = positionOf(reply);
  // An answer waits 5 s for its position, and one that has not come to it is asked again.
  const read = await door.ask({ method: 'GET', path: '/v1/users/nobody', position });
  if (read.status === 200) return;
  throw new Error(`A read at the position of an answer was answered ${read.status}: ${read.text}`);
}

/** Reads what a command made, at its position: an answer must be readable by whoever sends its position back. */
export async function readBehind(door: Door, command: Command, reply: Reply): Promise<string[]> {
  const position = positionOf(reply);
  const made = bodyOf(reply);
  const path = command.path.endsWith('/usages')
    ? `${command.path}/${made.usageId}`
    : command.path.endsWith('/allocations')
      ? `${command.path}/${made.allocationId}`
      : undefined;
  if (path === undefined || command.method !== 'POST') return [];
  const read = await door.once({ method: 'GET', path: path, position });
  if (isLater(read)) return [];
  if (read.status !== 200) return [`${path} was answered ${read.status} at its own position`];
  const found = bodyOf(read);
  if (found.tokens !== made.tokens) return [`${path} reads ${found.tokens} tokens where ${made.tokens} were answered`];
  if ('settled' in found && found.settled !== true) return [`${path} is not settled at its own position`];
  return [];
}
