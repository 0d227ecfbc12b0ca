import fc from 'fast-check';
import type { UserBalance, WalletEvent } from './events';
import { postings } from './postings';
import type { WalletRef } from './wallet-ref';
import type { Billing } from './billing';
import { billingOf, billNames } from './testing/bill-oracle';
import { beginning, histories } from './testing/histories';
import { ORGANISATIONS } from './testing/moves';
import { World } from './testing/world';

/**
 * Random commands over several organisations, users, zones and a moving clock. What every command must come to is said by an
 * independent oracle (testing/oracle.ts); books and replays are compared after it. `PROPERTY_SEED` repeats a run.
 */

const RUNS = 100;
const seed = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);

beforeAll(() => void process.stdout.write(`wallet properties: PROPERTY_SEED=${seed}\n`));

/** What no sequence of commands may leave behind in the events of a user. */
function checkUser(events: readonly WalletEvent[]): void {
  const months = events.flatMap(({ type, data }) => (type === 'FreeAllowanceGranted' ? [data.month] : []));
  expect(months).toEqual([...new Set(months)].sort());
  const reached = events.flatMap(({ type, data }) =>
    type === 'LimitReached' ? [`${data.organisationId}|${data.window}|${data.limit}`] : [],
  );
  expect(new Set(reached).size).toBe(reached.length);
  expect(events.filter(({ type }) => type === 'UserWalletOpened')).toHaveLength(Math.min(1, events.length));
  const instants = events.map(({ data }) => data.at);
  expect(instants).toEqual([...instants].sort());
}

/** The free tokens of a wallet are read from any event that names a balance: left out means none. */
function checkFreeNamed(wallet: WalletRef, events: readonly WalletEvent[]): void {
  let free = 0;
  for (const event of events) {
    for (const { account, tokens } of postings(wallet, event)) if (account.endsWith(':free')) free += tokens;
    if ('balanceAfter' in event.data) expect((event.data.balanceAfter as UserBalance).free?.tokens ?? 0).toBe(free);
  }
}

/** What a wallet knows of its bills is what its events tell; one bill a month, one accrual a day, declined once a month. */
function checkBilling(events: readonly WalletEvent[], billing: Billing): void {
  const { owed, pico, storageDeclined } = billingOf(events);
  expect(billing).toMatchObject({ owed, carriedPico: pico, storageDeclined });
  expect(owed >= 0 && pico >= 0n).toBe(true);
  const names = billNames(events);
  expect(new Set(names).size).toBe(names.length);
}

it('holds for random commands', () => {
  const outcomes = new Map<string, number>();
  let commands = 0;
  fc.assert(
    fc.property(histories, ({ start, platformTimeZone, freeTokensPerMonth, moves }) => {
      const world = new World(Date.parse(start), platformTimeZone, freeTokensPerMonth);
      for (const one of [...beginning, ...moves]) world.perform(one);
      commands += world.commands;
      world.settleAll();
      for (const organisationId of ORGANISATIONS) expect(world.books.inTransit(organisationId)).toBe(0);
      world.repeatAll();

      for (const log of world.organisations.values()) {
        expect(log.replayed()).toEqual(log.wallet);
        expect(log.wallet.available).toBe(world.books.of(`organisation:${log.ref.id}:available`));
        // An organisation in debt has nothing: whatever it buys pays the debt first.
        expect(log.wallet.available === 0 || log.wallet.billing.owed === 0).toBe(true);
        expect(log.wallet.billing.owed).toBe(world.books.owedBy(log.ref));
        checkBilling(
          log.events.map(({ event }) => event),
          log.wallet.billing,
        );
      }
      for (const log of world.users.values()) {
        expect(log.replayed()).toEqual(log.wallet);
        const events = log.events.map(({ event }) => event);
        checkUser(events);
        checkFreeNamed(log.ref, events);
        checkBilling(events, log.wallet.billing);
        expect(log.wallet.billing.owed).toBe(world.books.owedBy(log.ref));
        const { free, purchased, relationships } = log.wallet;
        expect(free?.tokens ?? 0).toBe(world.books.of(`user:${log.ref.id}:free`));
        expect(purchased).toBe(world.books.of(`user:${log.ref.id}:purchased`));
        for (const { organisationId, tokens } of relationships.values()) {
          expect(tokens).toBe(world.books.of(`user:${log.ref.id}:allocated:${organisationId}`));
        }
      }
      for (const [outcome, count] of world.outcomes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
    }),
    { numRuns: RUNS, seed },
  );
  expect(commands).toBeGreaterThanOrEqual(10_000);
  // The runs must reach every "no" that they could, or they would prove little.
  const codes =
    'accepted replayed KEY_REUSED LIMIT_EXCEEDED MEMBER_SUSPENDED INSUFFICIENT_TOKENS ALLOCATION_REFUSED TOO_OLD VALIDATION_FAILED ORGANISATION_NOT_FOUND PAYMENT_REFERENCE_USED PURCHASE_TOO_SMALL USAGE_ALREADY_REVERSED USAGE_NOT_FOUND DUPLICATE_MEMBER BILL_EXISTS BillCharged BillDeclined StorageAccrued StorageDeclined owed debt_paid';
  expect(codes.split(' ').filter((code) => !outcomes.has(code))).toEqual([]);
  if (process.env.PROPERTY_OUTCOMES) process.stdout.write(`${commands} commands: ${JSON.stringify(Object.fromEntries(outcomes))}\n`);
}, 60_000);
