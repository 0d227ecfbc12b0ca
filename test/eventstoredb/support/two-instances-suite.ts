import { addsUp } from '../../support/adds-up';
import { reach } from '../../support/clients';
import { expecting, openSchool, organisationCommand, usage, userCommand } from '../../support/commands';
import { bodyOf, calmZone, type Door, isReplay, LedgerUnderTest, seedOf } from '../../support/ledger-under-test';
import { repeatThroughTheSecond } from '../../support/two-doors';
import { ServerRows } from './server-rows';

const TROUBLES = Number(process.env.TROUBLES ?? 8);
const ALTERNATIONS = 20;
const PUPILS = ['two-p0', 'two-p1', 'two-p2'];

/** What happens around the two: on the test server somebody else writes, and replies are lost. */
export interface Surroundings {
  url(): string;
  /** Writes something that is none of the ledger's, so that the last event of all is somebody else's. */
  foreignEvent(): Promise<unknown>;
  /** Makes the server lose replies and land appends late, for the mixed load. */
  unreliable(yes: boolean): Promise<void>;
}

/** Two processes of the service on one EventStoreDB, both well, with the same wallets through both. */
export function twoInstancesSuite(name: string, { url, foreignEvent }: Pick<Surroundings, 'url' | 'foreignEvent'>): void {
  describe(name, () => {
    let ledger: LedgerUnderTest;
    let rows: ServerRows;
    let first: Door;
    let second: Door;
    beforeAll(async () => {
      rows = new ServerRows(url());
      ledger = new LedgerUnderTest({ EVENT_STORE_URL: url() }, rows);
      [first, second] = await Promise.all([ledger.start('first'), ledger.start('second')]);
      await openSchool(first, 'two-school', { timeZone: calmZone(), tokens: 1_000_000, members: PUPILS });
      const lines = PUPILS.map((userId) => ({ userId, tokens: 20_000 }));
      await reach(second, await first.ask(organisationCommand('two-school', 'POST', '/allocations', { lines }, 'allocate')));
    }, 90_000);
    afterAll(async () => {
      await ledger.end();
      await rows.close();
    });
    afterEach(() => addsUp(ledger, [first, second]), 120_000);

    it("bind each other's very next request by a limit that one lowers, while the last event of all is somebody else's", async () => {
      const alternate = async (userId: string): Promise<void> => {
        let used = 0;
        for (let n = 0; n < ALTERNATIONS; n++) {
          const [here, there] = n % 2 === 0 ? [first, second] : [second, first];
          const limits = (daily: number) => ({
            ...organisationCommand('two-school', 'PUT', `/members/${userId}/limits`, { usage: { daily } }, ''),
            key: undefined,
          });
          await expecting(200, here, limits(used));
          await foreignEvent();
          const refused = await expecting(422, there, usage(userId, 1, `no-${n}`));
          expect(refused).toMatchObject({ code: 'LIMIT_EXCEEDED', limits: [{ userId, limit: used, used, remaining: 0 }] });
          await expecting(200, there, limits(used + 3));
          await foreignEvent();
          await expecting(201, here, usage(userId, 3, `yes-${n}`));
          used += 3;
        }
        const freed = organisationCommand('two-school', 'DELETE', `/members/${userId}/limits`, undefined, `${userId}-free`);
        await expecting(200, first, freed);
      };
      await Promise.all(PUPILS.map(alternate));
    }, 120_000);

    it("bind each other's very next request by a member that one suspends", async () => {
      for (let n = 0; n < ALTERNATIONS; n++) {
        const [here, there] = n % 2 === 0 ? [first, second] : [second, first];
        const status = (value: string, key: string) => organisationCommand('two-school', 'PUT', '/members/two-p0', { status: value }, key);
        await expecting(200, here, status('suspended', `suspend-${n}`));
        expect((await expecting(422, there, usage('two-p0', 1, `suspended-${n}`))).code).toBe('MEMBER_SUSPENDED');
        await expecting(200, there, status('permitted', `resume-${n}`));
        await expecting(201, here, usage('two-p0', 1, `resumed-${n}`));
      }
    }, 60_000);

    it('answer the same for one key that comes through both at once, and charge it once', async () => {
      await expecting(201, first, userCommand('two-keys', 'POST', '/purchases', { tokens: 500, paymentReference: 'p' }, 'buy'));
      for (let n = 0; n < ALTERNATIONS; n++) {
        const replies = await Promise.all([first, second, first, second].map((door) => door.ask(usage('two-keys', 1, `same-${n}`))));
        expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
        expect(replies.filter((reply) => !isReplay(reply)).length).toBe(1);
      }
    }, 60_000);

    it('accept together exactly as many usages as there is room for, spent through both at once', async () => {
      const [room, each, senders] = [40, 5, 64];
      for (let round = 0; round < 3; round++) {
        const userId = `two-spender-${round}`;
        const body = { tokens: room * each + each - 1, paymentReference: 'p' };
        await expecting(201, first, userCommand(userId, 'POST', '/purchases', body, 'buy'));
        const replies = await Promise.all(
          Array.from({ length: senders }, (_, n) => (n % 2 === 0 ? first : second).ask(usage(userId, each, `spend-${n}`))),
        );
        expect(replies.filter(({ status }) => status === 201).length).toBe(room);
        const refused = replies.filter(({ status }) => status !== 201).map((reply) => bodyOf(reply).code);
        expect(refused).toEqual(Array.from({ length: senders - room }, () => 'INSUFFICIENT_TOKENS'));
      }
    }, 60_000);
  });
}

/**
 * A mixed load through two processes, of which one is frozen and killed. Every event of the store must come from a command that
 * was sent here, so the store has none of a ledger when this begins.
 */
export function troubledInstancesSuite(name: string, { url, unreliable }: Pick<Surroundings, 'url' | 'unreliable'>): void {
  it(`${name}: they repeat for each other while the first is frozen and killed ${TROUBLES} times`, async () => {
    const rows = new ServerRows(url());
    if (!(await rows.isEmpty()))
      throw new Error('The server has events of a ledger already, and this audits all of them: start an empty one.');
    const ledger = new LedgerUnderTest({ EVENT_STORE_URL: url(), FREE_TOKENS_PER_MONTH: '25' }, rows);
    try {
      await unreliable(true);
      const { witness, doors, ...counts } = await repeatThroughTheSecond(ledger, { troubles: TROUBLES, seed: seedOf('TWO_SEED') });
      process.stdout.write(`${JSON.stringify(counts)}, ${witness.answers} answers, ${witness.unanswered} times none\n`);
      await unreliable(false);
      await addsUp(ledger, doors, witness);
      witness.close();
    } finally {
      await unreliable(false);
      await ledger.end();
      await rows.close();
    }
  }, 300_000);
}
