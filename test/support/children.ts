import type { ChildProcess } from 'node:child_process';

/**
 * The processes that a test file has started. None outlives the file, also when an assertion failed before anybody stopped it: jest
 * would wait for its pipes for ever.
 */
const alive = new Set<ChildProcess>();
const killAll = (): void => alive.forEach((child) => child.kill('SIGKILL'));

process.once('exit', killAll);
// A benchmark uses the same classes without jest.
if (typeof afterAll === 'function') afterAll(killAll);

export function ofThisTest<Child extends ChildProcess>(child: Child): Child {
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  return child;
}

export const isAlive = (child: ChildProcess): boolean => alive.has(child);
