import { PRICE_TABLE } from '@ledger/wallet';
import { newSeed } from '../verify/entries';
import { sentenceOf } from '../verify/finding';
import { auditThroughPort } from '../verify/run';
import { CLEAN, type Command, FINDINGS, flags, openStore, storeUrl } from './command';

/** The whole audit of a store. */
export const verify: Command = {
  summary: 'check every event of the store: chains, schemas, balances, limits, allocations',
  usage: 'verify [--event-store URL] [--json]',
  async run(args, { env, out }) {
    const values = flags(args, { 'event-store': { type: 'string' }, json: { type: 'boolean' } });
    const store = await openStore(storeUrl(values['event-store'], env));
    try {
      const began = performance.now();
      const cpu = process.cpuUsage();
      const result = await auditThroughPort(store, { seed: newSeed(), priceTables: [PRICE_TABLE] }, () => undefined);
      const { user, system } = process.cpuUsage(cpu);
      out(
        `${result.events} events, ${result.heads.length} streams, ${Math.round(performance.now() - began)} ms, ${((user + system) / result.events).toFixed(2)} us`,
      );
      for (const finding of result.findings.kept.slice(0, 20)) out(sentenceOf(finding));
      out(`${result.findings.count} findings ${JSON.stringify([...result.findings.byRule])}`);
      out(JSON.stringify(result.totals, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v)));
      return result.findings.count === 0 ? CLEAN : FINDINGS;
    } finally {
      await store.close();
    }
  },
};
