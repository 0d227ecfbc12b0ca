import { setImmediate as othersFirst } from 'node:timers/promises';
import type { EventStore } from '@ledger/event-store';
import {
  emptyOrganisationWallet,
  emptyUserWallet,
  eventOf,
  foldOrganisation,
  foldUser,
  type OrganisationEvent,
  type OrganisationWallet,
  type Recorded,
  streamOf,
  type UserEvent,
  type UserWallet,
  type WalletEvent,
  type WalletRef,
} from '@ledger/wallet';
import type { BalanceMark } from './balance-marks';

/** Events that are folded without a pause: about 5 ms. */
const PAGE = 1_000;

/** Where a fold may begin instead of at zero: what the wallet held at the highest known revision that is not above this one. */
export type NearestMark = (wallet: WalletRef, revision: number) => BalanceMark | undefined;

/**
 * Wallets as they were after a revision, folded by the domain's own fold. Their balances are whole; keys, windows and members
 * are those of the events since the mark only, so decide nothing on them.
 */
export class PastWallets {
  constructor(
    private readonly store: EventStore,
    private readonly nearest: NearestMark = () => undefined,
  ) {}

  async user(userId: string, revision: number): Promise<UserWallet> {
    const mark = this.nearest({ kind: 'user', id: userId }, revision);
    const wallet = emptyUserWallet(userId);
    if (mark !== undefined) {
      wallet.opened = true;
      wallet.revision = mark.revision;
      wallet.purchased = mark.purchased;
      wallet.billing.owed = mark.owed;
      if (mark.free) wallet.free = { ...mark.free, granted: mark.free.tokens };
      for (const { organisationId, tokens } of mark.allocated) {
        wallet.relationships.set(organisationId, {
          organisationId,
          tokens,
          received: 0,
          used: new Map(),
          reached: new Set(),
          policyRevision: -1,
        });
      }
    }
    const fold = (event: WalletEvent, recorded: Recorded) => foldUser(wallet, event as UserEvent, recorded);
    await this.foldTo(streamOf({ kind: 'user', id: userId }), wallet.revision, revision, fold);
    return wallet;
  }

  async organisation(organisationId: string, revision: number): Promise<OrganisationWallet> {
    const mark = this.nearest({ kind: 'organisation', id: organisationId }, revision);
    const wallet = emptyOrganisationWallet(organisationId);
    if (mark !== undefined) {
      wallet.opened = true;
      wallet.revision = mark.revision;
      wallet.available = mark.purchased;
      wallet.billing.owed = mark.owed;
    }
    const fold = (event: WalletEvent, recorded: Recorded) => foldOrganisation(wallet, event as OrganisationEvent, recorded);
    await this.foldTo(streamOf({ kind: 'organisation', id: organisationId }), wallet.revision, revision, fold);
    return wallet;
  }

  private async foldTo(stream: string, from: number, to: number, fold: (event: WalletEvent, recorded: Recorded) => void): Promise<void> {
    for (let next = from + 1; next <= to;) {
      const page = await this.store.readStream(stream, next, Math.min(PAGE, to - next + 1));
      if (page.length === 0) throw new Error(`${stream} lacks revision ${next}`);
      for (const stored of page) fold(eventOf(stored), { revision: stored.revision });
      next += page.length;
      if (next <= to) await othersFirst();
    }
  }
}
