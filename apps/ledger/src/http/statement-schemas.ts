import type { OrganisationBalance, Posting, UserBalance } from '@ledger/wallet';
import type { OrganisationBalanceAt, UserBalanceAt } from '../views/balances-at';
import type { PurchaseAnswer } from '../views/purchases';
import { answer, cents, count, id, instant, list, pageOf, ref, revision, text, tokens } from './answer-shapes';
import type { EntryAnswer } from './statements';
import type { JsonSchema } from './validation/schemas';

/** What statements, purchases and balances of the past look like. */

const free = answer<UserBalanceAt['free']>({ tokens, tokensPerMonth: tokens, month: text, resetsAt: instant });

export const STATEMENT_ANSWERS = {
  Entry: answer<EntryAnswer>(
    {
      position: { type: 'string', description: 'Opaque; can be sent as Ledger-Position' },
      revision,
      at: instant,
      occurredAt: instant,
      type: text,
      tokens: { type: 'integer', description: "What the wallet's balance gained; over all entries it sums to the balance" },
      lines: list(answer<Posting>({ account: text, tokens: { type: 'integer', description: 'Plus: the account gains' } })),
      balanceAfter: ref('BalanceAfter'),
      actor: text,
      reference: text,
      service: text,
      reason: text,
      memo: text,
      usageId: id,
      allocationId: id,
      organisationId: id,
      purchaseId: id,
      billId: id,
    },
    ['occurredAt', 'reference', 'service', 'reason', 'memo', 'usageId', 'allocationId', 'organisationId', 'purchaseId', 'billId'],
  ),
  Entries: pageOf('Entry'),
  BalanceAfter: answer<OrganisationBalance & UserBalance>(
    {
      balance: tokens,
      available: tokens,
      free: answer<NonNullable<UserBalance['free']>>({ tokens, month: text }),
      purchased: tokens,
      allocated: list(ref('AllocatedTokens')),
    },
    ['available', 'free', 'purchased', 'allocated'],
  ),
  AllocatedTokens: answer<UserBalanceAt['allocated'][number]>({ organisationId: id, tokens }),
  Purchase: answer<PurchaseAnswer>(
    {
      purchaseId: id,
      tokens,
      paymentReference: text,
      purchasedBy: text,
      listPriceCents: cents,
      discountPercent: count,
      priceCents: cents,
      priceTable: text,
      owedPaid: tokens,
      available: tokens,
      at: instant,
      actor: text,
    },
    ['purchasedBy'],
  ),
  Purchases: pageOf('Purchase'),
  OrganisationBalanceAt: answer<OrganisationBalanceAt>({ at: instant, revision, available: tokens, inTransit: tokens, owed: tokens }),
  UserBalanceAt: answer<UserBalanceAt>({
    at: instant,
    revision,
    balance: tokens,
    free,
    purchased: tokens,
    allocated: list(ref('AllocatedTokens')),
    owed: tokens,
  }),
} as const satisfies Record<string, JsonSchema>;
