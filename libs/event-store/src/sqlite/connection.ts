import { StoreClosed, StoreUnavailable } from '../event-store';
import { unusable } from './fault';
import { LedgerFile } from './ledger-file';
import { backOff, isBusy, leavesDoubt, reasonOf, sqliteCode } from './patience';

/** The one connection of a store: opened when it is needed, and replaced after an error that leaves it in doubt. */
export class Connection {
  private file: LedgerFile | undefined;
  private generation = 0;
  private closed = false;

  constructor(
    private readonly path: string,
    readonly busyMs: number,
    private readonly readOnly = false,
  ) {}

  /** One try, in one go: nothing else of this process runs between the statements of an action. */
  use<T>(action: (file: LedgerFile) => T): T {
    if (this.closed) throw new StoreClosed();
    try {
      return action(this.current());
    } catch (error) {
      if (leavesDoubt(error) || this.file?.stuck) this.drop();
      throw error;
    }
  }

  /**
   * Tries until the file is not locked, for `busySeconds` at most.
   * @throws StoreUnavailable for every error of SQLite, UnusableStore for those that waiting does not help
   */
  async patiently<T>(action: (file: LedgerFile) => T): Promise<T> {
    const deadline = performance.now() + this.busyMs;
    for (let tries = 0; ; tries++) {
      try {
        return this.use(action);
      } catch (error) {
        if (sqliteCode(error) === undefined) throw error;
        if (!isBusy(error) || performance.now() > deadline) throw this.unavailable(error);
        await backOff(tries);
      }
    }
  }

  unavailable(error: unknown): StoreUnavailable {
    const reason = isBusy(error) ? `was locked by another process for ${this.busyMs / 1000} s` : `failed: ${reasonOf(error)}`;
    return unusable(this.path, error) ?? new StoreUnavailable(`the event store ${this.path} ${reason}`, { cause: error });
  }

  /** Differs from its last value when another connection may have committed since. */
  version(): string {
    return this.use((file) => `${this.generation}:${file.dataVersion()}`);
  }

  close(): void {
    this.closed = true;
    this.drop();
  }

  private current(): LedgerFile {
    if (this.file) return this.file;
    const first = this.generation === 0;
    try {
      if (this.readOnly) this.file = LedgerFile.openReadOnly(this.path);
      else this.file = first ? LedgerFile.openOrCreate(this.path) : LedgerFile.open(this.path);
    } catch (error) {
      throw first || isBusy(error) ? error : this.unavailable(error);
    }
    this.generation++;
    return this.file;
  }

  private drop(): void {
    const { file } = this;
    this.file = undefined;
    try {
      file?.close();
    } catch {
      // It failed before; a new connection is opened at the next use.
    }
  }
}
