import type { EntryKind } from '@ledger/wallet';
import type { Progress } from './progress';

/**
 * This instance's read model: how far it has read, and what of a key, payment reference or usage it knows for ever.
 * It is disposable: a lost file is rebuilt from the store.
 */
export abstract class ReadModel {
  /** Starts to follow the store; resolves when the file is open and its checkpoint was compared with the store. */
  abstract start(): Promise<void>;
  /** Position of the last event that the views hold; NO_POSITION at the beginning. */
  abstract readonly position: bigint;
  /** True once the views have passed the head that the store had at start. */
  abstract readonly ready: boolean;
  /** How far it is on the way to the head that the store had at start. */
  abstract readonly progress: Progress;
  /** Names the store that was read (the id of its first event); undefined while it is empty. */
  abstract readonly mark: string | undefined;
  /** Resolves true when the views hold `position`; with an allocation's id, when that allocation is settled too. False after `timeoutMs`. */
  abstract reached(position: bigint, timeoutMs: number, allocationId?: string): Promise<boolean>;
  /**
   * What is unique for ever in a wallet: `key` (idempotency key), `payment` (payment reference), `usage` (usage id).
   * `revision` says how far this index has read the wallet's stream (-1: nothing yet), so that the caller knows whether an
   * absent entry is really absent.
   */
  abstract lookUp(stream: string, kind: UniqueKind, entry: string): { revision: number; found?: UniqueEntry };
  /** Organisations that have the user as a member, the removed ones included. */
  abstract membershipsOf(userId: string): number;
  abstract stop(): Promise<void>;
}

/** Key (idempotency key), payment (payment reference), usage (usage id), bill (see `billEntry`). */
export type UniqueKind = EntryKind;
export interface UniqueEntry {
  /** Revision of the (first) event that made the entry. */
  revision: number;
  /** Of a key. */
  contentHash?: string;
  /** Of a usage: revision of its reversal. */
  reversedRevision?: number;
}
