import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { isAlive, ofThisTest } from '../support/children';

const BUILT = resolve(__dirname, '../../dist/test/billing/main.js');
const UNTIL_MAX_MS = 120_000;

/** The billing example as a process of its own, which a test kills. */
export class BillingUnderTest {
  /** Transactions that it said it had made. */
  transactions = 0;
  /** Messages that it was given a second time. */
  seen = 0;
  said = '';
  /** The status it ended with; null when it was killed. */
  readonly ended: Promise<number | null>;
  private rest = '';
  private readonly listeners = new Set<() => void>();

  private constructor(private readonly child: ChildProcess) {
    ofThisTest(child);
    child.stdout!.setEncoding('utf8').on('data', (text: string) => this.hear(text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    this.ended = new Promise((done) =>
      child.once('exit', (code) => {
        this.tell();
        done(code);
      }),
    );
  }

  static start(brokers: string, options: Record<string, string>): BillingUnderTest {
    if (!existsSync(BUILT)) throw new Error(`${BUILT} is missing, and this test runs the built one: "npx nest build billing" makes it.`);
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const env = { ...process.env, KAFKA_BROKERS: brokers };
    return new BillingUnderTest(spawn(process.execPath, [BUILT, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /**
   * Resolves when the condition holds, which is asked whenever the process says something; or when the process is gone.
   * @throws when that takes too long, or the process says nothing more
   */
  async until(condition: () => boolean): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.tell();
    }, UNTIL_MAX_MS);
    while (!condition() && !late && isAlive(this.child)) {
      await new Promise<void>((said) => {
        const once = (): void => {
          this.listeners.delete(once);
          said();
        };
        this.listeners.add(once);
      });
    }
    clearTimeout(timer);
    if (late)
      throw new Error(`the billing example did not get there within ${UNTIL_MAX_MS} ms: ${this.transactions} transactions, "${this.said}"`);
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.ended;
  }

  private hear(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('{')) continue;
      this.transactions += 1;
      this.seen += (JSON.parse(line) as { seen: number }).seen;
    }
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
