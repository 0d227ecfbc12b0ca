import { closeSync, fstatSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { CouldNotRun } from './command';
import { begun, ended } from './unfinished';

/**
 * A file that stands under its name only when it is whole: until then it is beside it, so a kill leaves the older file or none. Ctrl-C
 * and SIGTERM do not even leave what is beside it.
 */
export class WholeFile {
  /** Where it is written meanwhile. */
  readonly part: string;
  private handle: number | undefined;
  /** Of what this one writes: another run may write the same file. */
  private readonly inode: number;
  private renamed = false;

  /** Errors are those of the file system. */
  constructor(
    private readonly path: string,
    mode: number,
  ) {
    refuseOther(path);
    this.part = `${path}.part`;
    // Before it is there: a signal may come at once.
    begun(this.part);
    try {
      // What a kill has left there may be open to others.
      rmSync(this.part, { force: true });
      this.handle = openSync(this.part, 'wx', mode);
      this.inode = fstatSync(this.handle).ino;
    } catch (error) {
      ended(this.part);
      throw error;
    }
  }

  write(bytes: Uint8Array): void {
    // A write may take a part of what it is given.
    for (let done = 0; done < bytes.length;) done += writeSync(this.handle!, bytes, done);
  }

  /** All was written, and is on the disk; it has not got its name. */
  seal(): void {
    if (this.handle !== undefined) fsyncSync(this.handle);
    this.shut();
  }

  /** It gets its name. @throws when another run has begun to write the same file meanwhile, which then is that one's */
  close(): void {
    this.seal();
    if (!this.isOwn()) throw new Error('another run is writing it too');
    renameSync(this.part, this.path);
    this.renamed = true;
    ended(this.part);
  }

  /** It ended early: nothing of it is left behind. One that has its name already stays as it is. */
  discard(): void {
    if (this.renamed) return;
    this.shut();
    if (this.isOwn()) rmSync(this.part, { force: true });
    ended(this.part);
  }

  private isOwn(): boolean {
    return statSync(this.part, { throwIfNoEntry: false })?.ino === this.inode;
  }

  private shut(): void {
    const { handle } = this;
    this.handle = undefined;
    if (handle !== undefined) closeSync(handle);
  }
}

/** A file that takes the place of another would take that of a device too, and that of one that its owner has closed to writers. */
function refuseOther(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isFile()) throw Object.assign(new Error(`${path} is no file`), { code: found.isDirectory() ? 'EISDIR' : 'a device' });
  closeSync(openSync(path, 'r+'));
}

/** Makes the file that `--out` names. @throws CouldNotRun when the file system refuses, such as for want of room */
export function outWritten<T>(file: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new CouldNotRun(`--out names ${resolve(file)}, which cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** The same of a small file, which anybody may read. @throws CouldNotRun */
export function writeOut(path: string, text: string): void {
  const file = outWritten(path, () => new WholeFile(path, 0o644));
  try {
    outWritten(path, () => {
      file.write(Buffer.from(text));
      file.close();
    });
  } catch (error) {
    file.discard();
    throw error;
  }
}
