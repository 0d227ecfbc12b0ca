import type { LedgerEvent, SkippedEvent } from './received';

/**
 * What a consumer makes of the events, and how far it has come with each wallet: both in one transaction of the consumer's own
 * database, so that neither is ever there without the other. `Transaction` is whatever that database calls one.
 */
export abstract class Effects<Transaction> {
  /**
   * All that `work` does, or nothing when it throws. Two transactions must not see the same last revision of a wallet and both go
   * on: lock its row (`select ... for update`), or begin by writing (`begin immediate`).
   */
  abstract inTransaction(work: (transaction: Transaction) => Promise<void>): Promise<void>;

  /** The last applied revision of a wallet (`user:u1`), undefined when there is none. */
  abstract lastRevision(transaction: Transaction, wallet: string): Promise<number | undefined> | number | undefined;

  abstract keepRevision(transaction: Transaction, wallet: string, revision: number): Promise<void> | void;

  /** Called once for every event, in order per wallet. */
  abstract apply(transaction: Transaction, event: LedgerEvent): Promise<void> | void;

  /** An event whose content does not come, in place of `apply`: somebody should look at what it means for the figures. */
  abstract skipped(transaction: Transaction, event: SkippedEvent): Promise<void> | void;
}
