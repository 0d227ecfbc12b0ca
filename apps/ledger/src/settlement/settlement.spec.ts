import { OutcomeUnknown } from '@ledger/event-store';
import { type AllocationLine, type ReceiveAllocation, SettlementGap } from '@ledger/wallet';
import { Logger } from '@nestjs/common';
import { SqliteReadModel } from '../views/sqlite-read-model';
import { allocated, opened, permitted, received } from '../views/testing/facts';
import { organisation, TestLedger, user } from '../views/testing/ledger';
import { Settlement } from './settlement';

const acme = organisation('acme');

let ledger: TestLedger;
let readModel: SqliteReadModel;
let running: Settlement[];
beforeEach(async () => {
  jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  ledger = await TestLedger.open();
  running = [];
  await ledger.write(acme, [opened('acme'), permitted('ann', 'ben')]);
});
afterEach(async () => {
  for (const settlement of running) await settlement.stop();
  await ledger.close();
  jest.restoreAllMocks();
});

/** Stands in for the command bus: keeps what it was sent, writes the event as the handler does, fails when it is told to. */
class Bus {
  readonly sent: ReceiveAllocation[] = [];
  inFlight = 0;
  inFlightMax = 0;
  failing: (command: ReceiveAllocation) => Error | undefined = () => undefined;
  private readonly received = new Map<string, number>();

  async execute(command: ReceiveAllocation): Promise<unknown> {
    this.sent.push(command);
    this.inFlightMax = Math.max(this.inFlightMax, ++this.inFlight);
    try {
      await new Promise((resolve) => setImmediate(resolve));
      const error = this.failing(command);
      if (error) throw error;
      const { wallet, organisationId, allocationId, number, tokens } = command;
      const member = `${wallet.id}/${organisationId}`;
      if (number <= (this.received.get(member) ?? 0)) return;
      this.received.set(member, number);
      await ledger.write(wallet, [received(organisationId, allocationId, number, tokens)]);
    } finally {
      this.inFlight -= 1;
    }
    return undefined;
  }
}

function settle(bus: Bus, by = readModel): Settlement {
  const settlement = new Settlement(by, bus);
  running.push(settlement);
  settlement.start();
  return settlement;
}

const sentOf = (bus: Bus) => bus.sent.map(({ wallet, allocationId, number, tokens }) => [wallet.id, allocationId, number, tokens]);

it('sends each line once, with its cause, in the order of the member', async () => {
  readModel = await ledger.read();
  const bus = new Bus();
  settle(bus);
  await ledger.write(acme, [allocated('a1', [['ann', 10, 1], ['ben', 20, 1]], 970), allocated('a2', [['ann', 5, 2]], 965)]); // prettier-ignore
  const { position } = ledger;
  expect(await readModel.reached(position, 5_000, 'a1')).toBe(true);
  expect(await readModel.reached(position, 5_000, 'a2')).toBe(true);

  expect(sentOf(bus).sort()).toEqual([['ann', 'a1', 1, 10], ['ann', 'a2', 2, 5], ['ben', 'a1', 1, 20]]); // prettier-ignore
  expect(sentOf(bus).filter(([id]) => id === 'ann').map(([, , number]) => number)).toEqual([1, 2]); // prettier-ignore
  const cause = (await ledger.all()).find(({ type }) => type === 'TokensAllocated');
  expect(bus.sent[0]).toMatchObject({
    wallet: { kind: 'user', id: 'ann' },
    organisationId: 'acme',
    envelope: { actor: 'ledger', role: 'ledger', requestId: cause?.id, correlationId: 'correlation-1' },
  });
  expect(readModel.views.pending.after(0, 10)).toEqual([]);
});

it('takes up after a restart what was not received, and nothing else', async () => {
  await ledger.write(acme, [allocated('a1', [['ann', 10, 1], ['ben', 20, 1]], 970)]); // prettier-ignore
  await ledger.write(user('ann'), [received('acme', 'a1', 1, 10)]);
  readModel = await ledger.read();
  const bus = new Bus();
  settle(bus);
  expect(await readModel.reached(ledger.position, 5_000, 'a1')).toBe(true);
  expect(sentOf(bus)).toEqual([['ben', 'a1', 1, 20]]);
});

it('goes on by itself when it starts before a read model that has nothing new to read', async () => {
  await ledger.write(acme, [allocated('a1', [['ann', 10, 1]], 990)]);
  await ledger.read();
  await ledger.stopReading();
  readModel = new SqliteReadModel(ledger.store, ledger.path);
  const bus = new Bus();
  settle(bus);
  await readModel.start();
  expect(await readModel.reached(ledger.position, 5_000, 'a1')).toBe(true);
  await readModel.stop();
});

it('sends 3,000 lines with at most 512 members at a time', async () => {
  readModel = await ledger.read();
  const bus = new Bus();
  settle(bus);
  const lines = Array.from({ length: 3_000 }, (_, index): AllocationLine => [`user-${index}`, 1, 1]);
  const part = (number: number) =>
    allocated('a1', lines.slice(number * 1_000 - 1_000, number * 1_000), 0, {
      part: number,
      parts: 3,
      tokensTotal: 3_000,
      lineCount: 3_000,
    });
  await ledger.write(acme, [part(1), part(2), part(3)]);
  expect(await readModel.reached(ledger.position, 20_000, 'a1')).toBe(true);
  expect([bus.sent.length, bus.inFlightMax]).toEqual([3_000, 512]);
});

