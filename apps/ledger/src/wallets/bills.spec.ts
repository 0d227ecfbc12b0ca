import type { StoredEvent } from '@ledger/event-store';
import {
  AccrueStorage,
  accrueStorageForOrganisation,
  allocate,
  AllocateTokens,
  type BillEvent,
  billEntry,
  ChargeBill,
  chargeBillForOrganisation,
  chargeBillForUser,
  eventOf,
  type OrganisationEvent,
  PICO_TOKENS_PER_TOKEN,
  picoTokensOf,
  postings,
  PurchaseTokens,
  purchaseForOrganisation,
  RECENT_MAX,
  type Refusal,
  tokensText,
  walletOf,
} from '@ledger/wallet';
import type { Commanded } from './commanding';
import { command, endow, type Instance, Instances } from './testing/instances';

/** Bills against everything else that happens to the same wallet at the same moment, through two instances on one store. */

const ACME = { kind: 'organisation', id: 'acme' } as const;
const HOSTING = { kind: 'hosting', month: '2026-06', campuses: [1, 30], courses: [] } as const;

let instances: Instances;
let one: Instance;
let other: Instance;
beforeEach(async () => {
  instances = new Instances();
  [one, other] = [await instances.start(), await instances.start()];
});
afterEach(() => instances.close());

const hosting = ({ organisations }: Instance, body: Partial<ChargeBill>, key: string) =>
  organisations.execute(command(ChargeBill, ACME, { ...HOSTING, campuses: [1, 30], courses: [], ...body }, key), chargeBillForOrganisation);
const storage = ({ organisations }: Instance, body: Partial<AccrueStorage>, key: string) =>
  organisations.execute(command(AccrueStorage, ACME, { bytes: 120_000_000_000, ...body }, key), accrueStorageForOrganisation);
const buy = ({ organisations }: Instance, tokens: number, key: string) =>
  organisations.execute(command(PurchaseTokens, ACME, { tokens, paymentReference: key }, key), purchaseForOrganisation);
const give = ({ organisations }: Instance, tokens: number, key: string) =>
  organisations.execute(command(AllocateTokens, ACME, { lines: [{ userId: 'ann', tokens }] }, key), allocate);

/** What became of it: its events, or the code of its refusal. */
const outcome = (asked: Promise<Commanded>): Promise<string> =>
  asked.then(
    ({ events, replayed }) => `${replayed ? 'again ' : ''}${events.map(({ type }) => type).join('+')}`,
    (error: Refusal) => error.code,
  );
const isBill = ({ type }: { type: string }) => /^(BillCharged|BillDeclined|StorageAccrued)$/.test(type);

