import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { types } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { type EventStore, load, SqliteEventStore } from '@ledger/event-store';
import { foldOrganisation, foldUser, purchaseForUser, PurchaseTokens, Refusal, use, UseTokens } from '@ledger/wallet';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { behaviourOf, type Kept, organisationKind, userKind, type WalletKindOf } from './kept';
import { SnapshotFile } from './snapshot-file';
import { FOLDS, shelfOf } from './snapshots';
import * as facts from '../views/testing/facts';
import { command, endow, type Instance, Instances } from './testing/instances';
import { history, step } from './testing/steps';

const STREAM = 'userWallet-ben';
const BEN = { kind: 'user', id: 'ben' } as const;
const KINDS = [
  [STREAM, userKind],
  ['organisationWallet-acme', organisationKind],
] as [string, WalletKindOf<object>][];

let instances: Instances;
let warnings: jest.SpyInstance;
beforeEach(() => {
  warnings = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  instances = new Instances();
});
afterEach(async () => {
  await instances.close();
  jest.restoreAllMocks();
});

/** What a cold load makes of the stream, and the revision at which it began to read. */
async function loaded(store: EventStore, stream: string, kind: WalletKindOf<object>, file?: SnapshotFile) {
  const reads = jest.spyOn(store, 'readStream');
  const state = await load(stream, store, behaviourOf(kind, file && shelfOf(kind, file)));
  const began = reads.mock.calls.at(-1)?.[1];
  reads.mockRestore();
  const { wallet, head, at } = state;
  return { state: { wallet, head, at }, began };
}

/** The states of a stream after each of its events. */
async function statesOf<Wallet>(store: EventStore, stream: string, kind: WalletKindOf<Wallet>): Promise<Buffer[]> {
  const behaviour = behaviourOf(kind);
  const state = behaviour.empty(stream);
  return (await store.readStream(stream, 0, 10_000)).map((event) => {
    behaviour.absorb(state, [event]);
    return serialize(state);
  });
}

/** A state as text, with the order of its maps. Not V8's bytes: they tell 1 in a field that once held 1.5 from any other 1. */
const inOrder = (state: unknown): string =>
  JSON.stringify(state, (_, value: unknown) => {
    // By their kind: what V8 read back is a map of another realm than the test's.
    if (types.isMap(value) || types.isSet(value)) return [...value];
    return typeof value === 'bigint' ? String(value) : value;
  });

const copyOf = (state: Buffer): Kept<object> => deserialize(state) as Kept<object>;

