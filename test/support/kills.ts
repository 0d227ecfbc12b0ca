import { setTimeout as pause } from 'node:timers/promises';
import { Choices } from './choices';
import { readBehind, settle, settleAll } from './clients';
import type { Door, LedgerUnderTest } from './ledger-under-test';
import { MixedLoad } from './mixed-load';
import { Witness } from './witness';

const CLIENTS = 16;
/** Answers between a start and the kill that follows, at least and at most. */
const LIFE_ANSWERS: [number, number] = [20, 160];
/** The kill comes so many milliseconds after the answer that it waited for: into the middle of something else. */
const KILL_LATE_MS_MAX = 12;
/** Commands that are sent a second time although they were answered. */
const REPEATED_PERCENT = 15;
const READ_BEHIND_PERCENT = 15;

export interface Survived {
  witness: Witness;
  door: Door;
  /** What a read at the position of an answer got wrong. */
  readFaults: string[];
  commands: number;
}

/**
 * Clients send a mixed load and repeat with its key whatever is not answered, while the service is killed and started again on
 * its port. At the end it is killed once more and every command of all is repeated.
 */
export async function surviveKills(ledger: LedgerUnderTest, { kills, seed }: { kills: number; seed: number }): Promise<Survived> {
  const choices = new Choices(seed + 1);
  const load = new MixedLoad(seed, 'load');
  let door = await ledger.start('a');
  const { port } = door;
  const witness = new Witness(ledger.reader);
  const readFaults: string[] = [];
  let open = Promise.resolve(door);
  for (const command of load.opening()) await settle(witness, command, () => open);

  const ended = { yes: false };
  const client = async (number: number) => {
    const own = new Choices(seed + 100 + number);
    while (!ended.yes) {
      const command = load.next();
      const reply = await settle(witness, command, () => open);
      load.heard(command, reply);
      if (own.chance(REPEATED_PERCENT)) await settle(witness, command, () => open);
      // A kill may end this read: then nothing was read, and nothing is wrong.
      if (reply.status < 300 && own.chance(READ_BEHIND_PERCENT))
        readFaults.push(...(await readBehind(await open, command, reply).catch(() => [])));
    }
  };
  const killer = async () => {
    try {
      for (let kill = 0; kill < kills; kill++) {
        await witness.answered(witness.answers + choices.from(...LIFE_ANSWERS));
        await pause(choices.below(KILL_LATE_MS_MAX));
        open = killAndStart(ledger, door, port);
        door = await open;
      }
    } finally {
      ended.yes = true;
    }
  };
  await Promise.all([killer(), ...Array.from({ length: CLIENTS }, (_, number) => client(number))]);

  open = killAndStart(ledger, door, port);
  door = await open;
  const commands = witness.commands();
  await settleAll(witness, commands, () => open);
  return { witness, door, readFaults, commands: commands.length };
}

async function killAndStart(ledger: LedgerUnderTest, door: Door, port: number): Promise<Door> {
  await ledger.kill(door);
  return ledger.start(door.name, port);
}
