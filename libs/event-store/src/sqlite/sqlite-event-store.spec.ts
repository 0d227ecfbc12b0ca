import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Database, type RunResult, Sqlite, type Statement } from '@ledger/sqlite';
import { eventStoreContract } from '../contract';
import { NO_STREAM, OutcomeUnknown, StoreUnavailable, type NewEvent, WrongExpectedRevision } from '../event-store';
import { SCHEMA_VERSION } from './schema';
import { SqliteEventStore } from './sqlite-event-store';

const run = promisify(execFile);
const newEvent = (): NewEvent => ({ id: randomUUID(), type: 'TokensUsed', data: '{"tokens":1}', metadata: '{}' });

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'event-store-'));

eventStoreContract('SqliteEventStore', async () => {
  const folder = newFolder();
  const path = join(folder, 'ledger.db');
  const opened: SqliteEventStore[] = [];
  const another = async (): Promise<SqliteEventStore> => {
    const store = await SqliteEventStore.open(path);
    opened.push(store);
    return store;
  };
  let latest = await another();
  return {
    store: latest,
    openSecond: another,
    reopen: async () => {
      await latest.close();
      return (latest = await another());
    },
    dispose: async () => {
      await Promise.all(opened.map((store) => store.close()));
      rmSync(folder, { recursive: true });
    },
  };
});