describe('a snapshot', () => {
  let one: Instance;
  let file: SnapshotFile;
  beforeEach(async () => {
    one = await instances.start({ freeTokensPerMonth: 25 });
    await history(instances, one, 60);
    file = new SnapshotFile(instances.snapshotsPath);
  });
  afterEach(() => file.close());

  it('of any revision is the same wallet as no snapshot, and only what came after it is read', async () => {
    for (const [stream, kind] of KINDS) {
      const { state: fresh, began } = await loaded(one.store, stream, kind);
      expect(began).toBe(0);
      for (const [revision, state] of (await statesOf(one.store, stream, kind)).entries()) {
        shelfOf(kind, file).keep(stream, copyOf(state));
        const cold = await loaded(one.store, stream, kind, file);
        expect({ revision, ...cold }).toEqual({ revision, state: fresh, began: revision });
        // Entries are dropped in the order in which they came, so their order is part of the state.
        expect(inOrder(cold.state)).toBe(inOrder(fresh));
      }
    }
  });

  it('can be folded on without being changed on the shelf', async () => {
    const states = await statesOf(one.store, STREAM, userKind);
    const shelf = shelfOf(userKind, file);
    shelf.keep(STREAM, copyOf(states[3]!) as never);
    const before = await loaded(one.store, STREAM, userKind, file);
    const again = await loaded(one.store, STREAM, userKind, file);
    expect([before.began, again]).toEqual([3, before]);
  });

  describe.each<[string, (body: Buffer, digest: string) => [Buffer, string]]>([
    ['a flipped bit', (body, digest) => [Buffer.from(body.map((byte, at) => (at === body.length >> 1 ? byte ^ 1 : byte))), digest]],
    ['a part that is missing', (body, digest) => [body.subarray(0, body.length - 9), digest]],
    ['nothing in it', (_, digest) => [Buffer.alloc(0), digest]],
    ['another schema of the fold', (body) => [body, hash('sha256', `${FOLDS + 1}|${STREAM}|${hash('sha256', body)}`)]],
    ['another wallet', (body) => [body, hash('sha256', `${FOLDS}|userWallet-ann|${hash('sha256', body)}`)]],
    ['a format that Node does not know', () => [Buffer.from('x'), hash('sha256', `${FOLDS}|${STREAM}|${hash('sha256', 'x')}`)]],
  ])('with %s', (_, spoil) => {
    it('is as good as none', async () => {
      const fresh = await loaded(one.store, STREAM, userKind);
      const state = (await statesOf(one.store, STREAM, userKind)).at(20)!;
      shelfOf(userKind, file).keep(STREAM, copyOf(state) as never);
      const { body, digest } = file.find(STREAM)!;
      file.keep(STREAM, ...spoil(body, digest));
      expect(await loaded(one.store, STREAM, userKind as never, file)).toEqual(fresh);
    });
  });

  it('of another store, or from beyond the point to which a store went back, is as good as none; one from before it serves', async () => {
    await one.stop();
    const backup = join(instances.folder, 'backup.db');
    copyFileSync(instances.storePath, backup);
    const longer = await instances.start({ freeTokensPerMonth: 25 });
    for (let n = 100; n < 130; n += 1) await step(instances, longer, n);
    const states = await statesOf(longer.store, STREAM, userKind);
    await longer.stop();

    const restored = await SqliteEventStore.open(backup);
    const forked = (await restored.headOf(STREAM)).revision;
    const began = async (store: EventStore, revision: number) => {
      shelfOf(userKind, file).keep(STREAM, copyOf(states[revision]!) as never);
      const fresh = await loaded(store, STREAM, userKind);
      const cold = await loaded(store, STREAM, userKind, file);
      expect(cold.state).toEqual(fresh.state);
      return cold.began;
    };
    // The store is behind the snapshot.
    expect(await began(restored, forked + 5)).toBe(0);
    await restored.close();
    for (const suffix of ['-wal', '-shm']) rmSync(instances.storePath + suffix, { force: true });
    copyFileSync(backup, instances.storePath);
    const other = await instances.start({ freeTokensPerMonth: 25 });
    for (let n = 203; n < 240; n += 1) await step(instances, other, n);
    expect((await other.store.headOf(STREAM)).revision).toBeGreaterThan(forked + 5);
    expect(await began(other.store, forked + 5)).toBe(0);
    expect(await began(other.store, forked)).toBe(forked);

    const empty = await SqliteEventStore.open(join(instances.folder, 'empty.db'));
    expect((await loaded(empty, STREAM, userKind as never, file)).state.head.revision).toBe(-1);
    await empty.close();
  });
});

/** What a usage of one token would come to: its facts, or the words of its refusal. */
async function previewed({ users }: Instance): Promise<unknown> {
  try {
    const events = await users.preview(command(UseTokens, BEN, { tokens: 1 }), use);
    return events?.map(({ data }) => ({ ...data, usageId: '' }));
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

describe('instances with snapshots', () => {
  it('answer as one that never stopped: random commands, restarts and two writers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ n: fc.nat(400), restart: fc.nat(9) }), { minLength: 20, maxLength: 60 }), async (moves) => {
        const own = new Instances();
        instances = own;
        try {
          let cold = await own.start({ freeTokensPerMonth: 25, snapshotEvery: 3 });
          const warm = await own.start({ freeTokensPerMonth: 25 });
          await endow(warm, 'acme', { ben: 500 });
          for (const [at, { n, restart }] of moves.entries()) {
            if (restart === 0) {
              await cold.stop();
              cold = await own.start({ freeTokensPerMonth: 25, snapshotEvery: 3 });
            }
            await step(instances, restart % 2 === 0 ? cold : warm, n * 100 + at);
            const [a, b] = await Promise.all([cold, warm].map((one) => previewed(one)));
            expect(a).toEqual(b);
          }
          const file = new SnapshotFile(own.snapshotsPath);
          await cold.stop();
          for (const [stream, kind] of KINDS) {
            const fresh = await loaded(warm.store, stream, kind);
            expect((await loaded(warm.store, stream, kind, file)).state).toEqual(fresh.state);
          }
          file.close();
        } finally {
          await own.close();
        }
      }),
      { numRuns: 8, endOnFailure: true },
    );
    instances = new Instances();
  }, 60_000);

  it('write one every so many events, after the answer, and read the rest of the stream only', async () => {
    const first = await instances.start({ snapshotEvery: 10 });
    await first.buy('ben', 10_000);
    for (let n = 0; n < 40; n += 1) await first.use('ben', { tokens: 1 }, `use-${n}`);
    await first.stop();
    const second = await instances.start({ snapshotEvery: 10 });
    const reads = jest.spyOn(second.store, 'readStream');
    expect((await second.use('ben', { tokens: 1 }, 'next')).replayed).toBe(false);
    expect(reads.mock.calls[0]?.[1]).toBeGreaterThan(10);
    expect(reads).toHaveBeenCalledTimes(1);
  });

  it('reload after a conflict from the snapshot', async () => {
    const [first, second] = [await instances.start({ snapshotEvery: 10 }), await instances.start()];
    await first.buy('ben', 10_000);
    for (let n = 0; n < 40; n += 1) await first.use('ben', { tokens: 1 }, `use-${n}`);
    await second.use('ben', { tokens: 1 }, 'other');
    const reads = jest.spyOn(first.store, 'readStream');
    await first.use('ben', { tokens: 1 }, 'mine');
    expect(reads.mock.calls[0]?.[1]).toBeGreaterThan(10);
  });
});

