import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EventStore, SqliteEventStore, type StoredEvent } from '@ledger/event-store';
import {
  AccrueStorage,
  accrueStorageForUser,
  ChargeBill,
  chargeBillForUser,
  type Decision,
  PRICE_TABLE,
  purchaseForUser,
  PurchaseTokens,
  RECENT_MAX,
  reverse,
  ReverseUsage,
  use,
  type UserWallet,
  UseTokens,
  type WalletCommand,
} from '@ledger/wallet';
import { Logger } from '@nestjs/common';
import { SqliteReadModel } from '../views/sqlite-read-model';
import type { Commanded } from './commanding';
import { OrganisationWallets } from './organisation-wallets';
import { SnapshotFile } from './snapshot-file';
import { command, eventsOf, SetClock } from './testing/instances';
import { UserWallets } from './user-wallets';
import type { WalletsContext } from './wallets';

/**
 * What is unique for ever, with an entry from so long ago that the wallet's state has dropped it: after a restart, with a snapshot
 * and without, while the read model lags behind, and after it was deleted. Each must answer as it did on the day it was made, or
 * that it is catching up; never anything else.
 */

const BEN = { kind: 'user', id: 'ben' } as const;
const STREAM = 'userWallet-ben';
/** So many entries of one kind leave nothing of the first in the state. */
const MORE = RECENT_MAX + 6;

