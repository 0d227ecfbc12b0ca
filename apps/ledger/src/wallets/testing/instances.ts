import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NO_POSITION, SqliteEventStore, type StoredEvent } from '@ledger/event-store';
import {
  billEntry,
  type BillEvent,
  canonical,
  chainStart,
  type Envelope,
  type EventOf,
  eventOf,
  type EventType,
  hashedText,
  metadataOf,
  openOrganisation,
  OpenOrganisationWallet,
  PRICE_TABLE,
  PurchaseTokens,
  ReceiveAllocation,
  setMember,
  SetMember,
  use,
  UseTokens,
  allocate,
  AllocateTokens,
  purchaseForOrganisation,
  purchaseForUser,
  receiveAllocation,
  type WalletCommand,
  type WalletEvent,
} from '@ledger/wallet';
import { Clock } from '../clock';
import type { Commanded } from '../commanding';
import { hashing } from '../hashing';
import { OrganisationWallets } from '../organisation-wallets';
import { SnapshotFile } from '../snapshot-file';
import { UserWallets } from '../user-wallets';
import type { WalletsContext } from '../wallets';

/** The write side of several instances of the ledger on one file, with the clock in the test's hand. */

export class SetClock extends Clock {
  constructor(public at = Date.parse('2026-06-15T12:00:00.000Z')) {
    super();
  }
  now(): number {
    return this.at;
  }
}

/** Stands in for the read model: reads the store when somebody waits for it, and only then. */
class LazyIndex {
  away = false;
  private position = NO_POSITION;
  private readonly revisions = new Map<string, number>();
  private readonly entries = new Map<string, { revision: number; contentHash?: string; reversedRevision?: number }>();

  constructor(private readonly store: SqliteEventStore) {}

  lookUp(stream: string, kind: string, entry: string) {
    return { revision: this.revisions.get(stream) ?? -1, found: this.entries.get(`${stream} ${kind} ${entry}`) };
  }

  membershipsOf(): number {
    return 0;
  }

  async reached(position: bigint): Promise<boolean> {
    while (!this.away && this.position < position) {
      for (const stored of await this.store.readAll(this.position, 1_000)) this.note(stored);
    }
    return this.position >= position;
  }

  private note(stored: StoredEvent): void {
    const { stream, revision, position } = stored;
    const { key, contentHash } = metadataOf(stored);
    const { type, data } = eventOf(stored);
    const put = (kind: string, entry: string, value: object): void => {
      const name = `${stream} ${kind} ${entry}`;
      this.entries.set(name, { ...(this.entries.get(name) ?? { revision }), ...value });
    };
    if (key !== undefined) put('key', key, { contentHash });
    if (type === 'TokensPurchased') put('payment', data.paymentReference, {});
    if (type === 'BillCharged' || type === 'BillDeclined' || type === 'StorageAccrued')
      put('bill', billEntry({ type, data } as BillEvent), {});
    if (type === 'TokensUsed') put('usage', data.usageId, {});
    if (type === 'UsageReversed') put('usage', data.usageId, { reversedRevision: revision });
    this.revisions.set(stream, revision);
    this.position = position;
  }
}

let requests = 0;

/** A command as a controller makes it: body, ids of the path, envelope; the content hash is of all but the envelope. */
export function command<Command extends WalletCommand>(
  of: new () => Command,
  wallet: Command['wallet'],
  body: Partial<Command>,
  key?: string,
): Command {
  const requestId = `request-${(requests += 1)}`;
  const envelope: Envelope = { actor: 'ann', role: 'service', requestId, correlationId: requestId };
  if (key !== undefined) Object.assign(envelope, { key, contentHash: hashing.sha256(canonical({ of: of.name, ...body })) });
  return Object.assign(new of(), body, { wallet, envelope });
}

export interface Instance {
  store: SqliteEventStore;
  index: LazyIndex;
  users: UserWallets;
  organisations: OrganisationWallets;
  stop(): Promise<void>;
  use(userId: string, body: Partial<UseTokens>, key?: string): Promise<Commanded>;
  buy(userId: string, tokens: number, key?: string): Promise<Commanded>;
}

export class Instances {
  readonly clock = new SetClock();
  private readonly running: Instance[] = [];
  readonly folder = mkdtempSync(join(tmpdir(), 'ledger-wallets-'));
  readonly storePath = join(this.folder, 'events.db');
  readonly snapshotsPath = join(this.folder, 'snapshots.db');

