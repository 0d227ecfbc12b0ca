import { closeSync, fstatSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';

/** A file that stands under its name only when it is whole: until then it is beside it, so a kill leaves the older file or none. */
export class WholeFile {
  private readonly part: string;
  private readonly handle: number;
  private open = true;

  constructor(
    private readonly path: string,
    mode: number,
  ) {
    this.part = `${path}.part`;
    // What a kill has left there may be open to others.
    rmSync(this.part, { force: true });
    this.handle = openSync(this.part, 'wx', mode);
  }

  write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.handle, bytes, done);
  }

  /** All was written. @throws when another run has begun to write the same file meanwhile, which then is that one's */
  close(): void {
    fsyncSync(this.handle);
    if (!this.isOwn()) throw new Error('another run is writing it too');
    this.release();
    renameSync(this.part, this.path);
  }

  /** Also where it could not take its place. */
  discard(): void {
    const own = this.isOwn();
    this.release();
    if (own) rmSync(this.part, { force: true });
  }

  /** Whether what lies there is what this one writes. */
  private isOwn(): boolean {
    const there = statSync(this.part, { throwIfNoEntry: false });
    return !this.open || there?.ino === fstatSync(this.handle).ino;
  }

  private release(): void {
    if (this.open) closeSync(this.handle);
    this.open = false;
  }
}

/** Anybody may read it. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const file = new WholeFile(path, 0o644);
  try {
    file.write(bytes);
    file.close();
  } catch (error) {
    file.discard();
    throw error;
  }
}
