import { addsUp } from './support/adds-up';
import { reach } from './support/clients';
import { expecting, openSchool, organisationCommand, usage, userCommand } from './support/commands';
import { bodyOf, calmZone, type Door, isReplay, LedgerUnderTest } from './support/ledger-under-test';

/** Sequences that mint tokens, or lose them, in careless ledgers. */
describe('what mints tokens elsewhere', () => {
  let ledger: LedgerUnderTest;
  let door: Door;
  beforeAll(async () => {
    ledger = new LedgerUnderTest();
    door = await ledger.start('a');
    await openSchool(door, 'school', { timeZone: calmZone(), tokens: 100_000, members: ['ann', 'ben', 'cid'] });
  }, 60_000);
  afterAll(() => ledger.end());
  afterEach(() => addsUp(ledger, [door]));

  const allowance = (userId: string, tokensPerMonth: number, key?: string) => ({
    ...userCommand(userId, 'PUT', '/free-allowance', { tokensPerMonth }, ''),
    key,
  });
  const balance = async (userId: string): Promise<number> =>
    (await expecting(200, door, { method: 'GET', path: `/v1/users/${userId}` })).balance as number;

  it('an allowance that goes 100, 50, 100 again and again grants 100', async () => {
    for (let n = 0; n < 5; n++) {
      await expecting(200, door, allowance('swing', 100, n % 2 === 0 ? `up-${n}` : undefined));
      await expecting(200, door, allowance('swing', 50, n % 2 === 0 ? `down-${n}` : undefined));
    }
    expect(await balance('swing')).toBe(100);
    await expecting(200, door, allowance('swing', 120));
    expect(await balance('swing')).toBe(120);
    await expecting(201, door, usage('swing', 120, 'all'));
    await expecting(200, door, allowance('swing', 50));
    await expecting(200, door, allowance('swing', 120));
    expect(await balance('swing')).toBe(0);
  });

  it('the same allowance 20 times at once grants it once', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, n) => expecting(200, door, allowance('crowd', 70, `same-${n}`))));
    await Promise.all(Array.from({ length: 20 }, () => expecting(200, door, allowance('crowd', 70))));
    expect(await balance('crowd')).toBe(70);
  });

  it('a late retry of a key that changed nothing undoes nothing that came after', async () => {
    await expecting(200, door, allowance('late', 100, 'first'));
    await expecting(200, door, allowance('late', 100, 'nothing-new'));
    await expecting(200, door, allowance('late', 150, 'more'));
    const late = await door.ask(allowance('late', 100, 'nothing-new'));
    expect([late.status, isReplay(late), bodyOf(late).tokensPerMonth]).toEqual([200, true, 150]);

    const limits = (daily: number, key: string) => organisationCommand('school', 'PUT', '/members/ann/limits', { usage: { daily } }, key);
    await expecting(200, door, limits(50, 'fifty'));
    await expecting(200, door, limits(50, 'fifty-again'));
    await expecting(200, door, limits(10, 'ten'));
    const retried = await door.ask(limits(50, 'fifty-again'));
    expect([isReplay(retried), bodyOf(retried).limits.usage.daily.limit]).toEqual([true, 10]);

    const status = (value: string, key: string) => organisationCommand('school', 'PUT', '/members/ben', { status: value }, key);
    await expecting(200, door, status('permitted', 'permitted-again'));
    await expecting(200, door, status('suspended', 'suspend'));
    const resumed = await door.ask(status('permitted', 'permitted-again'));
    expect([isReplay(resumed), bodyOf(resumed).status]).toEqual([true, 'suspended']);
    await expecting(200, door, status('permitted', 'resume'));
  });

  it('a member twice in one allocation gives nothing to anybody', async () => {
    const before = await expecting(200, door, { method: 'GET', path: '/v1/organisations/school' });
    const lines = ['ann', 'ben', 'ann'].map((userId) => ({ userId, tokens: 10 }));
    const refused = await expecting(422, door, organisationCommand('school', 'POST', '/allocations', { lines }, 'twice'));
    expect(refused).toMatchObject({
      code: 'ALLOCATION_REFUSED',
      failedLines: 1,
      lines: [{ index: 2, userId: 'ann', code: 'DUPLICATE_MEMBER' }],
    });
    expect(await expecting(200, door, { method: 'GET', path: '/v1/organisations/school' })).toEqual(before);
    // The refusal did not use the key up.
    const once = await door.ask(organisationCommand('school', 'POST', '/allocations', { lines: lines.slice(0, 2) }, 'twice'));
    expect(once.status).toBe(201);
    await reach(door, once);
    expect(await balance('ann')).toBe(10);
  });

  it('a reversal that comes ten times at once, under ten keys, returns a usage once', async () => {
    const lines = [{ userId: 'cid', tokens: 100 }];
    await reach(door, await door.ask(organisationCommand('school', 'POST', '/allocations', { lines }, 'for-cid')));
    const { usageId } = await expecting(201, door, usage('cid', 60, 'use'));
    const path = `/usages/${usageId}/reversal`;
    const replies = await Promise.all(Array.from({ length: 10 }, (_, n) => door.ask(userCommand('cid', 'POST', path, {}, `back-${n}`))));
    expect(replies.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
    expect(await balance('cid')).toBe(100);
    // The window got its tokens back too, once.
    const member = await expecting(200, door, { method: 'GET', path: '/v1/organisations/school/members/cid' });
    expect(member.limits.usage.daily.used).toBe(0);
  });

  it('a payment that comes ten times at once, under ten keys, credits once', async () => {
    const buy = (n: number) => userCommand('payer', 'POST', '/purchases', { tokens: 500, paymentReference: 'one payment' }, `pay-${n}`);
    const replies = await Promise.all(Array.from({ length: 10 }, (_, n) => door.ask(buy(n))));
    expect(replies.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
    expect(await balance('payer')).toBe(500);
  });

  it('leaving and rejoining resets no counter and gives nothing back', async () => {
    await expecting(200, door, organisationCommand('school', 'PUT', '/members/cid/limits', { usage: { daily: 30 } }, 'thirty'));
    await expecting(201, door, usage('cid', 30, 'to-the-limit'));
    await expecting(200, door, organisationCommand('school', 'DELETE', '/members/cid', undefined, 'leave'));
    await expecting(200, door, organisationCommand('school', 'PUT', '/members/cid', { status: 'permitted' }, 'rejoin'));
    const refused = await expecting(422, door, usage('cid', 1, 'too-much'));
    expect(refused).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      limits: [{ period: 'daily', limit: 30, used: 30, remaining: 0, requested: 1 }],
    });
    expect(await balance('cid')).toBe(70);
  });
});
