import { sqlitePackage } from '@ledger/sqlite';
import { Worker } from 'node:worker_threads';
import { versionNumber } from './checkpoint';
import { CACHE_KIB, LOG_SUFFIX } from './filling';
import { UniqueLog } from './unique-log';
import { Views } from './views';

/** Seconds of sorting per million events, and nothing but SQL: beside the thread that answers. As text, since a worker has no compiler. */
const WORKER = `
  const { sqlite, path, statements } = require('node:worker_threads').workerData;
  const db = new (require(sqlite))(path);
  for (const statement of statements) db.exec(statement);
  db.close();`;

/** Puts what is unique for ever in order. */
export const sortEntries = (path: string): Promise<void> =>
  runBeside(path, [`attach database ${quoted(path + LOG_SUFFIX)} as log`, UniqueLog.sort]);

/** Takes over the rows of a file that holds the other part of the users. */
export const joinFile = (path: string, other: string): Promise<void> =>
  runBeside(path, [`attach database ${quoted(other)} as other`, Views.joined]);

/** Gives a filled file its indexes and, when all that is on the disk, its version: from then on it is a read model. */
export const finishFile = (path: string): Promise<void> =>
  runBeside(path, [
    Views.indexes,
    'pragma journal_mode = delete',
    'pragma synchronous = full',
    // A commit that waits for the disk waits for all that was written before it. Only then comes the version.
    'update checkpoint set id = id',
    `pragma user_version = ${versionNumber()}`,
  ]);

async function runBeside(path: string, then: readonly string[]): Promise<void> {
  const statements = ['pragma journal_mode = off', 'pragma synchronous = off', `pragma cache_size = -${CACHE_KIB}`, ...then];
  const worker = new Worker(WORKER, { eval: true, workerData: { sqlite: sqlitePackage, path, statements } });
  let failure: Error | undefined;
  worker.once('error', (error: Error) => (failure = error));
  // Not before it has let go of the files.
  await new Promise((resolve) => worker.once('exit', resolve));
  if (failure) throw failure;
}

const quoted = (path: string): string => `'${path.replaceAll("'", "''")}'`;
