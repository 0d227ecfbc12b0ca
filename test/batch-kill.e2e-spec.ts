import { bodyOf, type Json, LedgerUnderTest } from './support/ledger-under-test';
import { grownBy } from './support/stored-rows';

const LINES = 10_000;
const USERS = 1_000;
const KILLS = 2;

describe('a batch of usages whose service is killed', () => {
  const ledger = new LedgerUnderTest({ FREE_TOKENS_PER_MONTH: '1000' });
  afterAll(() => ledger.end());

  it('is sent again as it was: what was written replays, the rest is charged, and nothing twice', async () => {
    const usages = Array.from({ length: LINES }, (_, n) => ({ key: `k${n}`, userId: `user-${n % USERS}`, tokens: 1 + (n % 5) }));
    const ask = { method: 'POST', path: '/v1/usages/batch', body: { usages } } as const;
    let door = await ledger.start('batch');
    for (let kill = 0; kill < KILLS; kill += 1) {
      const lost = door.once(ask).catch(() => undefined);
      await grownBy(ledger.store, 500);
      await ledger.kill(door);
      await lost;
      door = await ledger.start('batch');
    }
    const first = await door.ask(ask);
    const results = bodyOf(first)['results'] as Json[];
    expect(results.filter(({ status }) => status === 201)).toHaveLength(LINES);
    const replayed = results.filter((line) => line['replayed'] === true).length;
    process.stdout.write(`${replayed} of ${LINES} lines had been written before the last kill\n`);
    expect(replayed).toBeGreaterThan(0);
    const again = bodyOf(await door.ask(ask))['results'] as Json[];
    expect(again).toEqual(results.map((line) => ({ ...line, replayed: true })));
    for (let n = 0; n < USERS; n += 97) {
      const { text } = await door.ask({ method: 'GET', path: `/v1/users/user-${n}`, position: first.headers['ledger-position'] as string });
      const spent = usages.filter(({ userId }) => userId === `user-${n}`).reduce((sum, { tokens }) => sum + tokens, 0);
      expect((JSON.parse(text) as Json)['balance']).toBe(1_000 - spent);
    }
  }, 120_000);
});