describe('SqliteEventStore', () => {
  let folder: string;
  let path: string;
  let store: SqliteEventStore;
  let outside: Database;

  beforeEach(async () => {
    folder = newFolder();
    path = join(folder, 'made', 'ledger.db');
    store = await SqliteEventStore.open(path, { busySeconds: 0.1 });
    outside = new Sqlite(path);
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    outside.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  it('makes its folder and files for the owner alone', async () => {
    await store.append('userWallet-1', NO_STREAM, [newEvent()]);
    expect(statSync(join(folder, 'made')).mode & 0o777).toBe(0o700);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('leaves one file behind when the last handle is closed', async () => {
    await store.append('userWallet-1', NO_STREAM, [newEvent()]);
    outside.close();
    await store.close();
    expect([path, `${path}-wal`, `${path}-shm`].map((file) => existsSync(file))).toEqual([true, false, false]);
  });

  it('tells the head as it is, whoever of two handles moved it last and whatever was refused meanwhile', async () => {
    const other = await SqliteEventStore.open(path);
    const heads = new Map<string, number>();
    for (let step = 0; step < 300; step += 1) {
      const [writer, reader] = step % 7 < 4 ? [store, other] : [other, store];
      const stream = `userWallet-${(step * step) % 5}`;
      const revision = heads.get(stream) ?? NO_STREAM;
      // Both know it before it moves, and every third append comes too late.
      for (const one of [writer, reader]) expect((await one.headOf(stream)).revision).toBe(revision);
      if (step % 3 === 0) await expect(writer.append(stream, revision + 1, [newEvent()])).rejects.toThrow(WrongExpectedRevision);
      const { position } = await writer.append(stream, revision, [newEvent(), newEvent()]);
      heads.set(stream, revision + 2);
      for (const one of [reader, writer]) expect(await one.headOf(stream)).toEqual({ revision: revision + 2, position });
    }
    await other.close();
  });

  it('refuses a change or removal of a fact, by whatever program', async () => {
    await store.append('userWallet-1', NO_STREAM, [newEvent()]);
    expect(() => outside.exec("update events set data = '{}'")).toThrow('facts are never changed');
    expect(() => outside.exec('delete from events')).toThrow('facts are never deleted');
    expect(await store.readAll(-1n, 10)).toMatchObject([{ data: '{"tokens":1}' }]);
  });

  it('shows events with the names of their streams to the command line', async () => {
    const event = newEvent();
    await store.append("userWallet-O'Brien", NO_STREAM, [event]);
    expect(outside.prepare('select * from ledger').all()).toEqual([{ position: 1, stream: "userWallet-O'Brien", revision: 0, ...event }]);
    expect(outside.prepare("select data ->> 'tokens' from ledger").pluck().get()).toBe(1);
  });

  describe('opening', () => {
    it('refuses another schema version and leaves the file alone', async () => {
      outside.pragma(`user_version = ${SCHEMA_VERSION + 1}`);
      await expect(SqliteEventStore.open(path)).rejects.toThrow(
        `${path} is an event store of schema version ${SCHEMA_VERSION + 1}; this program reads and writes version ${SCHEMA_VERSION} only`,
      );
    });

    it("refuses another program's database and does not touch it", async () => {
      const other = join(folder, 'other.db');
      const theirs = new Sqlite(other);
      theirs.exec('create table wishes (text)');
      await expect(SqliteEventStore.open(other)).rejects.toThrow(`${other} is not an event store of this program`);
      expect(theirs.pragma('journal_mode', { simple: true })).toBe('delete');
      expect(theirs.prepare('select name from sqlite_schema').pluck().all()).toEqual(['wishes']);
      theirs.close();
    });

    it('refuses a file that is not a database', async () => {
      const text = join(folder, 'notes.txt');
      writeFileSync(text, 'A ledger is a book of accounts. '.repeat(100));
      await expect(SqliteEventStore.open(text)).rejects.toThrow(`${text} is not a SQLite database`);
    });

    it('makes one file when several open it for the first time', async () => {
      const fresh = join(folder, 'fresh.db');
      const stores = await Promise.all([1, 2, 3].map(() => SqliteEventStore.open(fresh)));
      await Promise.all(stores.map((each, n) => each.append(`userWallet-${n}`, NO_STREAM, [newEvent()])));
      expect(await stores[0]?.readAll(-1n, 10)).toHaveLength(3);
      await Promise.all(stores.map((each) => each.close()));
    });
  });

  describe('with another process', () => {
    it('shares the file: every revision is won once, and a follower sees all of it', async () => {
      const streams = ['userWallet-a', 'userWallet-b', 'userWallet-c'];
      const child = (): Promise<{ stdout: string }> =>
        run(process.execPath, [join(__dirname, 'another-process.cjs'), path, '150', ...streams]);
      const end = new AbortController();
      const patient = await SqliteEventStore.open(path);
      const seen: string[] = [];
      const following = (async () => {
        for await (const batch of patient.follow(-1n, { batchMax: 10, signal: end.signal })) seen.push(...batch.map(({ id }) => id));
      })();
      const children = await Promise.all([child(), child()]);
      const won = children.flatMap(({ stdout }) => JSON.parse(stdout) as string[]);
      const last = newEvent();
      await patient.append('userWallet-last', NO_STREAM, [last]);
      const all = (await patient.readAll(-1n, 10_000)).map(({ id }) => id);
      expect([...all].sort()).toEqual([...won, last.id].sort());
      for (const stream of streams) {
        const revisions = (await patient.readStream(stream, 0, 1_000)).map(({ revision }) => revision);
        expect(revisions).toEqual(revisions.map((_, index) => index));
        expect(revisions.length).toBeGreaterThan(0);
      }
      while (!seen.includes(last.id)) await new Promise((resolve) => setImmediate(resolve));
      end.abort();
      await following;
      expect(seen).toEqual(all);
      await patient.close();
    }, 60_000);

    it('that keeps the lock: refuses in the end, with the event loop alive, reads on, and writes again after it', async () => {
      await store.append('userWallet-1', NO_STREAM, [newEvent()]);
      outside.exec('begin immediate');
      const event = newEvent();
      let turns = 0;
      let refused: unknown;
      store.append('userWallet-1', 0, [event]).catch((error: unknown) => (refused = error));
      for (; refused === undefined; turns++) {
        expect(await store.headOf('userWallet-1')).toMatchObject({ revision: 0 });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      expect(refused).toBeInstanceOf(StoreUnavailable);
      expect(refused).toMatchObject({ message: `the event store ${path} was locked by another process for 0.1 s` });
      expect(turns).toBeGreaterThan(3);
      outside.exec('rollback');
      expect(await store.append('userWallet-1', 0, [event])).toMatchObject({ revision: 1 });
    });

    it('that gives the lock back in time: the append waits and lands', async () => {
      const patient = await SqliteEventStore.open(path);
      outside.exec('begin immediate');
      const appended = patient.append('userWallet-1', NO_STREAM, [newEvent()]);
      // Appends are tried at the end of the tick; after it this one has found the lock taken.
      await new Promise((resolve) => setImmediate(resolve));
      outside.exec('rollback');
      expect(await appended).toMatchObject({ revision: 0 });
      await patient.close();
    });
  });

  describe('when the disk fails', () => {
    /** The disk is the driver's business, so the driver is made to fail: one statement, once, on connections opened from now. */
    const failing = async (sql: string, code: string, before?: () => void): Promise<SqliteEventStore> => {
      const prepare = Reflect.get(Sqlite.prototype, 'prepare') as (this: Database, sql: string) => Statement;
      jest.spyOn(Sqlite.prototype, 'prepare').mockImplementation(function (this: Database, source: string) {
        const statement = prepare.call(this, source);
        if (source !== sql) return statement;
        const write = statement.run.bind(statement);
        let failed = false;
        return Object.assign(statement, {
          run: (...values: unknown[]): RunResult => {
            if (failed) return write(...values);
            failed = true;
            before?.();
            throw new Sqlite.SqliteError('the disk failed', code);
          },
        });
      });
      const broken = await SqliteEventStore.open(path);
      jest.restoreAllMocks();
      return broken;
    };

    it.each(['SQLITE_FULL', 'SQLITE_BUSY_SNAPSHOT'])('says that nothing was written when a commit ends in %s', async (code) => {
      const broken = await failing('commit', code);
      const event = newEvent();
      const first = broken.append('userWallet-1', NO_STREAM, [event]);
      if (code === 'SQLITE_FULL') await expect(first).rejects.toThrow(StoreUnavailable);
      else expect(await first).toMatchObject({ revision: 0 });
      expect(await broken.append('userWallet-1', NO_STREAM, [event])).toMatchObject({ revision: 0 });
      expect(await broken.readAll(-1n, 10)).toHaveLength(1);
      await broken.close();
    });

    it('forgets what a failed transaction had told it about a stream', async () => {
      await store.append('userWallet-1', NO_STREAM, [newEvent()]);
      const broken = await failing('commit', 'SQLITE_FULL');
      await expect(broken.append('userWallet-1', 0, [newEvent()])).rejects.toThrow(StoreUnavailable);
      const [other, one, two] = [newEvent(), newEvent(), newEvent()];
      await store.append('userWallet-2', NO_STREAM, [other]);
      await store.append('userWallet-1', 0, [one]);
      await broken.append('userWallet-1', 1, [two]);
      expect(await broken.readStream('userWallet-1', 1, 10)).toMatchObject([one, two]);
      await broken.close();
    });

    it('says that it does not know when the disk failed during the commit; a repeat finds out', async () => {
      const broken = await failing('commit', 'SQLITE_IOERR_FSYNC');
      const [one, two] = [newEvent(), newEvent()];
      const group = await Promise.allSettled([
        broken.append('userWallet-1', NO_STREAM, [one]),
        broken.append('userWallet-2', NO_STREAM, [two]),
        broken.append('userWallet-1', NO_STREAM, [two]),
      ]);
      for (const each of group) expect(each).toMatchObject({ status: 'rejected', reason: expect.any(OutcomeUnknown) });
      expect(await broken.append('userWallet-1', NO_STREAM, [one])).toMatchObject({ revision: 0 });
      expect(await broken.append('userWallet-2', NO_STREAM, [two])).toMatchObject({ revision: 0 });
      expect(await broken.readAll(-1n, 10)).toHaveLength(2);
      await broken.close();
    });

    it('replaces a connection that cannot even roll back', async () => {
      const commitFails = await failing('rollback', 'SQLITE_IOERR');
      // Nothing but a failing insert makes the store roll back: an id that is not text is a mistake of the caller.
      const wrong = { ...newEvent(), id: {} as string };
      await expect(commitFails.append('userWallet-1', NO_STREAM, [wrong])).rejects.toThrow('parameter');
      expect(await commitFails.append('userWallet-1', NO_STREAM, [newEvent()])).toMatchObject({ revision: 0 });
      await commitFails.close();
    });

    it('does not begin an empty ledger in the place of a file that is gone', async () => {
      await store.append('userWallet-1', NO_STREAM, [newEvent()]);
      const broken = await failing('commit', 'SQLITE_IOERR_WRITE', () => renameSync(join(folder, 'made'), join(folder, 'gone')));
      await expect(broken.append('userWallet-1', 0, [newEvent()])).rejects.toThrow(OutcomeUnknown);
      await expect(broken.append('userWallet-1', 0, [newEvent()])).rejects.toThrow(StoreUnavailable);
      await expect(broken.headOf('userWallet-1')).rejects.toThrow(StoreUnavailable);
      expect(existsSync(path)).toBe(false);
      renameSync(join(folder, 'gone'), join(folder, 'made'));
      expect(await broken.append('userWallet-1', 0, [newEvent()])).toMatchObject({ revision: 1 });
      await broken.close();
    });
  });
});