/** Every event's postings sum to zero, no bucket is ever negative, each bill is there once, and what is owed is what was not charged. */
async function audited(): Promise<{ accounts: Map<string, number>; owed: number; stored: StoredEvent[] }> {
  const accounts = new Map<string, number>();
  const bills = new Set<string>();
  let owed = 0;
  const stored = await one.store.readAll(-1n, 10_000);
  for (const each of stored) {
    const event = eventOf(each);
    const lines = postings(walletOf(each.stream)!, event);
    expect(lines.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(0);
    for (const { account, tokens } of lines) {
      accounts.set(account, (accounts.get(account) ?? 0) + tokens);
      if (account !== 'world') expect([each.position, account, accounts.get(account)! >= 0]).toEqual([each.position, account, true]);
    }
    if (isBill(event)) {
      const entry = `${each.stream} ${billEntry(event as BillEvent)}`;
      expect([entry, bills.has(entry)]).toEqual([entry, false]);
      bills.add(entry);
    }
    if (event.type === 'TokensPurchased') owed -= event.data.owedPaid;
    if (event.type === 'BillCharged' || event.type === 'StorageAccrued') {
      owed += event.data.owedTokens;
      expect(event.data.owed).toBe(owed);
    }
    const after = (event as OrganisationEvent).data;
    if (each.stream === 'organisationWallet-acme' && 'balanceAfter' in after)
      expect(after.balanceAfter.balance).toBe(accounts.get('organisation:acme:available') ?? 0);
  }
  return { accounts, owed, stored };
}

it('is one bill, whoever else bills, buys and allocates at that moment through another door, and however often it is repeated', async () => {
  await endow(one, 'acme', { ann: 100 });
  await give(one, 999_900 - 200, 'nearly-all'); // 200 tokens are left: the bill of 300 can be owed in part.
  const doors = [one, other, one, other];
  const asked = doors.flatMap((door, at) => [
    outcome(hosting(door, { onShortfall: 'owe' }, 'the-bill')),
    outcome(hosting(door, { onShortfall: 'owe' }, `another-${at}`)),
    outcome(buy(door, 500, `buy-${at}`)),
    outcome(give(door, 50, `give-${at}`)),
    outcome(storage(door, { day: '2026-06-14', onShortfall: 'owe' }, 'the-day')),
    outcome(storage(door, { day: '2026-06-13', onShortfall: 'decline' }, `day-${at}`)),
  ]);
  const said = await Promise.all(asked);
  // Six of each door: two bills, a purchase, an allocation, two days of storage.
  const count = (wanted: string, ...places: number[]) => said.filter((each, at) => each === wanted && places.includes(at % 6)).length;
  const { accounts, owed, stored } = await audited();
  expect(stored.filter(({ type }) => type === 'BillCharged')).toHaveLength(1);
  expect(count('BillCharged', 0, 1) + count('again BillCharged', 0) + count('BILL_EXISTS', 0, 1)).toBe(8);
  expect([count('BillCharged', 0, 1), count('TokensPurchased', 2)]).toEqual([1, 4]);
  expect(count('StorageAccrued', 4) + count('again StorageAccrued', 4)).toBe(4);
  expect(count('BILL_EXISTS', 5)).toBe(3);
  expect(stored.filter(({ type }) => type === 'StorageAccrued')).toHaveLength(2);
  // 300 of hosting and twice 15.827 of storage were charged, are owed, or are still carried, whatever the order was.
  const [last] = stored
    .map(eventOf)
    .flatMap((event) => (event.type === 'StorageAccrued' ? [event.data.carriedTokens] : []))
    .slice(-1);
  const settled = BigInt(accounts.get('platform:bills')! + owed) * PICO_TOKENS_PER_TOKEN;
  expect(tokensText(settled + picoTokensOf(last!))).toBe('331.654');
});

it('is declined once, whoever asks at that moment; the others are refused, and their keys are free', async () => {
  await endow(one, 'acme', { ann: 100 });
  await give(one, 999_900, 'all');
  const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
  const decline = (key: string, at: number) => outcome(hosting(at % 2 === 0 ? one : other, { onShortfall: 'decline' }, key));
  const said = await Promise.all(keys.map(decline));
  expect([...said].sort()).toEqual(['BillDeclined', ...Array<string>(5).fill('INSUFFICIENT_TOKENS')]);
  await buy(other, 1_000, 'funds');
  const again = await Promise.all(keys.map(decline));
  // The key of the decline answers it for ever; one of the others is the bill.
  expect(again[said.indexOf('BillDeclined')]).toBe('again BillDeclined');
  expect(again.filter((each) => each === 'BillCharged')).toHaveLength(1);
  expect(again.filter((each) => each === 'BILL_EXISTS')).toHaveLength(4);
  await audited();
});

it('charges a debt once, when purchases come at that moment', async () => {
  await endow(one, 'acme', { ann: 100 });
  await give(one, 999_900, 'all');
  await hosting(one, { onShortfall: 'owe' }, 'owing');
  await Promise.all(['q1', 'q2', 'q3', 'q4'].map((key, at) => buy(at % 2 === 0 ? one : other, 200, key)));
  const { accounts, owed, stored } = await audited();
  expect([owed, accounts.get('platform:bills'), accounts.get('organisation:acme:available')]).toEqual([0, 300, 500]);
  const paid = stored.map(eventOf).flatMap((event) => (event.type === 'TokensPurchased' ? [event.data.owedPaid] : []));
  expect(paid).toEqual([0, 200, 100, 0, 0]);
});

it('is remembered for ever, also when the wallet has dropped it from its state', async () => {
  const hostUser = (month: string, key: string) =>
    outcome(
      one.users.execute(
        command(ChargeBill, { kind: 'user', id: 'ben' }, { ...HOSTING, campuses: [], courses: [], month, onShortfall: 'decline' }, key),
        chargeBillForUser,
      ),
    );
  const months = Array.from(
    { length: RECENT_MAX + 2 },
    (_, at) => `${1900 + Math.floor(at / 12)}-${String((at % 12) + 1).padStart(2, '0')}`,
  );
  for (let from = 0; from < months.length; from += 100)
    await Promise.all(months.slice(from, from + 100).map((month) => hostUser(month, `bill-${month}`)));
  expect(await hostUser(months[0]!, 'once-more')).toBe('BILL_EXISTS');
  expect(await hostUser(months[0]!, `bill-${months[0]}`)).toBe('again BillCharged');
  expect(await hostUser('2000-01', 'fresh')).toBe('BillCharged');
});
