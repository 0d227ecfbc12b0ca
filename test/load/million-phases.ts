import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Behaviour, load, SqliteEventStore, SqliteScan } from '@ledger/event-store';
import { PRICE_TABLE, use, UseTokens, walletOf } from '@ledger/wallet';
import { replay } from '../../apps/auditor/src/replay/replay';
import { SqliteReadModel } from '../../apps/ledger/src/views/sqlite-read-model';
import { hashing } from '../../apps/ledger/src/wallets/hashing';
import { type Attempt, behaviourOf, type Kept, organisationKind, userKind, type WalletKindOf } from '../../apps/ledger/src/wallets/kept';
import { OrganisationWallets } from '../../apps/ledger/src/wallets/organisation-wallets';
import { EVENTS_BETWEEN, SnapshotFile } from '../../apps/ledger/src/wallets/snapshot-file';
import { UserWallets } from '../../apps/ledger/src/wallets/user-wallets';
import { EVENTS_A_WALLET, generate, type Shape } from './generate';

/** The measurements of `million.ts`, each to be run in a process of its own. */

export interface Figure {
  name: string;
  value: string;
  /** Of the four figures that the design asks for. */
  goal?: { what: string; met: boolean };
}
export interface Result {
  phase: Phase;
  figures: Figure[];
}

const SEED = 7;
const WAIT_MS = 30 * 60_000;
/** The generated history ends some months behind this. */
const NOW = Date.parse('2026-06-01T12:00:00.000Z');
const TOGETHER = 256;
const KEYS_ASKED = 1_000;

/** The goals of the design, section 7. */
const REBUILD_SECONDS = 15;
const FOLDED_PER_SECOND = 300_000;
const FIRST_COMMAND_MS = 100;
const MEMORY_BYTES = 1024 ** 3;

const storeIn = (folder: string, shape: Shape): Promise<SqliteEventStore> => SqliteEventStore.open(join(folder, `${shape}.db`));
const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;
const perSecond = (count: number, ms: number): string => `${Math.round((count / ms) * 1_000).toLocaleString('en')}/s`;
/** To one digit behind the point. */
const rounded = (figure: number): number => Math.round(figure * 10) / 10;
const seconds = (ms: number): string => `${rounded(ms / 1_000)} s`;

/** Wall time and this process's own time on the processors: on a busy machine only the second says what the code costs. */
async function timed<T>(action: () => Promise<T>): Promise<{ ms: number; cpuMs: number; result: T }> {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const result = await action();
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - began, cpuMs: (user + system) / 1_000, result };
}

const generated = (shape: Shape) => async (count: number, folder: string) => {
  const store = await storeIn(folder, shape);
  const { ms } = await timed(() => generate(store, { events: count, shape, seed: SEED }));
  const events = Number(await store.headPosition());
  await store.close();
  return [{ name: 'events', value: events.toLocaleString('en') }, { name: 'written', value: perSecond(events, ms) }]; // prettier-ignore
};

const rebuilt = (shape: Shape) => async (_: number, folder: string) => {
  const store = await storeIn(folder, shape);
  const path = join(folder, `${shape}-read-model.db`);
  const readModel = new SqliteReadModel(store, path);
  const head = await store.headPosition();
  const { ms, cpuMs } = await timed(async () => {
    await readModel.start();
    await readModel.reached(head, WAIT_MS);
  });
  const rss = process.memoryUsage().rss;
  await readModel.stop();
  await store.close();
  const events = Number(head);
  const met = ms / events < REBUILD_SECONDS / 1_000;
  const goal = { goal: { what: `< ${REBUILD_SECONDS} s per 1,000,000`, met } };
  return [
    { name: `read model of ${events.toLocaleString('en')} events rebuilt`, value: seconds(ms), ...(shape === 'spread' && goal) },
    { name: 'events', value: perSecond(events, ms) },
    { name: 'processor time', value: `${rounded((cpuMs * 1_000) / events)} us per event` },
    { name: 'memory after it', value: megabytes(rss) },
    { name: 'file', value: megabytes(statSync(path).size) },
  ];
};

