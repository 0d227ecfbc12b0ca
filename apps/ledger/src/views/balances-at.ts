import type { EventStore } from '@ledger/event-store';
import { freeNow, isoInstant, monthAt, streamOf, sumOf, type WalletRef } from '@ledger/wallet';
import type { UserAnswer } from './answers';
import { atOf, lastRevisionAt } from './instants';
import type { PastWallets } from './past-wallets';
import type { AllowanceSettings } from './sqlite-queries';
import type { Transit } from './transit';

/** Answers: what a wallet held at any instant of the past, by the event stream itself, events of that instant included. */

export interface UserBalanceAt {
  at: string;
  /** Of the last event at or before the instant; -1 before the first. */
  revision: number;
  balance: number;
  free: UserAnswer['free'];
  purchased: number;
  allocated: { organisationId: string; tokens: number }[];
  owed: number;
}

export interface OrganisationBalanceAt {
  at: string;
  revision: number;
  available: number;
  /** Allocated and not yet received by its members. */
  inTransit: number;
  owed: number;
}

/** What this instance's read model adds: the members' receipts, which stand on their own streams. */
interface Receipts {
  reached(position: bigint, timeoutMs: number): Promise<boolean>;
  readonly views: { history: { transit: Pick<Transit, 'at'> } };
}

/** As long as a request waits for its Ledger-Position. */
const RECEIPTS_WAIT_MS = 5_000;

/** An organisation that writes at every look is looked at so often; only instants of the present can be so unlucky. */
const LOOKS_MAX = 10;

/** The instance has not read the members' receipts that far. */
export class NotReadThatFar extends Error {}

export class BalancesAt {
  constructor(
    private readonly store: EventStore,
    private readonly past: PastWallets,
    private readonly receipts: Receipts,
    private readonly settings: AllowanceSettings,
  ) {}

  /** Epoch ms of the wallet's last event, which another instance's clock may have put ahead of ours; -Infinity without one. */
  async lastAt(wallet: WalletRef): Promise<number> {
    const stream = streamOf(wallet);
    const { revision } = await this.store.headOf(stream);
    return revision < 0 ? -Infinity : atOf(this.store, stream, revision);
  }

  async user(userId: string, at: number): Promise<UserBalanceAt> {
    const stream = streamOf({ kind: 'user', id: userId });
    const { revision: head } = await this.store.headOf(stream);
    const revision = await lastRevisionAt(this.store, stream, head, at);
    const wallet = await this.past.user(userId, revision);
    const { settings } = this;
    const { tokens, tokensPerMonth, month } = freeNow(wallet, { at, settings });
    const current = monthAt(settings.platformTimeZone, at);
    // The clock of another instance may have granted the next month already.
    const { resetsAt } = month === current.window ? current : monthAt(settings.platformTimeZone, current.resetsAt);
    const allocated = [...wallet.relationships.values()].map(({ organisationId, tokens: held }) => ({ organisationId, tokens: held }));
    return {
      at: isoInstant(at),
      revision,
      balance: tokens + wallet.purchased + sumOf(allocated),
      free: { tokens, tokensPerMonth, month, resetsAt: isoInstant(resetsAt) },
      purchased: wallet.purchased,
      allocated,
      owed: wallet.billing.owed,
    };
  }

  /** Undefined when there is no such organisation. @throws NotReadThatFar */
  async organisation(organisationId: string, at: number): Promise<OrganisationBalanceAt | undefined> {
    const stream = streamOf({ kind: 'organisation', id: organisationId });
    for (let look = 0; look < LOOKS_MAX; look += 1) {
      const { revision: head } = await this.store.headOf(stream);
      if (head < 0) return undefined;
      const revision = await lastRevisionAt(this.store, stream, head, at);
      const { available, billing } = await this.past.organisation(organisationId, revision);
      // Receipts are read behind the head of all, so that every one that is stored counts.
      if (!(await this.receipts.reached(await this.store.headPosition(), RECEIPTS_WAIT_MS))) throw new NotReadThatFar();
      const inTransit = this.receipts.views.history.transit.at(organisationId, isoInstant(at));
      // What was allocated meanwhile would be in transit and still available: then both are read again.
      if (await this.endsAt(stream, revision, at)) return { at: isoInstant(at), revision, available, inTransit, owed: billing.owed };
    }
    throw new NotReadThatFar();
  }

  private async endsAt(stream: string, revision: number, at: number): Promise<boolean> {
    const { revision: head } = await this.store.headOf(stream);
    return revision === head || (await atOf(this.store, stream, revision + 1)) > at;
  }
}
