import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Sqlite } from '@ledger/sqlite';

/** Says that everything of the ledger in this folder was made by a demo and may be replaced by the next. */
export const MARKER = 'made-by-demo.json';

/** What the service keeps in its data folder. Anything else beside it is somebody's, marker or not. */
const OF_THE_LEDGER =
  /^((events|read-model(-snapshots|-rebuild)?)\.db(-wal|-shm|-journal)?|read-model(-rebuild)?\.db\.lock(-journal)?|local-key\.json(\.[0-9a-f-]{36})?)$/;
/** A running service holds an exclusive transaction on this file. */
const LOCK = 'read-model.db.lock';

export class NotOurData extends Error {}

/**
 * Makes the folder ready for an empty store. Data of an earlier demo goes; anything else is refused and not touched.
 * The marker is written before the service starts, so that a demo that was stopped half-way is recognised too.
 * @returns whether an earlier demo was replaced
 * @throws NotOurData
 */
export function prepareDataFolder(folder: string, made: { at: string; seed: number }): { replaced: boolean } {
  const path = resolve(folder);
  if (existsSync(path) && !statSync(path).isDirectory()) throw new NotOurData(`${path} is not a folder.`);
  const entries = existsSync(path) ? readdirSync(path) : [];
  if (entries.length > 0) {
    refuseOthersData(path, entries);
    const release = lockOut(path);
    for (const entry of entries) if (entry !== MARKER) rmSync(join(path, entry), { force: true });
    release();
    for (const left of [LOCK, `${LOCK}-journal`]) rmSync(join(path, left), { force: true });
  }
  mkdirSync(path, { recursive: true, mode: 0o700 });
  writeFileSync(join(path, MARKER), `${JSON.stringify({ madeBy: 'npm run demo', ...made }, null, 2)}\n`);
  return { replaced: entries.length > 0 };
}

function refuseOthersData(path: string, entries: readonly string[]): void {
  if (!isOurMarker(join(path, MARKER)))
    throw new NotOurData(
      `${path} holds data that no demo made (there is no ${MARKER} of a demo in it), so nothing was touched. ` +
        'Name another folder with --data, or move it away.',
    );
  const foreign = entries.find((entry) => entry !== MARKER && !OF_THE_LEDGER.test(entry));
  if (foreign)
    throw new NotOurData(
      `${path} is an earlier demo's, but ${foreign} in it is not of the ledger, so nothing was touched. ` +
        'Move it away, or name another folder with --data.',
    );
}

function isOurMarker(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { madeBy?: unknown }).madeBy === 'npm run demo';
  } catch {
    return false;
  }
}

/** Takes the service's lock until it is released, so that no data goes from under a service that `npm start` runs on it. */
function lockOut(path: string): () => void {
  if (!existsSync(join(path, LOCK))) return () => undefined;
  const lock = new Sqlite(join(path, LOCK), { timeout: 0 });
  try {
    lock.exec('begin exclusive');
  } catch {
    lock.close();
    throw new NotOurData(`A service is running on ${path}, so nothing was touched. Stop it, or name another folder with --data.`);
  }
  return () => lock.close();
}
