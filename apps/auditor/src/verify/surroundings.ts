import type { PriceTable } from '@ledger/wallet';
import type { EntryLog } from './entries';
import type { Fault } from './finding';
import type { OrganisationPolicy } from './policies';
import { Sum } from './totals';

/** What the rules of a wallet look at beside the wallet: the event's place, and what other streams have said. */
export interface Place {
  stream: string;
  position: number;
  revision: number;
  /** Of the event, in epoch ms. */
  at: number;
  /** Of `at`, such as `2026-11-23`. */
  day: string;
  /** Of a usage: when it happened. */
  occurredAt: number;
  /** The same: its cost, where it has one that is known as `costUnits` / 10^`costDecimals` EUR; else 0. */
  costUnits: number;
  costDecimals: number;
  fault: Fault;
}

/** Amounts that leave or enter the wallets. */
export class Flows {
  readonly purchased = new Sum();
  readonly granted = new Sum();
  readonly usage = new Sum();
  readonly bills = new Sum();
  readonly lapsed = new Sum();
  /** Allocated less received, by organisation. */
  readonly inTransit = new Map<string, number>();

  move(organisationId: string, tokens: number): void {
    this.inTransit.set(organisationId, (this.inTransit.get(organisationId) ?? 0) + tokens);
  }
}

export interface Surroundings {
  entries: EntryLog;
  flows: Flows;
  policies: ReadonlyMap<string, OrganisationPolicy>;
  /** Known price tables, by version. */
  priceTables: ReadonlyMap<string, PriceTable>;
  /** IANA zone of the months of free tokens; undefined when it is not known: then any zone's month will do. */
  platformTimeZone: string | undefined;
  /** Versions of price tables that were met and are not known: their prices are not checked. */
  unknownPriceTables: Set<string>;
}
