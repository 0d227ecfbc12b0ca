import { isoInstant, prune } from '@ledger/wallet';
import { firstLink } from '../../apps/auditor/src/verify/chain';
import { giveBack, newUser, pruneCounters, relationshipOf, usedIn } from '../../apps/auditor/src/verify/user-state';

/** The audit drops counters of windows when the ledger does, though it looks for them only now and then. */

const DAY_MS = 86_400_000;
const DAYS = 120;
/** What the ledger keeps, and the days between two looks. */
const KEPT_MAX = 20;

it('knows after every event which counters the ledger has dropped, and does not gather them', () => {
  const state = newUser('ann', firstLink('userWallet-ann'));
  const { used, reached } = relationshipOf(state, 'acme');
  const ledger = new Map<string, number>();
  let dropped = 0;
  for (let day = 0; day < DAYS; day += 1) {
    const at = Date.parse('2026-01-01T10:00:00.000Z') + day * DAY_MS;
    const date = isoInstant(at).slice(0, 10);
    for (const window of [date, date.slice(0, 7)]) {
      used.set(window, day + 1);
      ledger.set(window, day + 1);
      reached.add(`${window}|5`);
    }
    pruneCounters(state, date, at);
    prune(ledger, at);
    for (let before = 0; before <= day; before += 1) {
      const past = isoInstant(at - before * DAY_MS).slice(0, 10);
      for (const window of [past, past.slice(0, 7)]) {
        expect([date, window, usedIn(state, { used } as never, window)]).toEqual([date, window, ledger.get(window)]);
        if (!ledger.has(window)) dropped += 1;
      }
    }
    expect(Math.max(used.size, reached.size)).toBeLessThan(KEPT_MAX);
  }
  expect(dropped).toBeGreaterThan(DAYS);
});

it('counts on in a dropped window that a reversal has brought back, until the next day', () => {
  const state = newUser('ann', firstLink('userWallet-ann'));
  const relationship = relationshipOf(state, 'acme');
  const pruned = (date: string) => pruneCounters(state, date, Date.parse(`${date}T10:00:00.000Z`));
  giveBack(state, relationship, '2026-01-01', 5);
  pruned('2026-02-01');
  expect(usedIn(state, relationship, '2026-01-01')).toBeUndefined();
  giveBack(state, relationship, '2026-01-01', 3);
  pruned('2026-02-01');
  expect(usedIn(state, relationship, '2026-01-01')).toBe(3);
  pruned('2026-02-02');
  expect(usedIn(state, relationship, '2026-01-01')).toBeUndefined();
});
