import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NewEvent, SqliteEventStore } from '@ledger/event-store';
import fc from 'fast-check';
import { beginning, histories } from '../../libs/wallet/src/testing/histories';
import { World } from '../../libs/wallet/src/testing/world';

/** A store that holds what random commands left behind: several organisations, users, zones, bills, reversals, a moving clock. */

export interface RandomStore {
  url: string;
  store: SqliteEventStore;
  /** As the service would have been set. */
  env: { PLATFORM_TIME_ZONE: string; FREE_TOKENS_PER_MONTH: string };
  remove(): Promise<void>;
}

/** Prints the seed, which the environment variable of this name can set. */
export function seedOf(variable: string): number {
  const seed = Number(process.env[variable] ?? Date.now() % 2 ** 31);
  process.stdout.write(`${variable}=${seed}\n`);
  return seed;
}

/** What a forger makes of an event before it is stored. */
export type Forger = (stream: string, event: NewEvent) => NewEvent;

/** A store in a folder of its own, for each of so many random histories. */
export async function* randomStores(seed: number, count: number, forger: Forger = (_, event) => event): AsyncGenerator<RandomStore> {
  for (const history of fc.sample(histories, { seed, numRuns: count })) {
    const { start, platformTimeZone, freeTokensPerMonth, moves } = history;
    const world = new World(Date.parse(start), platformTimeZone, freeTokensPerMonth);
    for (const one of [...beginning, ...moves]) world.perform(one);
    world.settleAll();
    const made = await storeOf(world, forger, { PLATFORM_TIME_ZONE: platformTimeZone, FREE_TOKENS_PER_MONTH: String(freeTokensPerMonth) });
    try {
      yield made;
    } finally {
      await made.remove();
    }
  }
}

/** Organisations first: an allocation stands before its receipts. */
async function storeOf(world: World, forger: Forger, env: RandomStore['env']): Promise<RandomStore> {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-audit-'));
  const path = join(folder, 'events.db');
  const store = await SqliteEventStore.open(path);
  for (const { events, stream } of streamsOf(world))
    if (events.length > 0)
      await store.append(
        stream,
        -1,
        events.map((event) => forger(stream, event)),
      );
  const remove = async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: `sqlite:${path}`, store, env, remove };
}

const streamsOf = ({ organisations, users }: World) =>
  [...organisations, ...users].map(([id, { ref, events }]) => ({
    stream: `${ref.kind}Wallet-${id}`,
    events: events.map(({ sealed }) => sealed),
  }));
