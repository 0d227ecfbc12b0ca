import { walletName } from '@ledger/event-contract';
import type { Effects } from './effects';
import { readMessage, type ReceivedMessage } from './received';
import { isNext } from './revision-rule';

/** What became of some messages. */
export interface Applied {
  applied: number;
  /** Were applied before. */
  seen: number;
  /** Handed to `skipped`. */
  skipped: number;
  /** Of types that this release does not know. */
  unknown: number;
}

/**
 * Applies messages, in the order of their partition, in one transaction: with it they are applied, and their revisions kept.
 * @throws RevisionGap, UnreadableMessage, UnknownVersion, and whatever the effects throw; then nothing was applied
 */
export async function applyMessages<Transaction>(messages: readonly ReceivedMessage[], effects: Effects<Transaction>): Promise<Applied> {
  const read = messages.map(readMessage);
  const count: Applied = { applied: 0, seen: 0, skipped: 0, unknown: 0 };
  await effects.inTransaction(async (transaction) => {
    const moved = new Map<string, number>();
    for (const message of read) {
      const wallet = walletName(message.wallet);
      const last = moved.get(wallet) ?? (await effects.lastRevision(transaction, wallet));
      if (!isNext(wallet, last, message.revision)) {
        count.seen += 1;
        continue;
      }
      if ('unknownType' in message) count.unknown += 1;
      else if ('skipped' in message) {
        await effects.skipped(transaction, message);
        count.skipped += 1;
      } else {
        await effects.apply(transaction, message);
        count.applied += 1;
      }
      moved.set(wallet, message.revision);
    }
    for (const [wallet, revision] of moved) await effects.keepRevision(transaction, wallet, revision);
  });
  return count;
}
