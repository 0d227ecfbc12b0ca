import type { WalletRef } from '../wallet-ref';

/** Who asked, for what reason, under which key. Set by the server, never by a body. */
export interface Envelope {
  actor: string;
  role: string;
  client?: string;
  requestId: string;
  correlationId: string;
  traceparent?: string;
  /** Idempotency key, 1..200 visible characters, scoped to the wallet. */
  key?: string;
  /** SHA-256 of operation, ids of the path and body as they were sent; with every key. */
  contentHash?: string;
}

/**
 * What is asked of one wallet. Decorated fields are the HTTP body; the fields here, and ids that a command takes from the
 * path, carry no decorator, so a body that names them is refused as unknown.
 */
export abstract class WalletCommand {
  wallet: WalletRef;
  envelope: Envelope;
}
