import type { WalletCommand, WalletEvent } from '@ledger/wallet';

/** What became of a command that was not refused: the answer of every handler on the command bus. */
export interface Commanded {
  /** The command's events: just written, or, when `replayed`, those of the first time. Empty when there was nothing to say. */
  events: WalletEvent[];
  replayed: boolean;
  /** Revision of the wallet's stream that this answer stands on. */
  revision: number;
  /** Position of the last event that this answer stands on; NO_POSITION when the stream is empty. */
  position: bigint;
  /** Id of that event; empty when there is none. */
  eventId: string;
}

/**
 * What a command would do, were it sent now (dry run, affordability): decided as of the heads of its streams, nothing is
 * written, nothing is promised, no key is looked up. Throws the Refusal that the command would meet.
 */
export abstract class Previews {
  abstract preview(command: WalletCommand): Promise<WalletEvent[]>;
}