  /** Snapshots are written every so many events, into the same file by one instance after the other; 0 is never. */
  async start({ freeTokensPerMonth = 0, snapshotEvery = 0 } = {}): Promise<Instance> {
    const store = await SqliteEventStore.open(join(this.folder, 'events.db'));
    const index = new LazyIndex(store);
    const settings = { attemptSeconds: 10, freeTokensPerMonth, platformTimeZone: 'UTC', priceTable: PRICE_TABLE };
    const snapshots = snapshotEvery > 0 ? new SnapshotFile(this.snapshotsPath, undefined, snapshotEvery) : undefined;
    const context: WalletsContext = { store, clock: this.clock, index, settings, ...(snapshots && { snapshots }) };
    const organisations = new OrganisationWallets(context);
    const users = new UserWallets(context, organisations);
    const instance: Instance = {
      store,
      index,
      users,
      organisations,
      stop: async () => {
        await users.drain();
        await organisations.drain();
        snapshots?.close();
        await store.close();
      },
      use: (id, body, key) => users.execute(command(UseTokens, { kind: 'user', id }, body, key), use),
      buy: (id, tokens, key = `buy-${(requests += 1)}`) =>
        users.execute(command(PurchaseTokens, { kind: 'user', id }, { tokens, paymentReference: key }, key), purchaseForUser),
    };
    this.running.push(instance);
    return instance;
  }

  /** Stops everything, and checks every stream's chain of hashes: whatever a test did, no stream may be forked or torn. */
  async close(): Promise<void> {
    try {
      for (const instance of this.running) await instance.stop();
      const store = await SqliteEventStore.open(join(this.folder, 'events.db'));
      await checkChains(store).finally(() => store.close());
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

/** An organisation with tokens and permitted members, and what it allocated settled. */
export async function endow(
  { organisations, users }: Instance,
  organisationId: string,
  tokens: Record<string, number>,
): Promise<{ lines: ReceiveAllocation[] }> {
  const wallet = { kind: 'organisation', id: organisationId } as const;
  await organisations.execute(command(OpenOrganisationWallet, wallet, {}, 'open'), openOrganisation);
  const payment = { tokens: 1_000_000, paymentReference: 'p1' };
  await organisations.execute(command(PurchaseTokens, wallet, payment, 'buy'), purchaseForOrganisation);
  for (const userId of Object.keys(tokens)) {
    await organisations.execute(command(SetMember, wallet, { userId, status: 'permitted' }, `permit-${userId}`), setMember);
  }
  const lines = await allocateTo(organisations, organisationId, tokens, 'allocate');
  for (const line of lines) await users.execute(line, receiveAllocation);
  return { lines };
}

/** Allocates, and gives the lines as settlement would send them. */
export async function allocateTo(
  organisations: OrganisationWallets,
  organisationId: string,
  tokens: Record<string, number>,
  key: string,
): Promise<ReceiveAllocation[]> {
  const wallet = { kind: 'organisation', id: organisationId } as const;
  const body = { lines: Object.entries(tokens).map(([userId, count]) => ({ userId, tokens: count })) };
  const { events } = await organisations.execute(command(AllocateTokens, wallet, body, key), allocate);
  return eventsOf(events, 'TokensAllocated').flatMap(({ data: { allocationId, lines } }) =>
    lines.map(([id, count, number]) =>
      command(ReceiveAllocation, { kind: 'user', id }, { organisationId, allocationId, tokens: count, number }),
    ),
  );
}

export const eventsOf = <Type extends EventType>(events: readonly WalletEvent[], type: Type): EventOf<Type>[] =>
  events.filter((event): event is EventOf<Type> => event.type === type);

export async function storedIn(store: SqliteEventStore, stream: string): Promise<WalletEvent[]> {
  return (await store.readStream(stream, 0, 10_000)).map(eventOf);
}

async function checkChains(store: SqliteEventStore): Promise<void> {
  const heads = new Map<string, { revision: number; hash: string }>();
  const ids = new Set<string>();
  for (let after = NO_POSITION; ;) {
    const page = await store.readAll(after, 10_000);
    for (const stored of page) {
      const { stream, revision, type, data, id } = stored;
      const head = heads.get(stream) ?? chainStart(stream, hashing);
      const { hash = '', ...metadata } = metadataOf(stored);
      const right = hashing.sha256(hashedText(head.hash, { data, metadata, revision, type }));
      if (revision !== head.revision + 1 || metadata.previousHash !== head.hash || hash !== right || id !== hashing.idOf(hash)) {
        throw new Error(`the chain of ${stream} breaks at revision ${revision}`);
      }
      if (ids.has(id)) throw new Error(`the id ${id} is stored twice`);
      ids.add(id);
      heads.set(stream, { revision, hash });
      after = stored.position;
    }
    if (page.length === 0) return;
  }
}
