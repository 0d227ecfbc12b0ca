import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { CouldNotRun } from '../cli/command';

/** Where an export goes: text by text, nothing is gathered. */
export interface Output {
  write(text: string): void;
  /** All was written. */
  close(): void;
  /** It ended early: a file that is half written is not left behind. */
  discard(): void;
}

/** What is written stands beside the file until it is whole; an older file is replaced only then. */
export const partOf = (file: string): string => `${file}.part`;

/** @throws CouldNotRun when the file cannot be written */
export function fileOutput(file: string): Output {
  const part = partOf(file);
  let handle: number | undefined = openPart(part);
  let whole = false;
  const shut = (): void => {
    if (handle !== undefined) closeSync(handle);
    handle = undefined;
  };
  return {
    write: (text) => written(part, () => writeAll(handle!, Buffer.from(text))),
    close: () => {
      shut();
      written(file, () => renameSync(part, file));
      whole = true;
    },
    // One that took its place stays as it is.
    discard: () => {
      if (whole) return;
      shut();
      rmSync(part, { force: true });
    },
  };
}

/** Nothing more is read when whoever reads it, such as `head`, has gone. */
export function standardOutput(out: (line: string) => void): Output {
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
  });
  const nothing = () => undefined;
  return { write: (text) => out(text.endsWith('\n') ? text.slice(0, -1) : text), close: nothing, discard: nothing };
}

// Exports hold what the store holds: only the owner may read them.
const openPart = (part: string): number => written(part, () => openSync(part, 'w', 0o600));

/** @throws CouldNotRun when the file system refuses, such as for want of room */
function written<T>(file: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new CouldNotRun(`--out names ${resolve(file)}, which cannot be written (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** A write may take a part of what it is given. */
function writeAll(handle: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(handle, bytes, done);
}
