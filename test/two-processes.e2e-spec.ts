import { addsUp } from './support/adds-up';
import { reach, settle } from './support/clients';
import { expecting, openSchool, organisationCommand, usage, userCommand } from './support/commands';
import { freezeInTheMiddleOfWriting } from './support/frozen';
import { bodyOf, calmZone, type Door, LedgerUnderTest, seedOf } from './support/ledger-under-test';
import { repeatThroughTheSecond } from './support/two-doors';
import { Witness } from './support/witness';

const TROUBLES = 10;
const ALTERNATIONS = 40;
/** The store waits 5 s for a lock; an instance that hung would not answer within this. */
const REFUSED_WITHIN_MS = 15_000;
const PUPILS = ['p0', 'p1', 'p2', 'p3'];

describe('two processes on one store', () => {
  it('repeat for each other while the first is slow, frozen and killed', async () => {
    const ledger = new LedgerUnderTest({ FREE_TOKENS_PER_MONTH: '25' });
    try {
      const { witness, doors, ...counts } = await repeatThroughTheSecond(ledger, { troubles: TROUBLES, seed: seedOf('TWO_SEED') });
      process.stdout.write(`${JSON.stringify(counts)}, ${witness.answers} answers, ${witness.unanswered} times none\n`);
      await addsUp(ledger, doors, witness);
      witness.close();
    } finally {
      await ledger.end();
    }
  }, 180_000);

  describe('that are both well', () => {
    let ledger: LedgerUnderTest;
    let first: Door;
    let second: Door;
    beforeAll(async () => {
      ledger = new LedgerUnderTest();
      [first, second] = await Promise.all([ledger.start('first'), ledger.start('second')]);
      await openSchool(first, 'school', { timeZone: calmZone(), tokens: 1_000_000, members: PUPILS });
      const lines = PUPILS.map((userId) => ({ userId, tokens: 20_000 }));
      await reach(second, await first.ask(organisationCommand('school', 'POST', '/allocations', { lines }, 'allocate')));
    }, 60_000);
    afterAll(() => ledger.end());
    afterEach(() => addsUp(ledger, [first, second]), 60_000);

    it(`bind each other's very next request by a limit that one lowers, ${ALTERNATIONS * PUPILS.length} times`, async () => {
      const alternate = async (userId: string) => {
        let used = 0;
        for (let n = 0; n < ALTERNATIONS; n++) {
          const [here, there] = n % 2 === 0 ? [first, second] : [second, first];
          const limits = (daily: number | null) =>
            organisationCommand('school', 'PUT', `/members/${userId}/limits`, { usage: { daily } }, '');
          await expecting(200, here, { ...limits(used), key: undefined });
          const refused = await expecting(422, there, usage(userId, 1, `no-${n}`));
          expect(refused).toMatchObject({ code: 'LIMIT_EXCEEDED', limits: [{ userId, limit: used, used, remaining: 0 }] });
          await expecting(200, there, { ...limits(used + 3), key: undefined });
          await expecting(201, here, usage(userId, 3, `yes-${n}`));
          used += 3;
        }
        await expecting(200, first, organisationCommand('school', 'DELETE', `/members/${userId}/limits`, undefined, `${userId}-free`));
      };
      await Promise.all(PUPILS.map(alternate));
    }, 60_000);

    it("bind each other's very next request by a default limit that one lowers", async () => {
      await expecting(201, first, usage('p1', 1, 'default-begin'));
      const { limits } = await expecting(200, first, { method: 'GET', path: '/v1/organisations/school/members/p1' });
      let used = limits.usage.daily.used as number;
      for (let n = 0; n < 40; n++) {
        const [here, there] = n % 2 === 0 ? [first, second] : [second, first];
        const limit = (daily: number) => ({
          ...organisationCommand('school', 'PATCH', '/limits', { usage: { daily } }, ''),
          key: undefined,
        });
        await expecting(200, here, limit(used));
        expect((await expecting(422, there, usage('p1', 1, `default-no-${n}`))).code).toBe('LIMIT_EXCEEDED');
        await expecting(200, there, limit(used + 2));
        await expecting(201, here, usage('p1', 2, `default-yes-${n}`));
        used += 2;
      }
      await expecting(200, first, organisationCommand('school', 'PATCH', '/limits', { usage: { daily: null } }, 'default-free'));
    });

    it("bind each other's very next request by a member that one suspends", async () => {
      for (let n = 0; n < 40; n++) {
        const [here, there] = n % 2 === 0 ? [first, second] : [second, first];
        const status = (value: string, key: string) => organisationCommand('school', 'PUT', '/members/p0', { status: value }, key);
        await expecting(200, here, status('suspended', `suspend-${n}`));
        expect((await expecting(422, there, usage('p0', 1, `suspended-${n}`))).code).toBe('MEMBER_SUSPENDED');
        await expecting(200, there, status('permitted', `resume-${n}`));
        await expecting(201, here, usage('p0', 1, `resumed-${n}`));
      }
    });

    it('accept together exactly as many usages as there is room for, spent through both at once', async () => {
      const [room, each, senders] = [40, 5, 64];
      for (let round = 0; round < 5; round++) {
        const userId = `spender-${round}`;
        await expecting(
          201,
          first,
          userCommand(userId, 'POST', '/purchases', { tokens: room * each + each - 1, paymentReference: 'p' }, 'buy'),
        );
        const replies = await Promise.all(
          Array.from({ length: senders }, (_, n) => (n % 2 === 0 ? first : second).ask(usage(userId, each, `spend-${n}`))),
        );
        expect(replies.filter(({ status }) => status === 201).length).toBe(room);
        const refused = replies.filter(({ status }) => status !== 201).map((reply) => bodyOf(reply).code);
        expect(refused).toEqual(Array.from({ length: senders - room }, () => 'INSUFFICIENT_TOKENS'));
      }
    });

    it('settle the same allocations both at once, and every line is received once', async () => {
      const members = Array.from({ length: 400 }, (_, n) => `many-${n}`);
      await openSchool(second, 'crowd', { timeZone: calmZone(), tokens: 1_000_000, members });
      const lines = members.map((userId) => ({ userId, tokens: 2 }));
      const replies = await Promise.all(
        [0, 1, 2, 3].map((n) =>
          (n % 2 === 0 ? first : second).ask(organisationCommand('crowd', 'POST', '/allocations', { lines }, `all-${n}`)),
        ),
      );
      expect(replies.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
      for (const reply of replies) for (const door of [first, second]) await reach(door, reply);
      const { rows } = await addsUp(ledger, [first, second]);
      const received = rows.filter(({ event }) => event.type === 'AllocationReceived' && event.data.organisationId === 'crowd');
      expect(received.length).toBe(4 * members.length);
    }, 60_000);
  });

  it('answer 503 while the other is frozen with the write lock in its hand, and go on when it does', async () => {
    const ledger = new LedgerUnderTest({ FREE_TOKENS_PER_MONTH: '1000000' });
    try {
      const [first, second] = [await ledger.start('first'), await ledger.start('second')];
      const witness = new Witness(ledger.store);
      await settle(witness, usage('known', 1, 'before'), () => Promise.resolve(second));
      let busy = true;
      const load = Array.from({ length: 16 }, async (_, client) => {
        for (let n = 0; busy; n++) await settle(witness, usage(`busy-${client}`, 1, `load-${n}`), () => Promise.resolve(first));
      });
      await freezeInTheMiddleOfWriting(first, ledger.store);

      const command = usage('known', 1, 'while-locked');
      const refused = await witness.send(second, command, REFUSED_WITHIN_MS);
      expect(refused && [refused.status, bodyOf(refused).code]).toEqual([503, 'STORE_UNAVAILABLE']);
      expect(Number(refused!.headers['retry-after'])).toBeGreaterThan(0);
      // Reads need no lock.
      expect((await expecting(200, second, { method: 'GET', path: '/v1/users/known' })).balance).toBe(999_999);

      first.service.signal('SIGCONT');
      busy = false;
      await Promise.all(load);
      expect((await settle(witness, command, () => Promise.resolve(second))).status).toBe(201);
      await addsUp(ledger, [first, second], witness);
      witness.close();
    } finally {
      await ledger.end();
    }
  }, 90_000);
});
