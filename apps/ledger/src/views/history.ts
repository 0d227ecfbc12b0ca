import { type EventOf, streamOf, type WalletEvent, type WalletRef, textIn } from '@ledger/wallet';
import type { StoredEvent } from '@ledger/event-store';
import type { Database } from '@ledger/sqlite';
import { type BalanceMark, BalanceMarks, isMarked } from './balance-marks';
import type { Bills } from './bills';
import { Purchases } from './purchases';
import type { Relationships } from './relationships';
import { Transit } from './transit';
import type { Users } from './users';
import type { WalletBalances } from './wallet-balances';

/** Rows of the present, up to the event that a mark speaks of. */
export interface Present {
  balances: WalletBalances;
  users: Users;
  relationships: Relationships;
  bills: Bills;
}

/** Answers: how it was. Purchases, what was in transit, and marks to fold old balances from; usages, which are most events, write nothing here. */
export class History {
  static readonly tables = [Transit.tables, Purchases.tables, BalanceMarks.tables].join('\n');
  static readonly joined = `
    insert into purchases select * from other.purchases;
    insert into balance_marks select * from other.balance_marks;`;

  readonly transit: Transit;
  readonly purchases: Purchases;
  readonly marks: BalanceMarks;

  constructor(
    db: Database,
    private readonly present: Present,
  ) {
    this.transit = new Transit(db);
    this.purchases = new Purchases(db);
    this.marks = new BalanceMarks(db);
  }

  /** After the event was folded into the rows of the present. */
  note(wallet: WalletRef, event: WalletEvent, stored: StoredEvent): void {
    if (event.type === 'TokensPurchased') this.bought(event, stored);
    else if (event.type === 'TokensAllocated') this.transit.left(wallet.id, event.data.allocationId, event.data.at, event.data.tokens);
    else if (event.type === 'AllocationReceived') this.arrived(event);
    if (isMarked(stored.revision)) this.marks.set(wallet, this.markOf(wallet, stored.revision));
  }

  flush(): void {
    this.transit.flush();
  }

  /** Drops what a rolled-back transaction would have written. */
  forget(): void {
    this.transit.forget();
  }

  private bought({ data }: EventOf<'TokensPurchased'>, { stream, revision, metadata }: StoredEvent): void {
    this.purchases.made(stream, revision, data, textIn(metadata, 'actor') ?? '');
  }

  arrived({ data: { organisationId, allocationId, at, tokens } }: EventOf<'AllocationReceived'>): void {
    this.transit.arrived(organisationId, allocationId, at, tokens);
  }

  private markOf(wallet: WalletRef, revision: number): BalanceMark {
    const { balances, users, relationships, bills } = this.present;
    const { owed } = bills.of(streamOf(wallet));
    if (wallet.kind === 'organisation') return { revision, purchased: balances.find(wallet.id)?.available ?? 0, owed, allocated: [] };
    const row = users.find(wallet.id);
    const free = { tokens: row?.free ?? 0, month: row?.free_month ?? '', tokensPerMonth: row?.tokens_per_month ?? 0 };
    const allocated = relationships.of(wallet.id).map(({ organisationId, tokens }) => ({ organisationId, tokens }));
    return { revision, free, purchased: row?.purchased ?? 0, owed, allocated };
  }
}
