import { setTimeout as pause } from 'node:timers/promises';
import { Choices } from './choices';
import { settle, settleAll } from './clients';
import { freezeFor } from './frozen';
import { type Door, isLater, type LedgerUnderTest } from './ledger-under-test';
import { MixedLoad } from './mixed-load';
import { Witness } from './witness';

const CLIENTS = 16;
/** How long a client waits for the first door before it repeats through the second. */
const PATIENCE_MS: [number, number] = [0, 40];
/** Answers between two troubles of the first door, and while it is frozen. */
const CALM_ANSWERS: [number, number] = [30, 150];
const FROZEN_ANSWERS: [number, number] = [5, 60];
const KILL_PERCENT = 20;
/** Longer than a freeze and than a locked store lasts. */
const ANSWER_MS = 20_000;

export interface TwoDoors {
  witness: Witness;
  doors: [Door, Door];
  commands: number;
  frozen: number;
  killed: number;
}

/**
 * Clients send each command through the first of two processes on one store, and, when that is not quick enough, the same key
 * through the second, while the first is frozen and killed. Both answers of every command are kept, also those that come late.
 */
export async function repeatThroughTheSecond(
  ledger: LedgerUnderTest,
  { troubles, seed }: { troubles: number; seed: number },
): Promise<TwoDoors> {
  const choices = new Choices(seed + 1);
  const load = new MixedLoad(seed, 'two');
  let first = await ledger.start('first');
  const second = await ledger.start('second');
  const { port } = first;
  const witness = new Witness(ledger.reader);
  let open = Promise.resolve(first);
  for (const command of load.opening()) await settle(witness, command, () => open);

  const ended = { yes: false };
  const client = async (number: number) => {
    const own = new Choices(seed + 100 + number);
    while (!ended.yes) {
      const command = load.next();
      const early = witness.send(await open, command, ANSWER_MS);
      await Promise.race([early, pause(own.from(...PATIENCE_MS))]);
      const late = await settle(witness, command, () => Promise.resolve(second), ANSWER_MS);
      const answer = await early;
      load.heard(command, answer && !isLater(answer) && answer.status < 300 ? answer : late);
    }
  };
  let [frozen, killed] = [0, 0];
  const troublemaker = async () => {
    try {
      for (let trouble = 0; trouble < troubles; trouble++) {
        await witness.answered(witness.answers + choices.from(...CALM_ANSWERS));
        if (choices.chance(KILL_PERCENT)) {
          const dying = first;
          open = ledger.kill(dying).then(() => ledger.start('first', port));
          first = await open;
          killed += 1;
        } else {
          await freezeFor(first, witness, choices.from(...FROZEN_ANSWERS));
          frozen += 1;
        }
      }
    } finally {
      ended.yes = true;
    }
  };
  await Promise.all([troublemaker(), ...Array.from({ length: CLIENTS }, (_, number) => client(number))]);

  // What was refused by one door and then stored by the other must be a replay for both now.
  const commands = witness.commands();
  await settleAll(witness, commands, () => open);
  await settleAll(witness, commands, () => Promise.resolve(second));
  return { witness, doors: [first, second], commands: commands.length, frozen, killed };
}
