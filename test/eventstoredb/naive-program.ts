/** Starts one naive use of the client library as a process of its own, and takes turns with it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { NaiveName, NaiveReport, NaiveSettings } from './naive/scenario';

/** Where `nest build eventstoredb-server` puts it. */
const BUILT = resolve(__dirname, '../../dist/test/eventstoredb/naive/program.js');

export class NaiveProgram {
  private readonly heard: string[] = [];
  private wake: () => void = () => undefined;
  private ended = false;
  private last = '';
  private complaints = '';

  private constructor(private readonly child: ChildProcess) {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const { told } = JSON.parse(line) as { told?: string };
      if (told === undefined) this.last = line;
      else this.heard.push(told);
      this.wake();
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.complaints += text));
    child.once('close', () => {
      this.ended = true;
      this.wake();
    });
  }

  static start(name: NaiveName, settings: NaiveSettings): NaiveProgram {
    if (!existsSync(BUILT)) throw new Error('The naive programs are not built: run `npx nest build eventstoredb-server` first.');
    return new NaiveProgram(spawn(process.execPath, ['--enable-source-maps', BUILT, name, JSON.stringify(settings)]));
  }

  /** Its report, when nothing has to be done meanwhile. */
  static run(name: NaiveName, settings: NaiveSettings): Promise<NaiveReport> {
    return NaiveProgram.start(name, settings).report();
  }

  /** Resolves when the program says that. */
  async says(what: string): Promise<void> {
    while (!this.heard.includes(what)) {
      if (this.ended) throw new Error(`The naive program ended before it said "${what}". ${this.complaints}`);
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** Lets it go on. */
  goOn(): void {
    this.child.stdin!.write('\n');
  }

  async report(): Promise<NaiveReport> {
    while (!this.ended) await new Promise<void>((resolve) => (this.wake = resolve));
    if (this.last === '') throw new Error(`The naive program reported nothing. ${this.complaints}`);
    return JSON.parse(this.last) as NaiveReport;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
