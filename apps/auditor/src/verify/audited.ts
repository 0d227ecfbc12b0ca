import type { StoredEvent } from '@ledger/event-store';
import type { PriceTable } from '@ledger/wallet';
import type { Seed } from './fingerprint';
import type { OrganisationState } from './organisation-rules';
import type { UserState } from './user-state';

/** What an audit is given, and what it keeps. */

export interface AuditOptions {
  seed: Seed;
  priceTables: readonly PriceTable[];
  platformTimeZone?: string;
  /** Heads of streams are also kept as they were at this position, that of a certificate. */
  headsAt?: number;
  /**
   * Events up to this position were audited before, as a certificate says: of them only what is wrong with the chains is said, which
   * with the certificate's root says that they are the same ones. They are judged all the same, for what follows builds on them.
   */
  trustedUntil?: number;
  /** What is known at the end is kept for the next audit. */
  stateWanted?: boolean;
}

/** An event as the audit wants it. */
export type AuditedEvent = Omit<StoredEvent, 'position'> & { position: number };

/** The end of a stream. */
export interface Head {
  stream: string;
  revision: number;
  hash: string;
}

export type State = UserState | OrganisationState;
