import { type WalletRef, walletOf } from '@ledger/wallet';

/** Streams kept in memory, about 150 bytes each; when there are more, all are let go, and the rows of their wallets say the same. */
const STREAMS_REMEMBERED_MAX = 50_000;

/** A wallet's stream, and the revision of the last event of it that was read; -1 when nothing was. */
export interface ReadStream extends WalletRef {
  revision: number;
}

/** A stream goes on behind a revision that was never read: the views and the store disagree, so the views must be built again. */
export class RevisionMissing extends Error {
  constructor(stream: string, read: number, revision: number) {
    super(`${stream} was read up to revision ${read} and goes on with ${revision}`);
    this.name = 'RevisionMissing';
  }
}

/** How far each wallet's stream was read. The rows of the wallets hold it; the recent ones are kept here too. */
export class StreamRevisions {
  private readonly recent = new Map<string, ReadStream>();

  constructor(private readonly readTo: (wallet: WalletRef) => number | undefined) {}

  /** Undefined when the stream is not a wallet's. */
  of(stream: string): ReadStream | undefined {
    let read = this.recent.get(stream);
    if (read === undefined) {
      const wallet = walletOf(stream);
      if (wallet === undefined) return undefined;
      if (this.recent.size >= STREAMS_REMEMBERED_MAX) this.recent.clear();
      read = { ...wallet, revision: this.readTo(wallet) ?? -1 };
      this.recent.set(stream, read);
    }
    return read;
  }

  forget(): void {
    this.recent.clear();
  }
}
