import type { NewEvent } from '@ledger/event-store';
import { canonical, type EventOf, type EventType, PRICE_TABLE, walletOf } from '@ledger/wallet';
import { factFrom } from '../../apps/auditor/src/explain/command-group';
import { Explainer } from '../../apps/auditor/src/explain/explain';
import { printed } from '../../apps/auditor/src/explain/explanation';
import { platformOf } from '../../apps/auditor/src/replay/arguments';
import { allEvents } from '../../apps/auditor/src/replay/facts';
import { randomStores, seedOf } from './explain-world';

const STORES = Number(process.env.EXPLAIN_STORES ?? 8);

describe('every event of random histories', () => {
  const seed = seedOf('EXPLAIN_SEED');

  it(
    'is explained, and its command decided again comes to the same to the letter',
    async () => {
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
      expect(
        Object.keys(counts).filter((name) =>
          /^(TokensUsed|UsageReversed|TokensAllocated|AllocationReceived|TokensPurchased|Bill|Storage|Free).* (told|checked)$/.test(name),
        ),
      ).toEqual([]);
    },
    STORES * 20_000,
  );
});

describe('an event that somebody has changed', () => {
  const seed = seedOf('FORGER_SEED');

  /** Each changes one thing in the first event of its type that has it; undefined where there is nothing to change. */
  const forgeries: Record<string, { type: EventType; says: RegExp; change: (data: never) => object | undefined }> = {
    'a usage of one token more': {
      type: 'TokensUsed',
      says: /tokens|charged/,
      change: (data: EventOf<'TokensUsed'>['data']) => ({ ...data, tokens: data.tokens + 1 }),
    },
    'a usage that spares the free tokens': {
      type: 'TokensUsed',
      says: /charged/,
      change: ({ charged, ...data }: EventOf<'TokensUsed'>['data']) =>
        charged.length > 1
          ? { ...data, charged: charged.map((one, index) => ({ ...one, tokens: one.tokens + (index === 0 ? -1 : index === 1 ? 1 : 0) })) }
          : undefined,
    },
    'a usage under a limit that nobody set': {
      type: 'TokensUsed',
      says: /considered/,
      change: ({ considered: [first, ...others], ...data }: EventOf<'TokensUsed'>['data']) =>
        first && {
          ...data,
          considered: [{ ...first, windows: { ...first.windows, daily: { ...first.windows.daily, limit: 12_345 } } }, ...others],
        },
    },
    'a usage under a revision that the organisation never had': {
      type: 'TokensUsed',
      says: /has no revision 99999/,
      change: ({ considered: [first, ...others], ...data }: EventOf<'TokensUsed'>['data']) =>
        first && { ...data, considered: [{ ...first, revision: 99_999 }, ...others] },
    },
    'a receipt of more than was allocated': {
      type: 'AllocationReceived',
      says: /has no line/,
      change: (data: EventOf<'AllocationReceived'>['data']) => ({ ...data, tokens: data.tokens + 1 }),
    },
    'an allocation of more than its lines': {
      type: 'TokensAllocated',
      says: /tokens of TokensAllocated/,
      change: (data: EventOf<'TokensAllocated'>['data']) => ({ ...data, tokens: data.tokens + 1 }),
    },
    'a purchase at half price': {
      type: 'TokensPurchased',
      says: /priceCents|price table makes it/,
      change: (data: EventOf<'TokensPurchased'>['data']) => ({ ...data, priceCents: data.priceCents - 100 }),
    },
    'a day of storage with another rest': {
      type: 'StorageAccrued',
      says: /carried/,
      change: (data: EventOf<'StorageAccrued'>['data']) => ({ ...data, carriedTokens: '0.000000000001' }),
    },
    'a bill that charged less than it cost': {
      type: 'BillCharged',
      // Nothing owed beside it: a wallet that had too little would have declined it, or refused it where the month was declined before.
      says: /chargedTokens|decided again it is (BillDeclined|refused \(INSUFFICIENT_TOKENS\).* was declined before)/,
      change: (data: EventOf<'BillCharged'>['data']) =>
        data.chargedTokens > 0 ? { ...data, chargedTokens: data.chargedTokens - 1 } : undefined,
    },
    'a reversal of half the usage': {
      type: 'UsageReversed',
      says: /tokens of UsageReversed/,
      change: (data: EventOf<'UsageReversed'>['data']) => ({ ...data, tokens: data.tokens + 1 }),
    },
    'a grant of more than the allowance': {
      type: 'FreeAllowanceGranted',
      says: /tokens of FreeAllowanceGranted/,
      change: (data: EventOf<'FreeAllowanceGranted'>['data']) => ({ ...data, tokens: data.tokens + 1 }),
    },
    'an allowance that added less': {
      type: 'FreeAllowanceSet',
      says: /added/,
      change: (data: EventOf<'FreeAllowanceSet'>['data']) => ({ ...data, added: data.added + 1 }),
    },
    'a limit that is said to be used up further': {
      type: 'LimitReached',
      says: /are counted in|is recorded as/,
      change: (data: EventOf<'LimitReached'>['data']) => ({ ...data, used: data.used + 1 }),
    },
    'a limit that nobody set': {
      type: 'LimitReached',
      says: /sets a limit of|is recorded as/,
      change: (data: EventOf<'LimitReached'>['data']) => ({ ...data, limit: 54_321 }),
    },
  };

  it.each(Object.entries(forgeries))(
    'is found: %s',
    async (_, { type, says, change }) => {
      let found = 0;
      for (let offset = 0; found < 3 && offset < 40; offset += 1) {
        let forged: string | undefined;
        const forge = (stream: string, event: NewEvent): NewEvent => {
          const data = forged === undefined && event.type === type ? change(JSON.parse(event.data) as never) : undefined;
          if (data === undefined) return event;
          forged = `${stream} ${event.id}`;
          return { ...event, data: canonical(data) };
        };
        for await (const { store, env } of randomStores(seed + offset, 1, forge)) {
          if (forged === undefined) continue;
          const [stream = '', id = ''] = forged.split(' ');
          const stored = (await store.readStream(stream, 0, 10_000)).find((event) => event.id === id)!;
          const explainer = new Explainer(store, { ...platformOf(env), priceTable: PRICE_TABLE });
          const explanation = await explainer.explain(walletOf(stream)!, factFrom(stored));
          expect(explanation.findings.join('\n')).toMatch(says);
          found += 1;
        }
      }
      expect(found).toBe(3);
    },
    60_000,
  );
});