let folder: string;
beforeEach(() => {
  jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  folder = mkdtempSync(join(tmpdir(), 'ledger-unique-'));
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

interface Service {
  store: EventStore;
  readModel: SqliteReadModel;
  /** Lets the read model read on. */
  release(): void;
  tell<Command extends WalletCommand>(
    of: new () => Command,
    decide: Decision<UserWallet, Command>,
    body: Partial<Command>,
    key: string,
  ): Promise<Commanded>;
  stop(): Promise<void>;
}

/** `heldAt` holds the read model behind that revision of the stream, as one that has much to catch up with. */
async function serve({ heldAt = Infinity, snapshots = false, waitMs = 5_000 } = {}): Promise<Service> {
  const store = await SqliteEventStore.open(join(folder, 'events.db'));
  let release = () => undefined as void;
  const released = new Promise<void>((resolve) => (release = resolve));
  const held: EventStore = Object.create(store, {
    follow: {
      value: async function* (after: bigint, options: { batchMax: number; signal: AbortSignal }) {
        for await (const batch of store.follow(after, options)) {
          const first = batch.filter(({ stream, revision }: StoredEvent) => stream !== STREAM || revision <= heldAt);
          if (first.length > 0) yield first;
          if (first.length === batch.length) continue;
          await Promise.race([released, new Promise((resolve) => options.signal.addEventListener('abort', resolve))]);
          yield batch.slice(first.length);
        }
      },
    },
  }) as EventStore;
  const readModel = new SqliteReadModel(held, join(folder, 'read-model.db'));
  await readModel.start();
  const file = snapshots ? new SnapshotFile(join(folder, 'snapshots.db'), undefined, 200) : undefined;
  const settings = { attemptSeconds: 10, freeTokensPerMonth: 0, platformTimeZone: 'UTC', priceTable: PRICE_TABLE };
  const index = {
    lookUp: readModel.lookUp.bind(readModel),
    membershipsOf: readModel.membershipsOf.bind(readModel),
    reached: (position: bigint, ms: number) => readModel.reached(position, Math.min(ms, waitMs)),
  };
  const context: WalletsContext = { store, clock: new SetClock(), index, settings, ...(file && { snapshots: file }) };
  const organisations = new OrganisationWallets(context);
  const users = new UserWallets(context, organisations);
  return {
    store,
    readModel,
    release,
    tell: (of, decide, body, key) => users.execute(command(of, BEN, body, key), decide),
    async stop() {
      release();
      await users.drain();
      await organisations.drain();
      file?.close();
      await readModel.stop();
      await store.close();
    },
  };
}

const useOf = (one: Service, tokens: number, key: string) => one.tell(UseTokens, use, { tokens }, key);
const usageIdOf = ({ events }: Commanded): string => eventsOf(events, 'TokensUsed')[0]!.data.usageId;
const monthBefore = (months: number): string => new Date(Date.UTC(2026, 4 - months)).toISOString().slice(0, 7);
const nothingStored = { bytes: 0, onShortfall: 'owe' as const };
const hosting = { kind: 'hosting' as const, month: '2026-05', campuses: [], courses: [1, 1, 1, 3], onShortfall: 'owe' as const };

interface Kind {
  /** Makes the entry; what it gives is handed to `again`. */
  first(one: Service): Promise<string>;
  /** Makes another entry of the kind. */
  another(one: Service, n: number): Promise<unknown>;
  /** Repeats the first. */
  again(one: Service, given: string): Promise<unknown>;
  /** What the repeat must come to; else it must be refused with a code. */
  is?: (answer: unknown, given: string) => void;
  refused?: string;
}

const KINDS: Record<string, Kind> = {
  'a key': {
    first: async (one) => usageIdOf(await useOf(one, 7, 'the key')),
    another: (one, n) => useOf(one, 1, `another-${n}`),
    again: (one) => useOf(one, 7, 'the key'),
    is: (answer, given) => expect([(answer as Commanded).replayed, usageIdOf(answer as Commanded)]).toEqual([true, given]),
  },
  'a key with other content': {
    first: async (one) => usageIdOf(await useOf(one, 7, 'the key')),
    another: (one, n) => useOf(one, 1, `another-${n}`),
    again: (one) => useOf(one, 8, 'the key'),
    refused: 'KEY_REUSED',
  },
  'a payment reference': {
    first: async (one) =>
      String((await one.tell(PurchaseTokens, purchaseForUser, { tokens: 200, paymentReference: 'the one' }, 'pay')).revision),
    another: (one, n) => one.tell(PurchaseTokens, purchaseForUser, { tokens: 200, paymentReference: `another-${n}` }, `pay-${n}`),
    again: (one) => one.tell(PurchaseTokens, purchaseForUser, { tokens: 200, paymentReference: 'the one' }, 'pay under a new key'),
    refused: 'PAYMENT_REFERENCE_USED',
  },
  'a usage': {
    first: async (one) => usageIdOf(await useOf(one, 7, 'the usage')),
    another: (one, n) => useOf(one, 1, `another-${n}`),
    again: (one, usageId) => one.tell(ReverseUsage, reverse, { usageId }, 'back'),
    is: (answer) => expect(eventsOf((answer as Commanded).events, 'UsageReversed')[0]?.data.tokens).toBe(7),
  },
  'a usage that was reversed': {
    async first(one) {
      const usageId = usageIdOf(await useOf(one, 7, 'the usage'));
      await one.tell(ReverseUsage, reverse, { usageId }, 'back');
      return usageId;
    },
    another: (one, n) => useOf(one, 1, `another-${n}`),
    again: (one, usageId) => one.tell(ReverseUsage, reverse, { usageId }, 'back once more'),
    refused: 'USAGE_ALREADY_REVERSED',
  },
  'a bill of hosting': {
    first: async (one) => String((await one.tell(ChargeBill, chargeBillForUser, hosting, 'bill')).revision),
    another: (one, n) => one.tell(ChargeBill, chargeBillForUser, { ...hosting, month: monthBefore(n + 1) }, `month-${n}`),
    again: (one) => one.tell(ChargeBill, chargeBillForUser, hosting, 'bill under a new key'),
    refused: 'BILL_EXISTS',
  },
  'a day of storage': {
    first: async (one) =>
      String((await one.tell(AccrueStorage, accrueStorageForUser, { day: '2026-06-14', ...nothingStored }, 'day')).revision),
    another: (one, n) => one.tell(ChargeBill, chargeBillForUser, { ...hosting, month: monthBefore(n + 1) }, `month-${n}`),
    again: (one) => one.tell(AccrueStorage, accrueStorageForUser, { day: '2026-06-14', ...nothingStored }, 'day under a new key'),
    refused: 'BILL_EXISTS',
  },
};

describe.each(Object.entries(KINDS))('%s of long ago', (_, kind) => {
  let given: string;
  let before: number;
  const answersRight = async (one: Service) => {
    if (kind.refused === undefined) kind.is?.(await kind.again(one, given), given);
    else await expect(kind.again(one, given)).rejects.toMatchObject({ code: kind.refused });
  };
  const neverHeardOf = async (one: Service) => {
    await expect(kind.again(one, given)).rejects.toMatchObject({ code: 'CATCHING_UP' });
    expect((await one.store.headOf(STREAM)).revision).toBe(before);
  };
  beforeEach(async () => {
    const one = await serve({ snapshots: true });
    await one.tell(PurchaseTokens, purchaseForUser, { tokens: 10_000, paymentReference: 'first' }, 'buy');
    given = await kind.first(one);
    await Promise.all(Array.from({ length: MORE }, (_none, n) => kind.another(one, n)));
    before = (await one.store.headOf(STREAM)).revision;
    await one.stop();
  });

  it.each([true, false])('is known after a restart, with snapshots: %s', async (snapshots) => {
    const one = await serve({ snapshots });
    await answersRight(one);
    await one.stop();
  });

  it('is waited for while the index is behind, and then it is known', async () => {
    rmSync(join(folder, 'read-model.db'), { force: true });
    const one = await serve({ snapshots: true, heldAt: 3, waitMs: 20 });
    await neverHeardOf(one);
    await one.stop();
    rmSync(join(folder, 'read-model.db'), { force: true });
    const patient = await serve({ heldAt: 3 });
    const answered = answersRight(patient);
    setTimeout(() => patient.release(), 50);
    await answered;
    await patient.stop();
  });

  it('is known after the read model and the snapshots were deleted', async () => {
    for (const name of ['read-model.db', 'read-model.db-wal', 'snapshots.db']) rmSync(join(folder, name), { force: true });
    const one = await serve({ snapshots: true });
    await answersRight(one);
    await one.stop();
  });
});
