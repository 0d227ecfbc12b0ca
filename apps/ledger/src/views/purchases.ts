import { type EventOf, streamOf, type WalletRef } from '@ledger/wallet';
import type { Database, Statement } from '@ledger/sqlite';

/** Answers: which packages a wallet bought, for what price, newest first. */

export interface PurchaseAnswer {
  purchaseId: string;
  tokens: number;
  paymentReference: string;
  purchasedBy?: string;
  listPriceCents: number;
  discountPercent: number;
  priceCents: number;
  priceTable: string;
  /** The part that paid an earlier debt. */
  owedPaid: number;
  /** The wallet's total after it. */
  available: number;
  at: string;
  actor: string;
}

/** A purchase is read as it was bought and never changes, so it stays one text. */
interface PurchaseRow {
  revision: number;
  purchase: string;
}

export class Purchases {
  static readonly tables = `
    create table purchases (
      stream text not null,
      revision integer not null,
      purchase text not null,
      primary key (stream, revision)
    ) strict, without rowid;`;

  private readonly write: Statement<[string, number, string]>;
  private readonly read: Statement<[string, number, number], PurchaseRow>;

  constructor(db: Database) {
    this.write = db.prepare('insert or ignore into purchases values (?, ?, ?)');
    this.read = db.prepare('select revision, purchase from purchases where stream = ? and revision < ? order by revision desc limit ?');
  }

  made(stream: string, revision: number, { balanceAfter, ...bought }: EventOf<'TokensPurchased'>['data'], actor: string): void {
    const { purchaseId, tokens, paymentReference, purchasedBy, listPriceCents, discountPercent, priceCents, priceTable, owedPaid, at } =
      bought;
    const purchase: PurchaseAnswer = {
      purchaseId,
      tokens,
      paymentReference,
      ...(purchasedBy === undefined ? {} : { purchasedBy }),
      listPriceCents,
      discountPercent,
      priceCents,
      priceTable,
      owedPaid,
      available: balanceAfter.balance,
      at,
      actor,
    };
    this.write.run(stream, revision, JSON.stringify(purchase));
  }

  /** Newest first, those with a smaller revision than `before`. */
  page(wallet: WalletRef, before: number, count: number): PurchaseRow[] {
    return this.read.all(streamOf(wallet), before, count);
  }
}

export const purchaseAnswer = ({ purchase }: PurchaseRow): PurchaseAnswer => JSON.parse(purchase) as PurchaseAnswer;
