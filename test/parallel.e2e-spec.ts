import { addsUp } from './support/adds-up';
import { reach } from './support/clients';
import { expecting, openSchool, organisationCommand, usage, userCommand } from './support/commands';
import { bodyOf, calmZone, type Door, isReplay, LedgerUnderTest } from './support/ledger-under-test';

const PARALLEL = 64;
const ROOM = 23;
const TOKENS_EACH = 7;
const FREE_TOKENS = 100;

describe('requests that come at the same time', () => {
  let ledger: LedgerUnderTest;
  let door: Door;
  beforeAll(async () => {
    ledger = new LedgerUnderTest({ FREE_TOKENS_PER_MONTH: String(FREE_TOKENS) });
    door = await ledger.start('a');
  }, 60_000);
  afterAll(() => ledger.end());
  // Whatever a test did, the file must hold it.
  afterEach(() => addsUp(ledger, [door]));

  /** Sends usages of one user all at once and counts the answers by status and code. */
  async function race(userId: string, more: object = {}): Promise<Record<string, number>> {
    const replies = await Promise.all(Array.from({ length: PARALLEL }, (_, n) => door.ask(usage(userId, TOKENS_EACH, `race-${n}`, more))));
    const counts: Record<string, number> = {};
    for (const reply of replies) {
      const name = reply.status === 201 ? 'accepted' : String(bodyOf(reply).code);
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  it('accepts exactly as many usages as purchased tokens fund', async () => {
    await expecting(200, door, userCommand('buyer', 'PUT', '/free-allowance', { tokensPerMonth: 0 }, 'none'));
    const body = { tokens: ROOM * TOKENS_EACH + 200 + TOKENS_EACH - 1, paymentReference: 'p' };
    await expecting(201, door, userCommand('buyer', 'POST', '/purchases', body, 'buy'));
    await expecting(201, door, usage('buyer', 200, 'before', { sources: ['purchased'] }));
    expect(await race('buyer', { sources: ['purchased'] })).toEqual({ accepted: ROOM, INSUFFICIENT_TOKENS: PARALLEL - ROOM });
  });

  it('accepts exactly as many usages as a limit leaves, and records once that it is reached', async () => {
    await openSchool(door, 'limited', { timeZone: calmZone(), tokens: 10_000, members: ['pupil'] });
    const limits = { usage: { daily: ROOM * TOKENS_EACH } };
    await expecting(200, door, organisationCommand('limited', 'PATCH', '/limits', limits, 'limits'));
    const lines = [{ userId: 'pupil', tokens: 5_000 }];
    const allocated = await door.ask(organisationCommand('limited', 'POST', '/allocations', { lines }, 'allocate'));
    await reach(door, allocated);
    expect(await race('pupil', { sources: ['allocated'] })).toEqual({ accepted: ROOM, LIMIT_EXCEEDED: PARALLEL - ROOM });
    const { rows } = await addsUp(ledger, [door]);
    const reached = rows.filter(({ stream, type }) => stream === 'userWallet-pupil' && type === 'LimitReached');
    expect(reached.map(({ event }) => event.data)).toMatchObject([{ period: 'daily', limit: limits.usage.daily, by: 'draw' }]);
  });

  it('accepts exactly as many first usages of an unknown user as the free tokens fund', async () => {
    const accepted = Math.floor(FREE_TOKENS / TOKENS_EACH);
    expect(await race('newcomer')).toEqual({ accepted, INSUFFICIENT_TOKENS: PARALLEL - accepted });
    const { rows } = await addsUp(ledger, [door]);
    const types = rows.filter(({ stream }) => stream === 'userWallet-newcomer').map(({ type }) => type);
    expect(types).toEqual(['UserWalletOpened', 'FreeAllowanceGranted', ...Array.from({ length: accepted }, () => 'TokensUsed')]);
  });

  it('charges a key once that comes 50 times at once, and answers every time the same', async () => {
    const replies = await Promise.all(Array.from({ length: 50 }, () => door.ask(usage('repeater', 5, 'the-key', { reference: 'r' }))));
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(replies[0]!.status).toBe(201);
    expect(replies.filter(isReplay).length).toBe(49);
    const { rows } = await addsUp(ledger, [door]);
    expect(rows.filter(({ metadata, type }) => metadata.key === 'the-key' && type === 'TokensUsed').length).toBe(1);
  });

  it('refuses a key with another body, however they race, and the same content in another order of fields is the same', async () => {
    const bodies = Array.from({ length: 20 }, (_, n) => ({ tokens: 1 + n }));
    const replies = await Promise.all(bodies.map((body) => door.ask(userCommand('changer', 'POST', '/usages', body, 'one-key'))));
    expect(replies.filter(({ status }) => status === 201).length).toBe(1);
    const refused = replies.filter(({ status }) => status !== 201).map((reply) => bodyOf(reply).code);
    expect(refused).toEqual(Array.from({ length: 19 }, () => 'KEY_REUSED'));
    const first = await door.ask(userCommand('changer', 'POST', '/usages', { tokens: 3, service: 's' }, 'other-key'));
    const again = await door.ask(userCommand('changer', 'POST', '/usages', { service: 's', tokens: 3 }, 'other-key'));
    expect([again.status, again.text, isReplay(again)]).toEqual([201, first.text, true]);
    const purchase = await door.ask(userCommand('changer', 'POST', '/purchases', { tokens: 200, paymentReference: 'x' }, 'other-key'));
    expect([purchase.status, bodyOf(purchase).code]).toEqual([422, 'KEY_REUSED']);
  });

  it('remembers keys, payments and usages that a wallet has long dropped from memory', async () => {
    const many = 1_300;
    await expecting(200, door, userCommand('elder', 'PUT', '/free-allowance', { tokensPerMonth: 10_000 }, 'allowance'));
    const bought = await expecting(201, door, userCommand('elder', 'POST', '/purchases', { tokens: 300, paymentReference: 'old' }, 'buy'));
    const first = await door.ask(usage('elder', 3, 'usage-first'));
    for (let n = 0; n < many; n += PARALLEL)
      await Promise.all(Array.from({ length: PARALLEL }, (_, each) => expecting(201, door, usage('elder', 1, `usage-${n + each}`))));
    const again = await door.ask(usage('elder', 3, 'usage-first'));
    expect([again.status, again.text, isReplay(again)]).toEqual([201, first.text, true]);
    const other = await door.ask(usage('elder', 4, 'usage-first'));
    expect(bodyOf(other).code).toBe('KEY_REUSED');
    const replayed = await expecting(
      201,
      door,
      userCommand('elder', 'POST', '/purchases', { tokens: 300, paymentReference: 'old' }, 'buy'),
    );
    expect(replayed).toEqual(bought);
    const path = `/usages/${bodyOf(first).usageId}/reversal`;
    await expecting(201, door, userCommand('elder', 'POST', path, {}, 'back'));
    const twice = await expecting(409, door, userCommand('elder', 'POST', path, {}, 'back-again'));
    expect(twice.code).toBe('USAGE_ALREADY_REVERSED');
  });
});