/** Loads every wallet once from its first event, as a service does that finds no snapshot, and drops it again. */
const folded = (shape: Shape) => async (_: number, folder: string) => {
  const store = await storeIn(folder, shape);
  const names = streamsOf(join(folder, `${shape}.db`));
  const [user, organisation] = [userKind, organisationKind].map((kind: WalletKindOf<object>) => behaviourOf(kind));
  let events = 0;
  let foldMs = 0;
  const timing = (behaviour: Behaviour<Kept<object>, Attempt>): Behaviour<Kept<object>, Attempt> => ({
    ...behaviour,
    absorb(kept, page) {
      const began = performance.now();
      behaviour.absorb(kept, page);
      foldMs += performance.now() - began;
      events += page.length;
    },
  });
  const [users, organisations] = [timing(user!), timing(organisation!)];
  const { ms, cpuMs } = await timed(async () => {
    for (const name of names) await load(name, store, walletOf(name)?.kind === 'user' ? users : organisations);
  });
  await store.close();
  return [
    { name: 'events folded', value: perSecond(events, foldMs) },
    { name: 'read and folded', value: perSecond(events, ms) },
    { name: 'processor time with reading', value: `${rounded((cpuMs * 1_000) / events)} us per event` },
    { name: 'memory after it', value: megabytes(process.memoryUsage().rss) },
  ];
};

function streamsOf(path: string): string[] {
  const scan = new SqliteScan(path);
  try {
    return Array.from(scan.heads({ part: 0, parts: 1 }), ([stream]) => scan.nameOf(stream));
  } finally {
    scan.close();
  }
}

/** What an auditor asks: what all wallets hold, added up from the first event, in as many threads as the machine has. */
const replayed = (shape: Shape) => async (_: number, folder: string) => {
  const store = await storeIn(folder, shape);
  const events = Number(await store.headPosition());
  const { ms, cpuMs, result } = await timed(() => replay(store, NOW, { url: `sqlite:${join(folder, `${shape}.db`)}` }));
  await store.close();
  const left = [...result.holdings.accounts()].reduce((sum, [, tokens]) => sum + tokens, 0);
  if (left !== 0) throw new Error(`the accounts of the replay come to ${left}, and must come to 0`);
  const met = events / ms >= FOLDED_PER_SECOND / 1_000;
  return [
    { name: 'events replayed', value: perSecond(events, ms), goal: { what: `>= ${FOLDED_PER_SECOND.toLocaleString('en')}/s`, met } },
    { name: 'processor time', value: `${rounded((cpuMs * 1_000) / events)} us per event` },
  ];
};

/** The write side on a generated ledger, as the service has it, with its read model where the rebuild left it. */
async function serving(folder: string, shape: Shape) {
  const store = await storeIn(folder, shape);
  const readModel = new SqliteReadModel(store, join(folder, `${shape}-read-model.db`));
  const snapshots = new SnapshotFile(join(folder, `${shape}-snapshots.db`));
  await readModel.start();
  const settings = { attemptSeconds: 10, freeTokensPerMonth: 25, platformTimeZone: 'UTC', priceTable: PRICE_TABLE };
  const context = { store, clock: { now: () => NOW }, index: readModel, settings, snapshots };
  const organisations = new OrganisationWallets(context);
  const users = new UserWallets(context, organisations);
  let requests = 0;
  return {
    head: () => store.headPosition(),
    use: (userId: string, key: string) => {
      const requestId = `million-${(requests += 1)}`;
      const envelope = { actor: 'million', role: 'platform', requestId, correlationId: requestId, key, contentHash: hashing.sha256(key) };
      const command = Object.assign(new UseTokens(), { tokens: 1, wallet: { kind: 'user' as const, id: userId }, envelope });
      return users.execute(command, use);
    },
    async stop() {
      await users.drain();
      await organisations.drain();
      snapshots.close();
      await readModel.stop();
      await store.close();
    },
  };
}