it('may run several times: a number that a member has had is ignored', async () => {
  readModel = await ledger.read();
  const bus = new Bus();
  settle(bus);
  settle(bus);
  await ledger.write(acme, [allocated('a1', [['ann', 10, 1], ['ben', 20, 1]], 970)]); // prettier-ignore
  expect(await readModel.reached(ledger.position, 5_000, 'a1')).toBe(true);
  expect(readModel.views.balances.find('acme')?.in_transit).toBe(0);
});

it('tries a line that failed again, and holds up nobody else', async () => {
  readModel = await ledger.read();
  const bus = new Bus();
  let failures = 0;
  bus.failing = ({ wallet }) => (wallet.id === 'ann' && failures++ < 3 ? new OutcomeUnknown('no answer') : undefined);
  const settlement = settle(bus);
  await ledger.write(acme, [allocated('a1', [['ann', 10, 1]], 990), allocated('a2', [['ben', 20, 1], ['ann', 1, 2]], 969)]); // prettier-ignore
  const { position } = ledger;
  expect(await readModel.reached(position, 10_000, 'a1')).toBe(true);
  expect(await readModel.reached(position, 10_000, 'a2')).toBe(true);
  expect(sentOf(bus)[1]).toEqual(['ben', 'a2', 1, 20]);
  expect(sentOf(bus).filter(([id]) => id === 'ann').map(([, , number]) => number)).toEqual([1, 1, 1, 1, 2]); // prettier-ignore
  expect(settlement.failures).toBe(3);
});

it('held up for one member delays nobody but who names an allocation of theirs', async () => {
  readModel = await ledger.read();
  let letGo = () => undefined as void;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  const bus = new Bus();
  const execute = bus.execute.bind(bus);
  bus.execute = async (command) => {
    if (command.wallet.id === 'ann') await held;
    return execute(command);
  };
  settle(bus);
  await ledger.write(acme, [allocated('a1', [['ann', 10, 1], ['ben', 20, 1]], 970)]); // prettier-ignore
  const first = ledger.position;
  await ledger.write(acme, [allocated('a2', [['ben', 5, 2]], 965)]);
  await ledger.write(organisation('beta'), [opened('beta'), permitted('cem'), allocated('b1', [['cem', 4, 1]], 0)]);
  const last = ledger.position;

  expect(await Promise.all([undefined, 'a2', 'b1'].map((name) => readModel.reached(last, 5_000, name)))).toEqual([true, true, true]);
  expect(await readModel.reached(first, 0)).toBe(true);
  // Also from now on: what is asked later waits for itself alone.
  await ledger.write(acme, [allocated('a3', [['ben', 1, 3]], 964)]);
  expect(await readModel.reached(ledger.position, 5_000, 'a3')).toBe(true);
  expect(await readModel.reached(first, 50, 'a1')).toBe(false);
  letGo();
  expect(await readModel.reached(first, 5_000, 'a1')).toBe(true);
});

it('stops one member of one organisation at a gap, aloud, and goes on with the others', async () => {
  const loud = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
  readModel = await ledger.read();
  const bus = new Bus();
  bus.failing = ({ wallet, organisationId, number }) =>
    wallet.id === 'ann' && organisationId === 'acme' ? new SettlementGap('acme', 'ann', 0, number) : undefined;
  const settlement = settle(bus);
  await ledger.write(acme, [allocated('a1', [['ann', 10, 2], ['ben', 20, 1]], 970), allocated('a2', [['ann', 1, 3]], 969)]); // prettier-ignore
  await ledger.write(organisation('beta'), [opened('beta'), permitted('ann'), allocated('b1', [['ann', 4, 1]], 0)]);
  expect(await readModel.reached(ledger.position, 5_000, 'b1')).toBe(true);
  await ledger.write(acme, [allocated('a3', [['ann', 1, 4], ['ben', 1, 2]], 967)]); // prettier-ignore
  while (readModel.views.pending.after(0, 10).length > 3) await readModel.reached(readModel.position + 1n, 1_000);

  expect(sentOf(bus).filter(([id, allocationId]) => id === 'ann' && allocationId !== 'b1')).toEqual([['ann', 'a1', 2, 10]]);
  expect([settlement.stoppedByGap, loud.mock.calls.length]).toEqual([1, 1]);
  expect(loud).toHaveBeenCalledWith(expect.stringContaining('SETTLEMENT STOPPED'));
});

it('sends nothing more once it is stopped', async () => {
  readModel = await ledger.read();
  const bus = new Bus();
  const settlement = settle(bus);
  await settlement.stop();
  await ledger.write(acme, [allocated('a1', [['ann', 10, 1]], 990)]);
  expect(await readModel.reached(ledger.position, 5_000)).toBe(true);
  expect(bus.sent).toEqual([]);
});
