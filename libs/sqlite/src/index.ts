import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';

export type { Database, RunResult, Statement } from 'better-sqlite3';

/** The version of Node-API that better-sqlite3 13 is built for: Node 22.14 and 24 have it, Node 20 does not. */
const NODE_API_OF_13 = 10;

/**
 * The name of better-sqlite3 in the version that a Node can run, by its version of Node-API, for none runs on all of them: 13 crashes where
 * Node-API is older, and 12 aborts a process on Node 24 when one of its objects is collected (docs/decisions/0001-toolchain.md). Both have
 * the same interface.
 */
export const packageFor = (nodeApi: string): string => (Number(nodeApi) < NODE_API_OF_13 ? 'better-sqlite3-12' : 'better-sqlite3');

const packages = createRequire(__filename);

/** Where it lies, for a thread that is not compiled from here. */
export const sqlitePackage = found(packageFor(process.versions.napi ?? ''));

export const Sqlite = packages(sqlitePackage) as typeof BetterSqlite3;

function found(name: string): string {
  try {
    return packages.resolve(name);
  } catch (error) {
    // It is compiled where no prebuilt binary can be had, and npm goes on when that fails.
    throw new Error(`The package ${name}, which Node ${process.versions.node} needs, is not installed: npm install says why.`, {
      cause: error,
    });
  }
}
