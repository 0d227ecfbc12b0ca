import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { versionNumber } from './checkpoint';
import { UniqueLog } from './unique-log';
import { Views } from './views';

/** Seconds of sorting per million events, and nothing but SQL: beside the thread that answers. As text, since a worker has no compiler. */
const WORKER = `
  const { sqlite, path, statements } = require('node:worker_threads').workerData;
  const db = new (require(sqlite))(path);
  for (const statement of statements) db.exec(statement);
  db.close();`;

/** Gives a filled file its order, its indexes and, when all that is on the disk, its version: from then on it is a read model. */
export async function finishFile(path: string, logPath: string, cacheKib: number): Promise<void> {
  const statements = [
    'pragma journal_mode = off',
    'pragma synchronous = off',
    `pragma cache_size = -${cacheKib}`,
    `attach database '${logPath.replaceAll("'", "''")}' as log`,
    UniqueLog.sort,
    Views.indexes,
    'pragma journal_mode = delete',
    'pragma synchronous = full',
    // A commit that waits for the disk waits for all that was written before it. Only then comes the version.
    'update checkpoint set id = id',
    `pragma user_version = ${versionNumber()}`,
  ];
  const worker = new Worker(WORKER, { eval: true, workerData: { sqlite: require.resolve('better-sqlite3'), path, statements } });
  await once(worker, 'exit');
}
