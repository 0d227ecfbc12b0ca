import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CouldNotRun } from '../cli/command';
import { WORDS } from './entry';

/**
 * A temporary file of entries. It loses its name as soon as it is open, so the system takes its room back when it is closed or when the
 * process ends, however it ends. Plain data, for threads of one process hand such files over: their handles are the process's.
 */
export interface EntryFile {
  handle: number;
  bytes: number;
  /** Where the runs of each bucket lie. */
  runs: Run[][];
}

interface Run {
  at: number;
  bytes: number;
}

const CHUNK_WORDS = 1_024 * WORDS;

/** @throws CouldNotRun */
export function newEntryFile(buckets: number): EntryFile {
  const path = join(tmpdir(), `ledger-audit-${randomUUID()}`);
  return allowed(() => {
    const handle = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return { handle, bytes: 0, runs: Array.from({ length: buckets }, () => []) };
  });
}

/** Adds a run to a bucket. @throws CouldNotRun when there is no room for it */
export function appendRun(file: EntryFile, bucket: number, chunks: readonly Uint32Array[]): void {
  const at = file.bytes;
  for (const chunk of chunks) {
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    // A write may take a part of what it is given.
    for (let done = 0; done < bytes.length;)
      done += allowed(() => writeSync(file.handle, bytes, done, bytes.length - done, file.bytes + done));
    file.bytes += bytes.length;
  }
  file.runs[bucket]!.push({ at, bytes: file.bytes - at });
}

export const bytesOfBucket = ({ runs }: EntryFile, bucket: number): number => runs[bucket]!.reduce((sum, { bytes }) => sum + bytes, 0);

export function* wordsOfBucket({ handle, runs }: EntryFile, bucket: number): Generator<Uint32Array> {
  for (const { at, bytes } of runs[bucket]!) {
    for (let done = 0; done < bytes;) {
      const chunk = new Uint32Array(Math.min(CHUNK_WORDS, (bytes - done) / Uint32Array.BYTES_PER_ELEMENT));
      readAll(handle, new Uint8Array(chunk.buffer), at + done);
      done += chunk.byteLength;
      yield chunk;
    }
  }
}

export const closeEntryFile = ({ handle }: EntryFile): void => closeSync(handle);

/** A read may give a part of what it is asked for. */
function readAll(handle: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) {
    const read = readSync(handle, bytes, done, bytes.length - done, at + done);
    if (read === 0) throw new Error('a temporary file of the audit is shorter than what was written to it');
    done += read;
  }
}

function allowed<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new CouldNotRun(`The folder for temporary files, ${tmpdir()}, cannot be written (${code}): TMPDIR can name another.`);
  }
}
