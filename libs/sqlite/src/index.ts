import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';

export type { Database, RunResult, Statement } from 'better-sqlite3';

/** The first major version of Node that better-sqlite3 13 runs on. */
const NODE_OF_13 = 22;

/**
 * The name of better-sqlite3 in the version that a Node can run, for no version runs on all of them: 13 crashes on Node 20, and 12 aborts
 * a process on Node 24 when one of its objects is collected (docs/decisions/0001-toolchain.md). Both have the same interface.
 */
export const packageFor = (node: string): string => (Number.parseInt(node, 10) < NODE_OF_13 ? 'better-sqlite3-12' : 'better-sqlite3');

const { resolve } = createRequire(__filename);

/** Where it lies, for a thread that is not compiled from here. */
export const sqlitePackage = found(packageFor(process.versions.node));

export const Sqlite = createRequire(__filename)(sqlitePackage) as typeof BetterSqlite3;

function found(name: string): string {
  try {
    return resolve(name);
  } catch (error) {
    // On Node 20 it is compiled where no prebuilt binary can be had, and npm goes on when that fails.
    throw new Error(`The package ${name}, which Node ${process.versions.node} needs, is not installed: npm install says why.`, {
      cause: error,
    });
  }
}