describe('the schema of the folds', () => {
  it('is raised with every change of a fold or of a state', () => {
    const user = userKind.empty('ben');
    const { walletOpened, granted, received, used, reversed, bought, allowanceSet } = facts;
    const usage = { organisationId: 'acme', tokens: 3, held: 7, used: [3, 3] as [number, number] };
    [
      walletOpened('ben', 5),
      granted('2026-11', 5),
      received('acme', 'a1', 1, 10),
      used({ usageId: 'u1', ...usage }),
      reversed('u1', 'acme', 3, 10, [0, 0]),
      bought(200, 200, 'r1'),
      allowanceSet(6, 6),
    ].forEach((event, revision) => foldUser(user, event, { revision, key: `k${revision}`, contentHash: 'c' }));
    const organisation = organisationKind.empty('acme');
    [
      facts.opened('acme', 'Europe/Berlin'),
      facts.purchased(500, 500, 'r1'),
      facts.permitted('ben', 'ann'),
      facts.suspended('ann'),
      facts.defaultSet(facts.defaults(9)),
      facts.overrideSet('ben', { usage: { monthly: 50 } }),
      facts.allocated('a1', [['ben', 10, 1]], 490),
      facts.removed('ann'),
    ].forEach((event, revision) => foldOrganisation(organisation, event, { revision, key: `k${revision}`, contentHash: 'c' }));
    const shown = (_: string, value: unknown) =>
      value instanceof Map || value instanceof Set ? [...value] : typeof value === 'bigint' ? `${value}n` : value;
    const made = hash('sha256', JSON.stringify([user, organisation], shown)).slice(0, 16);
    // When this fails, a snapshot of the old fold would be read by the new one: raise FOLDS, and put both here.
    expect([FOLDS, made]).toEqual([3, '01a2306158647c0b']);
  });
});

describe('the file', () => {
  it('is for its owner alone, and replaced when it is no database or of another version', async () => {
    writeFileSync(instances.snapshotsPath, 'nothing that SQLite knows '.repeat(100));
    const file = new SnapshotFile(instances.snapshotsPath);
    file.keep('a', Buffer.from('state'), 'digest');
    expect(file.find('a')).toEqual({ body: Buffer.from('state'), digest: 'digest' });
    expect(statSync(file.path).mode & 0o777).toBe(0o600);
    expect(warnings).toHaveBeenCalledTimes(1);
    file.close();
    expect(readFileSync(file.path).subarray(0, 6).toString()).toBe('SQLite');
    const again = new SnapshotFile(instances.snapshotsPath);
    expect(again.find('a')?.digest).toBe('digest');
    again.close();
  });

  it('holds so many bytes, of the wallets that were written last', () => {
    const file = new SnapshotFile(instances.snapshotsPath, 1_000);
    for (const name of ['a', 'b', 'c', 'a', 'd']) file.keep(name, Buffer.alloc(300), name);
    file.keep('e', Buffer.alloc(1_001), 'larger than all that may be kept');
    expect(['a', 'b', 'c', 'd', 'e'].filter((name) => file.find(name))).toEqual(['a', 'c', 'd']);
    file.close();
    const again = new SnapshotFile(instances.snapshotsPath, 1_000);
    again.keep('e', Buffer.alloc(300), 'e');
    expect(['a', 'b', 'c', 'd', 'e'].filter((name) => again.find(name))).toEqual(['a', 'd', 'e']);
    again.close();
  });

  it('that another process holds is left alone: commands go on without it', async () => {
    const holder = new SnapshotFile(instances.snapshotsPath);
    holder.keep('a', Buffer.from('state'), 'digest');
    const one = await instances.start({ snapshotEvery: 1 });
    const purchase = command(PurchaseTokens, BEN, { tokens: 200, paymentReference: 'r' }, 'buy');
    expect((await one.users.execute(purchase, purchaseForUser)).replayed).toBe(false);
    expect(warnings).toHaveBeenCalledTimes(1);
    expect(holder.find('a')?.digest).toBe('digest');
    holder.close();
  });
});
