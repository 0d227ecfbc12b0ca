import { outWritten, WholeFile } from '../cli/whole-file';

/** Where an export goes: text by text, nothing is gathered. */
export interface Output {
  write(text: string): void;
  /** All was written. */
  close(): void;
  /** It ended early: a file that is half written is not left behind. */
  discard(): void;
}

/** @throws CouldNotRun when the file cannot be written */
export function fileOutput(file: string): Output {
  const whole = newFile(file);
  return {
    write: (text) => outWritten(file, () => whole.write(Buffer.from(text))),
    close: () => outWritten(file, () => whole.close()),
    discard: () => whole.discard(),
  };
}

/** Exports hold what the store holds: only the owner may read them. @throws CouldNotRun when the file cannot be written */
export const newFile = (file: string): WholeFile => outWritten(file, () => new WholeFile(file, 0o600));

/** Nothing more is read when whoever reads it, such as `head`, has gone. */
export function standardOutput(out: (line: string) => void): Output {
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
  });
  const nothing = () => undefined;
  return { write: (text) => out(text.endsWith('\n') ? text.slice(0, -1) : text), close: nothing, discard: nothing };
}
