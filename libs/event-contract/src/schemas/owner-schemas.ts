import type { EventOf } from '@ledger/wallet';
import { at, billCharges, day, decimal, eitherBalance, generatedId, month, tokens, tokensOrNone, whole, words } from './fields';
import { boolean, constant, integer, object, oneOfTexts, optional, pattern, type Shape, type Whole } from './shape';

/** Events that organisations and users both have; they differ in the balance alone. */
type OwnTypes = 'TokensPurchased' | 'BillCharged' | 'BillDeclined' | 'StorageAccrued';
type DataOf<Type extends OwnTypes> = Whole<EventOf<Type>['data']>;
type Schemas = { [Type in OwnTypes]: Shape<DataOf<Type>> };

const breakdown = object<DataOf<'BillCharged'>['breakdown']>(
  {
    billableCampuses: integer(0, 10_000, 'Campuses beyond the first'),
    billableCourses: integer(0, 10_000, 'Courses beyond the first three'),
    billablePlaces: whole(0, 'Members of the billable campuses and courses'),
  },
  'What hosting was billed for',
);
const billedMonth = month('The month that is billed, in the zone of the owner');
/** 10 tokens for each of up to 10^7 members of up to 20,000 places: more than a wallet may ever hold, so such a bill is declined or owed. */
const billTokens = whole(0, 'What the bill comes to');
const owed = tokensOrNone('All that the wallet owes after it');
const owedTokens = tokensOrNone('Of this bill: taken first from the next purchase of the wallet');

export const OWNER_SCHEMAS: Schemas = {
  TokensPurchased: object<DataOf<'TokensPurchased'>>({
    at,
    purchaseId: generatedId('The purchase'),
    tokens: tokens('Bought'),
    paymentReference: words('The payment; it credits a wallet once'),
    purchasedBy: optional(words('Who bought, as the caller said')),
    listPriceCents: tokensOrNone('1 cent for each token'),
    discountPercent: integer(0, 99, 'By which the price was lowered'),
    priceCents: tokensOrNone('The price in cents, exclusive of tax'),
    priceTable: pattern('^[A-Za-z0-9._~-]{1,64}$', '2026-01', 'Version of the price table'),
    owedPaid: tokensOrNone('The part of the tokens that paid an earlier debt and never reached the balance'),
    balanceAfter: eitherBalance,
  }),
  BillCharged: object<DataOf<'BillCharged'>>({
    at,
    billId: generatedId('The bill'),
    kind: constant('hosting'),
    month: billedMonth,
    tokens: billTokens,
    chargedTokens: whole(0, 'Taken now'),
    owedTokens,
    breakdown,
    charged: billCharges,
    owed,
    balanceAfter: eitherBalance,
  }),
  BillDeclined: object<DataOf<'BillDeclined'>>(
    {
      at,
      billId: generatedId('The bill'),
      kind: oneOfTexts(['hosting', 'storage']),
      month: billedMonth,
      tokens: billTokens,
      missing: whole(1, 'Tokens that were missing'),
      breakdown: optional(breakdown),
      balanceAfter: eitherBalance,
    },
    undefined,
    // The breakdown is that of hosting.
    {
      oneOf: [
        { properties: { kind: { const: 'hosting' } }, required: ['breakdown'] },
        { properties: { kind: { const: 'storage' }, breakdown: false } },
      ],
    },
  ),
  StorageAccrued: object<DataOf<'StorageAccrued'>>({
    at,
    day: day('The day, in the zone of the owner; days come in any order'),
    bytes: whole(0, 'Stored on that day; 10^9 of them are free'),
    accruedTokens: decimal('What the day costs'),
    chargedTokens: tokensOrNone('Whole tokens taken now'),
    carriedTokens: decimal('All that is accrued and not charged yet'),
    owedTokens,
    declined: boolean('True when the funds did not cover it and nothing was taken'),
    charged: billCharges,
    owed,
    balanceAfter: eitherBalance,
  }),
};
