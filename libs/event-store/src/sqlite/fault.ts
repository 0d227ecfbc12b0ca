import { type Stats, statSync } from 'node:fs';
import { UnusableStore } from '../event-store';
import { reasonOf, sqliteCode } from './patience';

/** What is wrong with a file that cannot serve as a store, and what helps. */

const RESTORE = 'restore it from a backup';

/** @throws UnusableStore when no file of a store can be at the path, or must be there and is not */
export function checkFile(path: string, mustExist = true): void {
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw unusable(path, error) ?? error;
  }
  if (found === undefined && mustExist) throw new UnusableStore(`there is no event store at ${path}`);
  if (found?.isFile() === false)
    throw new UnusableStore(`${path} is a folder or a device, and no file of an event store: name the file itself, such as events.db`);
}

/** A row that no program has written so: SQLite does not look at what overwritten or missing pages say. Told as SQLite tells damage. */
export class DamagedRow extends Error {
  readonly code = 'SQLITE_CORRUPT_ROW';
}

/** What an error of SQLite or of the file system says of the file; undefined when it says nothing of it, such as that it is locked. */
export function unusable(path: string, error: unknown): UnusableStore | undefined {
  const fault = faultOf(path, error);
  return fault === undefined ? undefined : new UnusableStore(fault, { cause: error });
}

/** Whether pages of the file are damaged: it will not read better later. */
export const isDamage = (error: UnusableStore): boolean => sqliteCode(error.cause)?.startsWith('SQLITE_CORRUPT') === true;

function faultOf(path: string, error: unknown): string | undefined {
  const code = sqliteCode(error);
  if (code === undefined) return faultOfFile(path, error);
  const reason = reasonOf(error);
  if (code.startsWith('SQLITE_CORRUPT'))
    return `${path} is damaged (${reason}): ${RESTORE}, or ask how far it goes with sqlite3 "${path}" "PRAGMA integrity_check"`;
  if (code === 'SQLITE_NOTADB')
    return `${path} is not a SQLite database, or its beginning was overwritten: ${RESTORE}, or name another file`;
  if (code.startsWith('SQLITE_IOERR'))
    return `${path} cannot be read or written (${reason}, ${code}): look after its disk, then ${RESTORE} if it is damaged`;
  if (code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_PERM') || code.startsWith('SQLITE_READONLY'))
    return `${path} cannot be opened (${reason}): whoever runs this must be allowed to use it, and to write in its folder`;
  // Such as a table that is not there: everything is prepared when the file is opened, and there is no other SQL.
  if (code === 'SQLITE_ERROR') return `${path} lacks what an event store has (${reason}): ${RESTORE}`;
  return undefined;
}

const NOT_ALLOWED = ['EACCES', 'EPERM', 'EROFS'];

function faultOfFile(path: string, error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  if (NOT_ALLOWED.includes(code)) return `${path} cannot be opened (${code}): whoever runs this must be allowed to use it and its folder`;
  if (code === 'ENOTDIR' || code === 'ENAMETOOLONG' || code === 'ELOOP')
    return `${path} is no path that a file can have (${code}): name the file of an event store`;
  return undefined;
}