async function firstWithout(_: number, folder: string): Promise<Figure[]> {
  const ledger = await serving(folder, 'hot');
  const run = Date.now();
  const { ms } = await timed(() => ledger.use('user-0', `without-${run}`));
  // The snapshot is written now; what follows is nearly as much as the next cold start ever finds behind one.
  for (let n = 0; n < EVENTS_BETWEEN - TOGETHER; n += TOGETHER)
    await Promise.all(Array.from({ length: TOGETHER }, (_none, index) => ledger.use('user-0', `more-${run}-${n + index}`)));
  await ledger.stop();
  return [{ name: 'first command on the cold wallet', value: seconds(ms) }];
}

async function firstWith(_: number, folder: string): Promise<Figure[]> {
  const started = await timed(() => serving(folder, 'hot'));
  const ledger = started.result;
  const { ms } = await timed(() => ledger.use('user-0', `with-${Date.now()}`));
  await ledger.stop();
  const goal = { what: `< ${FIRST_COMMAND_MS} ms`, met: ms < FIRST_COMMAND_MS };
  return [
    { name: 'first command on the cold wallet', value: `${rounded(ms)} ms`, goal },
    { name: 'start before it', value: `${rounded(started.ms)} ms` },
  ];
}

/** Keys from the whole history are repeated: every one must answer its first result. @throws when one does not */
async function oldKeys(events: number, folder: string): Promise<Figure[]> {
  const ledger = await serving(folder, 'hot');
  let wrong = 0;
  const step = Math.max(1, Math.floor(events / 2 / KEYS_ASKED));
  const { ms } = await timed(async () => {
    for (let n = 0; n < KEYS_ASKED; n += 1) {
      const { replayed } = await ledger.use('user-0', `use-${n * step}`);
      if (!replayed) wrong += 1;
    }
  });
  await ledger.stop();
  if (wrong > 0) throw new Error(`${wrong} of ${KEYS_ASKED} old keys were not known`);
  return [{ name: `${KEYS_ASKED} keys of the whole history known`, value: `${Math.round((ms / KEYS_ASKED) * 1_000)} us each` }];
}

async function active(count: number, folder: string): Promise<Figure[]> {
  const ledger = await serving(folder, 'known');
  const run = Date.now();
  // Evenly among all that are known, so that every organisation is at work with all its members.
  const apart = Math.max(1, Math.floor(Number(await ledger.head()) / EVENTS_A_WALLET / count));
  const { ms } = await timed(async () => {
    for (let from = 0; from < count; from += TOGETHER) {
      const some = Array.from({ length: Math.min(TOGETHER, count - from) }, (_none, index) => `user-${(from + index) * apart}`);
      await Promise.all(some.map((userId) => ledger.use(userId, `active-${run}-${from}`)));
    }
  });
  const { rss, heapUsed } = process.memoryUsage();
  await ledger.stop();
  return [
    { name: 'wallets that were active', value: count.toLocaleString('en') },
    { name: 'commands, each on a cold wallet', value: perSecond(count, ms) },
    { name: 'memory', value: megabytes(rss), goal: { what: '< 1 GiB', met: rss < MEMORY_BYTES } },
    { name: 'of it heap', value: megabytes(heapUsed) },
  ];
}

export const PHASES = {
  'generate spread': generated('spread'),
  'rebuild spread': rebuilt('spread'),
  'replay spread': replayed('spread'),
  'fold spread': folded('spread'),
  'generate hot': generated('hot'),
  'rebuild hot': rebuilt('hot'),
  'fold hot': folded('hot'),
  'first command without a snapshot': firstWithout,
  'first command with a snapshot': firstWith,
  'keys of long ago': oldKeys,
  'generate known': generated('known'),
  'rebuild known': rebuilt('known'),
  'active wallets': active,
} satisfies Record<string, (count: number, folder: string) => Promise<Figure[]>>;

export type Phase = keyof typeof PHASES;
