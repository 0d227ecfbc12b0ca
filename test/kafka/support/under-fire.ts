import { setTimeout as pause } from 'node:timers/promises';
import type { Choices } from '../../support/choices';
import type { KafkaBroker } from '../../kafka-broker/broker';
import type { GrowingStore } from './growing-store';
import { PublisherUnderTest } from './publisher-under-test';

export interface Fire {
  /** SIGKILLs of publishers. */
  kills: number;
  brokerKills: number;
  /** Part of the lives, 0 to 1, in which two publishers of one id run side by side. */
  rivals: number;
}

export interface Burnt {
  kills: number;
  brokerKills: number;
  /** Kills before the process had taken over, and after. */
  early: number;
  fenced: number;
}

/** At the start a process is killed anywhere between its first millisecond and the first transactions. */
const EARLY_MS_MAX = 2_500;
const LATE_MS_MAX = 700;
const BATCH_MAX = 60;

/** A publisher is killed again and again while the store grows, and the brokers with it; at the end all events are in the store. */
export async function underFire(
  growing: GrowingStore,
  broker: KafkaBroker,
  settings: NodeJS.ProcessEnv,
  choices: Choices,
  { kills, brokerKills, rivals }: Fire,
): Promise<Burnt> {
  const burnt: Burnt = { kills: 0, brokerKills: 0, early: 0, fenced: 0 };
  const slice = Math.ceil(growing.left / kills);
  const brokers = broker.addresses.length;
  const fenced = ({ said }: PublisherUnderTest): number => (said.includes('another publisher has taken over') ? 1 : 0);
  let rival: PublisherUnderTest | undefined;
  while (burnt.kills < kills) {
    const batch = { BATCH_EVENTS_MAX: String(1 + choices.below(BATCH_MAX)) };
    const publisher = PublisherUnderTest.spawn({ ...settings, ...batch });
    if (!rival && choices.below(1_000) < rivals * 1_000) rival = PublisherUnderTest.spawn({ ...settings, ...batch });
    const written = growing.grow(slice);
    const killBroker = burnt.brokerKills * kills < burnt.kills * brokerKills;
    const restarted = killBroker ? killAndRestart(broker, 1 + choices.below(brokers), choices.below(LATE_MS_MAX)) : undefined;
    if (choices.below(3) === 0) await pause(choices.below(EARLY_MS_MAX));
    else {
      await publisher.says(/publishing after the checkpoint|standing by/);
      await pause(choices.below(LATE_MS_MAX));
    }
    await Promise.all([written, restarted]);
    await publisher.kill();
    burnt.kills += 1;
    burnt.fenced += fenced(publisher);
    if (!publisher.said.includes('publishing after the checkpoint')) burnt.early += 1;
    if (killBroker) burnt.brokerKills += 1;
    if (rival && choices.below(3) === 0) {
      burnt.fenced += fenced(rival);
      await rival.kill();
      burnt.kills += 1;
      rival = undefined;
    }
  }
  await rival?.kill();
  await growing.grow(growing.left);
  return burnt;
}

async function killAndRestart(broker: KafkaBroker, id: number, afterMs: number): Promise<void> {
  await pause(afterMs);
  await broker.kill(id);
  await broker.restart(id);
}
