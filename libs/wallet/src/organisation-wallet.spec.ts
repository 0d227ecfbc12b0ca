import type { PurchaseTokens } from './commands';
import { openOrganisation, purchaseForOrganisation } from './organisation-wallet';
import { PRICE_TABLE } from './pricing';
import { opened, purchased, zoneSet } from './testing/facts';
import { given } from './testing/given';
import type { Body } from './testing/log';

const NOON = '2026-11-23T12:00:00.000Z';

describe('opening an organisation', () => {
  it('opens in the zone that is asked for, and in UTC otherwise', () => {
    given()
      .when(openOrganisation, { timeZone: 'Europe/Berlin' }, NOON)
      .then([
        {
          type: 'OrganisationWalletOpened',
          data: { at: NOON, organisationId: 'acme', timeZone: 'Europe/Berlin', balanceAfter: { available: 0, balance: 0 } },
        },
      ]);
    given()
      .when(openOrganisation, {}, NOON)
      .then([{ type: 'OrganisationWalletOpened', data: { timeZone: 'UTC' } }]);
  });

  it('sets another zone and says nothing the second time', () => {
    given(opened('UTC'))
      .when(openOrganisation, { timeZone: 'Asia/Tokyo' }, NOON)
      .then([{ type: 'TimeZoneSet', data: { at: NOON, timeZone: 'Asia/Tokyo' } }])
      .when(openOrganisation, { timeZone: 'Asia/Tokyo' }, NOON)
      .thenNothing()
      .when(openOrganisation, {}, NOON)
      .thenNothing();
  });

  it('records a keyed command that changes nothing, with the zone that holds', () => {
    given(opened('Asia/Tokyo'))
      .when(openOrganisation, {}, NOON, { key: 'k1' })
      .then([{ type: 'TimeZoneSet', data: { timeZone: 'Asia/Tokyo' } }])
      .when(openOrganisation, { timeZone: 'Asia/Tokyo' }, NOON, { key: 'k2' })
      .then([{ type: 'TimeZoneSet', data: { timeZone: 'Asia/Tokyo' } }]);
  });

  it('does not let a late retry of a keyed no-op undo what came after it', () => {
    const acme = given(opened('Asia/Tokyo'));
    acme
      .when(openOrganisation, { timeZone: 'Asia/Tokyo' }, NOON, { key: 'k1' })
      .then([{ type: 'TimeZoneSet' }])
      .and(NOON, zoneSet('UTC'))
      .when(openOrganisation, { timeZone: 'Asia/Tokyo' }, NOON, { key: 'k1' })
      .thenReplayed(1);
    expect(acme.wallet.timeZone).toBe('UTC');
  });

  it.each(['Mars/Olympus', '+01:00', 'europe/berlin', ''])('refuses %j as a zone, whether the wallet is new or old', (timeZone) => {
    const facts = { errors: [{ field: '/timeZone', value: timeZone }] };
    given().when(openOrganisation, { timeZone }, NOON).thenRefused('VALIDATION_FAILED', facts);
    given(opened()).when(openOrganisation, { timeZone }, NOON).thenRefused('VALIDATION_FAILED', facts);
  });
});

describe('a purchase for an organisation', () => {
  const buy = (tokens: number, paymentReference = 'p1'): Body<PurchaseTokens> => ({ tokens, paymentReference });

  it('credits the tokens and keeps the whole answer in the event', () => {
    given(opened(), purchased(300, 'p0'))
      .when(purchaseForOrganisation, { ...buy(5_000), purchasedBy: 'head' }, NOON)
      .then([
        {
          type: 'TokensPurchased',
          data: {
            at: NOON,
            purchaseId: 'id-1',
            tokens: 5_000,
            paymentReference: 'p1',
            purchasedBy: 'head',
            listPriceCents: 5_000,
            discountPercent: 10,
            priceCents: 4_500,
            priceTable: PRICE_TABLE.version,
            owedPaid: 0,
            balanceAfter: { available: 5_300, balance: 5_300 },
          },
        },
      ]);
  });

  it.each([
    [200, 0, 200],
    [999, 0, 999],
    [1_000, 5, 950],
    // 95 % of 10.10 EUR are 9.595: half a cent goes up.
    [1_010, 5, 960],
    [4_999, 5, 4_749],
    [5_000, 10, 4_500],
    [9_999, 10, 8_999],
    [10_000, 15, 8_500],
    [49_999, 15, 42_499],
    [50_000, 20, 40_000],
    [99_999, 20, 79_999],
    [100_000, 25, 75_000],
    [499_999, 25, 374_999],
    [500_000, 30, 350_000],
    [10 ** 12, 30, 7 * 10 ** 11],
  ])('prices %d tokens at %d %% off: %d cents', (tokens, discountPercent, priceCents) => {
    given(opened())
      .when(purchaseForOrganisation, buy(tokens), NOON)
      .then([{ type: 'TokensPurchased', data: { tokens, listPriceCents: tokens, discountPercent, priceCents } }]);
  });

  it('sells 200 tokens, and not 199', () => {
    given(opened())
      .when(purchaseForOrganisation, buy(199), NOON)
      .thenRefused('PURCHASE_TOO_SMALL', { tokens: 199, minimum: 200 })
      .when(purchaseForOrganisation, buy(200), NOON)
      .then([{ type: 'TokensPurchased' }]);
  });

  it('sells 10^12 tokens in a life, and not one more', () => {
    const nearly = 10 ** 12 - 200;
    given(opened(), purchased(nearly, 'p0'))
      .when(purchaseForOrganisation, buy(201), NOON)
      .thenRefused('BALANCE_TOO_LARGE', { requested: 201, purchased: nearly, maximum: 10 ** 12 })
      .when(purchaseForOrganisation, buy(200), NOON)
      .then([{ type: 'TokensPurchased', data: { balanceAfter: { available: 10 ** 12 } } }])
      .when(purchaseForOrganisation, buy(200, 'p2'), NOON)
      .thenRefused('BALANCE_TOO_LARGE');
    given(opened()).when(purchaseForOrganisation, buy(Number.MAX_SAFE_INTEGER), NOON).thenRefused('BALANCE_TOO_LARGE');
  });

  it('never credits a payment twice, under whatever key, and a refusal uses neither key nor reference up', () => {
    given(opened())
      .when(purchaseForOrganisation, buy(199), NOON, { key: 'k1' })
      .thenRefused('PURCHASE_TOO_SMALL')
      .when(purchaseForOrganisation, buy(200), NOON, { key: 'k1' })
      .then([{ type: 'TokensPurchased' }])
      .when(purchaseForOrganisation, buy(200), NOON, { key: 'k2' })
      .thenRefused('PAYMENT_REFERENCE_USED', { paymentReference: 'p1' })
      .when(purchaseForOrganisation, buy(200), NOON)
      .thenRefused('PAYMENT_REFERENCE_USED')
      .when(purchaseForOrganisation, buy(200, 'p2'), NOON, { key: 'k2' })
      .then([{ type: 'TokensPurchased', data: { balanceAfter: { available: 400 } } }]);
  });

  it('needs an organisation, before anything else is looked at', () => {
    given().when(purchaseForOrganisation, buy(1), NOON).thenRefused('ORGANISATION_NOT_FOUND', { organisationId: 'acme' });
  });

  it('is dated no earlier than the last event, where the clock went back', () => {
    given(opened())
      .and(NOON, purchased(200, 'p0'))
      .when(purchaseForOrganisation, buy(200), '2026-11-23T11:59:59.999Z')
      .then([{ type: 'TokensPurchased', data: { at: NOON } }]);
  });
});
