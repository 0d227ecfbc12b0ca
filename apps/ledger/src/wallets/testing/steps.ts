import {
  accrueStorageForUser,
  AccrueStorage,
  Refusal,
  reverse,
  ReverseUsage,
  setFreeAllowance,
  SetFreeAllowance,
  setMemberLimits,
  SetMemberLimits,
} from '@ledger/wallet';
import { allocateTo, command, endow, eventsOf, type Instance, type Instances, storedIn } from './instances';

/** Random histories of one member and their organisation, of every kind of command that changes them. */

const STREAM = 'userWallet-ben';
const BEN = { kind: 'user', id: 'ben' } as const;
const ACME = { kind: 'organisation', id: 'acme' } as const;

/** One step of a history by its number: what it does depends on that alone. A refusal is as good as any. */
export async function step({ clock }: Instances, one: Instance, n: number): Promise<void> {
  clock.at += (n % 7) * 3_600_000;
  const key = `step-${n}`;
  const done = [
    () => one.use('ben', { tokens: 1 + (n % 40) }, key),
    () => one.use('ben', { tokens: 1 + (n % 9), organisationId: 'acme' }, key),
    () => one.buy('ben', 200 + n, key),
    () => one.users.execute(command(SetFreeAllowance, BEN, { tokensPerMonth: n % 60 }, key), setFreeAllowance),
    () => {
      const limits = { userId: 'ben', usage: { daily: 20 + (n % 30) } };
      return one.organisations.execute(command(SetMemberLimits, ACME, limits, key), setMemberLimits);
    },
    async () => {
      const [used] = eventsOf(await storedIn(one.store, STREAM), 'TokensUsed').slice(-1 - (n % 3));
      await one.users.execute(command(ReverseUsage, BEN, { usageId: used?.data.usageId ?? 'none' }, key), reverse);
    },
    async () => {
      const day = new Date(clock.at).toISOString().slice(0, 10);
      const body = { day, bytes: 5_000_000_000, onShortfall: 'owe' as const };
      await one.users.execute(command(AccrueStorage, BEN, body, key), accrueStorageForUser);
    },
    () => allocateTo(one.organisations, 'acme', { ben: 1 + n }, key),
  ][n % 8]!;
  await done().catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error;
  });
}

/** An organisation with one member, and so many steps. */
export async function history(instances: Instances, one: Instance, steps: number): Promise<void> {
  await endow(one, 'acme', { ben: 500 });
  for (let n = 0; n < steps; n += 1) await step(instances, one, n);
}
