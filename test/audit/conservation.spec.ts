import { postings, type WalletEvent, walletOf } from '@ledger/wallet';
import { noTotals, type Totals } from '../../apps/auditor/src/verify/totals';
import { audited } from './tamper-run';
import { randomRows, type Row, Stores } from './tamper-store';

/**
 * The audit sums up what it has checked, event by event, for lines of double entry would cost it a good part of its time. Here its sums
 * are held against those lines: what the statement and the metric of conservation say is what the audit says.
 */

const WORLDS = 12;
const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);

const stores = new Stores();
beforeAll(() => void process.stdout.write(`conservation: TAMPER_SEED=${seed}\n`));
afterAll(() => stores.close());

function totalsOf(rows: readonly Row[]): Totals {
  const totals = noTotals();
  for (const { stream, type, data } of rows) {
    const event = { type, data: JSON.parse(data) as unknown } as WalletEvent;
    for (const { account, tokens } of postings(walletOf(stream)!, event)) {
      if (account === 'world') totals[type === 'TokensPurchased' ? 'purchased' : 'granted'] -= BigInt(tokens);
      else totals[nameOf(account)] += BigInt(tokens);
    }
  }
  return totals;
}

function nameOf(account: string): keyof Totals {
  if (account === 'platform:usage') return 'usage';
  if (account === 'platform:bills') return 'bills';
  if (account === 'lapsed') return 'lapsed';
  if (account.endsWith(':inTransit')) return 'inTransit';
  return account.startsWith('organisation:') ? 'organisations' : 'users';
}

it('comes to the sums of the postings, over random histories', async () => {
  const met = new Set<string>();
  for (let world = 0; world < WORLDS; world += 1) {
    const rows = randomRows(seed + world);
    const { totals } = await audited(await stores.holding(rows));
    expect(totals).toEqual(totalsOf(rows));
    for (const [name, tokens] of Object.entries(totals)) if (tokens !== 0n) met.add(name);
  }
  // Every sum was more than nothing in some history.
  expect([...met].sort()).toEqual(Object.keys(noTotals()).sort());
});
