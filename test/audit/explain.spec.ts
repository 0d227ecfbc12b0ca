import { PRICE_TABLE, walletOf } from '@ledger/wallet';
import { factFrom } from '../../apps/auditor/src/explain/command-group';
import { Explainer } from '../../apps/auditor/src/explain/explain';
import { printed } from '../../apps/auditor/src/explain/explanation';
import { platformOf } from '../../apps/auditor/src/replay/arguments';
import { allEvents } from '../../apps/auditor/src/replay/facts';
import { randomStores, seedOf } from './explain-world';

const STORES = 12;

describe('every event of random histories', () => {
  const seed = seedOf('EXPLAIN_SEED');

  it('is explained, and its command decided again comes to the same to the letter', async () => {
    const counts: Record<string, number> = {};
    for await (const { store, env } of randomStores(seed, STORES)) {
      const explainer = new Explainer(store, { ...platformOf(env), priceTable: PRICE_TABLE });
      for await (const page of allEvents(store)) {
        for (const stored of page) {
          const explanation = await explainer.explain(walletOf(stored.stream)!, factFrom(stored));
          expect([stored.stream, stored.revision, explanation.findings]).toEqual([stored.stream, stored.revision, []]);
          expect(printed(explanation)).not.toMatch(/undefined|NaN|null|\[object|Infinity/);
          const how = explanation.decidedAgain ? 'again' : explanation.checked ? 'checked' : 'told';
          counts[`${stored.type} ${how}`] = (counts[`${stored.type} ${how}`] ?? 0) + 1;
        }
      }
    }
    process.stdout.write(`${JSON.stringify(counts)}\n`);
    for (const type of ['TokensUsed', 'UsageReversed', 'TokensAllocated', 'AllocationReceived', 'StorageAccrued', 'BillCharged'])
      expect(counts[`${type} again`]).toBeGreaterThan(0);
    expect(Object.keys(counts).filter((name) => /^(TokensUsed|UsageReversed|TokensAllocated|AllocationReceived|TokensPurchased|Bill|Storage|Free).* (told|checked)$/.test(name))).toEqual([]);
  }, 120_000);
});
